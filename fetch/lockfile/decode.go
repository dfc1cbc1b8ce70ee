package lockfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"assay/internal/stricttoml"
)

// Decode reads a lock file. The lists of what it returns are sorted, whatever their
// order was. The error is an *Error, of ErrMalformed or ErrNewer, and File is empty
// then; the file is called Name in it.
func Decode(data []byte) (File, error) { return decode(Name, data) }

// decode is Decode of a file that messages call name.
func decode(name string, data []byte) (File, error) {
	// Before anything else reads it: this bounds its size, the number of keys and
	// their depth.
	keys, err := stricttoml.Defined(name, data)
	if err != nil {
		return File{}, fault(name, keys, err)
	}
	var doc document
	decodeErr := stricttoml.Decode(name, data, &doc)
	// A newer schema may have keys that are not known, which is not what is wrong.
	root := place{file: name, lines: linesOf(keys)}
	var head map[string]any
	if err := stricttoml.Decode(name, data, &head); err != nil {
		return File{}, fault(name, keys, err)
	}
	// Where there is none, another key may be a misspelt one.
	if value, there := head["schema"]; there || decodeErr == nil {
		if err := checkSchema(root.in("schema"), value); err != nil {
			return File{}, err
		}
	}
	if decodeErr != nil {
		return File{}, fault(name, keys, decodeErr)
	}
	if err := checkKeys(name, keys); err != nil {
		return File{}, err
	}
	f, err := doc.take(root)
	if err != nil {
		return File{}, err
	}
	return f.sorted(), nil
}

// document is a lock file as TOML has it.
type document struct {
	Schema     string               `toml:"schema"`
	Repository []repositoryDocument `toml:"repository"`
	Product    []productDocument    `toml:"product"`
	Pin        []pinDocument        `toml:"pin"`
}

type repositoryDocument struct {
	Name       string           `toml:"name"`
	Root       int64            `toml:"root"`
	RootSHA256 string           `toml:"root_sha256"`
	Floors     map[string]int64 `toml:"floors"`
}

type productDocument struct {
	Name           string             `toml:"name"`
	Repository     string             `toml:"repository"`
	Request        string             `toml:"request"`
	Version        string             `toml:"version"`
	Channel        string             `toml:"channel"`
	Manifest       string             `toml:"manifest"`
	ManifestSHA256 string             `toml:"manifest_sha256"`
	ManifestSHA512 string             `toml:"manifest_sha512"`
	Artifact       []artifactDocument `toml:"artifact"`
}

type artifactDocument struct {
	Platform string           `toml:"platform"`
	Target   string           `toml:"target"`
	Length   *int64           `toml:"length"`
	SHA256   string           `toml:"sha256"`
	SHA512   string           `toml:"sha512"`
	URLs     []string         `toml:"urls"`
	Bundles  []bundleDocument `toml:"bundles"`
}

type bundleDocument struct {
	Target string `toml:"target"`
	SHA256 string `toml:"sha256"`
	SHA512 string `toml:"sha512"`
}

type pinDocument struct {
	Name     string   `toml:"name"`
	URLs     []string `toml:"urls"`
	Length   *int64   `toml:"length"`
	SHA256   string   `toml:"sha256"`
	SHA512   string   `toml:"sha512"`
	Identity string   `toml:"identity"`
	Issuer   string   `toml:"issuer"`
	Format   string   `toml:"format"`
}

// schemaMajor is what stands before the number of a schema.
const schemaMajor = "assay.lock/v"

// checkSchema refuses what is not of Schema.
func checkSchema(at place, value any) error {
	found, is := value.(string)
	number, numbered := strings.CutPrefix(found, schemaMajor)
	switch {
	case !is:
		return at.refuse("expected %q, found none", Schema)
	case found == Schema:
		return nil
	case numbered && isNewer(number):
		e := at.refuse("expected %q, the newest that this assay knows, found %s: use a newer assay, or remove the file and have `assay lock` of this one make another", Schema, quote(found))
		e.Kind = ErrNewer
		return e
	}
	return at.refuse("expected %q, found %s", Schema, quote(found))
}

// isNewer reports whether text, which is not that of Schema, is the number of a
// major version: there is none before v1.
func isNewer(text string) bool {
	return text != "" && text[0] != '0' && strings.Trim(text, "0123456789") == ""
}

// fault is the *Error of a fault that package stricttoml found.
func fault(name string, keys []stricttoml.Key, err error) error {
	found := &stricttoml.Error{Reason: err.Error()}
	errors.As(err, &found) // it is one, as that package says
	e := &Error{File: name, Line: found.Line, Key: found.Key, Kind: ErrMalformed, Detail: found.Reason}
	if errors.Is(err, stricttoml.ErrUnknownKey) {
		e.Key, e.Detail = "", fmt.Sprintf("unknown key %s", quote(found.Key))
		switch {
		case found.Near != "":
			e.Detail += fmt.Sprintf("; did you mean %q?", found.Near)
		case len(found.Known) > 0:
			e.Detail += "; known here: " + strings.Join(found.Known, ", ")
		}
		return e
	}
	// The library names the table; the key is the last one before the fault.
	for _, k := range keys {
		if k.Line == found.Line && k.Column <= found.Column {
			e.Key = shownKey(k.Parts)
		}
	}
	return e
}

// lists are the keys that hold lists of tables.
var lists = map[string]bool{"repository": true, "product": true, "product.artifact": true, "product.artifact.bundles": true, "pin": true}

// checkKeys refuses what the decoder takes beside what is written here: keys in
// other letters' case, which make two of one, and [product] for [[product]], which
// looks as if there could be one only.
func checkKeys(name string, keys []stricttoml.Key) error {
	for _, k := range keys {
		path := ""
		for i := 0; i < len(k.Parts); i++ {
			part := k.Parts[i]
			if strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				return &Error{File: name, Line: k.Line, Kind: ErrMalformed, Detail: fmt.Sprintf("unknown key %s: keys are in lower case", quote(shownKey(k.Parts)))}
			}
			path = strings.TrimPrefix(path+"."+part, ".")
			if lists[path] && i+1 < len(k.Parts) {
				i++ // the index
				if _, err := strconv.ParseUint(k.Parts[i], 10, 32); err != nil {
					return &Error{File: name, Line: k.Line, Key: path, Kind: ErrMalformed, Detail: "expected a list of tables, found one table: write [[" + path + "]]"}
				}
			}
			if path == "repository.floors" {
				break // below are names of roles, which may be any text
			}
		}
	}
	return nil
}

// shownKey is how messages call a key: dotted, without the indexes of lists.
func shownKey(parts []string) string {
	path := ""
	for i := 0; i < len(parts); i++ {
		path = strings.TrimPrefix(path+"."+parts[i], ".")
		if lists[path] {
			i++
		}
	}
	if strings.ContainsFunc(path, isUnprintable) || len(path) > maxText {
		return quote(path)
	}
	return path
}
