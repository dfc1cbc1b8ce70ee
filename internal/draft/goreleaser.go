package draft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/strictjson"
)

// The files that goreleaser v2 writes about what it built, and the most bytes and
// entries that are read of them. Its list has an entry for each thing that was
// made on the way, binaries and package recipes included: large projects have a
// few hundred, of half a KiB each.
const (
	listName     = "artifacts.json"
	metadataName = "metadata.json"

	maxListBytes     = 16 << 20
	maxMetadataBytes = 1 << 20
	maxEntries       = 20_000
	maxDepth         = 32
)

// The types of goreleaser's entries that a release consists of, as the list spells
// them. "Binary" is also what a build has left: what is published of these has the
// format "binary".
const (
	typeArchive   = "Archive"
	typePackage   = "Linux Package"
	typeBinary    = "Binary"
	typeChecksum  = "Checksum"
	typeSignature = "Signature"
	typeSBOM      = "SBOM"
	typeSource    = "Source"
	typeMetadata  = "Metadata"
)

// unreleased are types that goreleaser publishes and no manifest can describe, or
// no consumer could judge by. Whoever drafts is told of each.
var unreleased = []string{"File", "Certificate", "Snap", "Flatpak", "Makeself Package", "Source RPM", "Chocolatey", "Wheel", "Source Dist"}

// entry is one thing that goreleaser made.
type entry struct {
	Name      string          `json:"name"`
	Path      string          `json:"path"`
	Goos      string          `json:"goos"`
	Goarch    string          `json:"goarch"`
	Goamd64   string          `json:"goamd64"`
	Go386     string          `json:"go386"`
	Goarm     string          `json:"goarm"`
	Goarm64   string          `json:"goarm64"`
	Gomips    string          `json:"gomips"`
	Goppc64   string          `json:"goppc64"`
	Goriscv64 string          `json:"goriscv64"`
	Type      string          `json:"type"`
	Extra     json.RawMessage `json:"extra"`

	local string // in the folder
	more  extra
}

// extra is what the list says beside, of the types that are read here.
type extra struct {
	Format    string   `json:"Format"`
	WrappedIn string   `json:"WrappedIn"`
	Binaries  []string `json:"Binaries"`
	Binary    string   `json:"Binary"`
	Checksum  string   `json:"Checksum"` // ALGORITHM:HEX
}

// metadata is what goreleaser says of the build as a whole.
type metadata struct {
	ProjectName string    `json:"project_name"`
	Tag         string    `json:"tag"`
	Version     string    `json:"version"`
	Commit      string    `json:"commit"`
	Date        time.Time `json:"date"` // when the build was begun
}

// readMetadata reads metadata.json.
func (d *dist) readMetadata() (metadata, error) {
	var m metadata
	data, err := d.read(metadataName, maxMetadataBytes)
	if err != nil {
		return m, err
	}
	return m, decodeForeign(metadataName, data, data, &m)
}

// readList reads artifacts.json, and finds out how its paths begin. What no
// release holds is passed over.
func (d *dist) readList() ([]entry, error) {
	data, err := d.read(listName, maxListBytes)
	if err != nil {
		return nil, err
	}
	// The screen takes objects.
	object := slices.Concat([]byte(`{"list":`), data, []byte(`}`))
	var list []entry
	if err := decodeForeign(listName, object, data, &list); err != nil {
		return nil, err
	}
	if len(list) > maxEntries {
		return nil, fmt.Errorf("%w: %s: expected at most %d entries, found %d", ErrDist, listName, maxEntries, len(list))
	}
	at := slices.IndexFunc(list, func(e entry) bool { return e.Type == typeMetadata && e.Name == metadataName })
	if at < 0 {
		return nil, fmt.Errorf("%w: %s: expected an entry for %s, found none: this is for the list of goreleaser v2", ErrDist, listName, metadataName)
	}
	d.prefix = prefixOf(list[at].Path)
	var taken []entry
	for _, e := range list {
		ok, err := e.read(d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", listName, err)
		}
		switch {
		case ok:
			taken = append(taken, e)
		case slices.Contains(unreleased, e.Type):
			d.left = append(d.left, LeftOut{Name: plainName(e.Name), Type: e.Type, Why: "a manifest has no place for this type"})
		}
	}
	return taken, nil
}

// plainName is a name that nothing has looked at, fit for a message.
func plainName(name string) string {
	if artifact.ValidFileName(name) != nil {
		return quote(name)
	}
	return name
}

// prefixOf is what stands before the name of metadata.json: "dist/", or nothing.
func prefixOf(listed string) string {
	dir := path.Dir(strings.ReplaceAll(listed, `\`, "/"))
	if dir == "." {
		return ""
	}
	return strings.TrimSuffix(dir, "/") + "/"
}

// decodeForeign decodes what another program wrote; object is what is screened of it.
func decodeForeign(name string, object, data []byte, into any) error {
	limits := strictjson.Limits{Bytes: maxListBytes + 16, Depth: maxDepth, AllowNull: true}
	err := strictjson.Screen(object, limits)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDist, name, err)
	}
	return nil
}

// read completes an entry of a type that a release consists of; others are not ok.
func (e *entry) read(d *dist) (ok bool, err error) {
	if !slices.Contains([]string{typeArchive, typePackage, typeBinary, typeChecksum, typeSignature, typeSBOM, typeSource}, e.Type) {
		return false, nil
	}
	if extra := bytes.TrimSpace(e.Extra); len(extra) > 0 {
		if err := json.Unmarshal(extra, &e.more); err != nil {
			return false, fmt.Errorf("%w: extra of %s: %w", ErrDist, quote(e.Name), err)
		}
	}
	if e.Type == typeBinary && e.more.Format != "binary" {
		return false, nil
	}
	// A signature's name is a template's; as a file it has one of its own.
	if e.Type == typeSignature || e.Type == typeSBOM {
		e.Name = path.Base(strings.ReplaceAll(e.Path, `\`, "/"))
	}
	if err := artifact.ValidFileName(e.Name); err != nil {
		return false, fmt.Errorf("%w: %w", ErrDist, err)
	}
	e.local, err = d.inside(e.Path)
	return err == nil, err
}

// isArtifact reports whether an entry is something to install.
func (e entry) isArtifact() bool {
	return e.Type == typeArchive || e.Type == typePackage || e.Type == typeBinary
}

// platform is what an entry runs on. The least level of an architecture, which every
// machine of it has, is no variant.
func (e entry) platform() (artifact.Platform, error) {
	p := artifact.Platform{OS: e.Goos, Arch: e.Goarch}
	if p.Arch == "all" { // a program for several architectures of macOS
		p.Arch = artifact.Any
	}
	level, least := "", ""
	switch p.Arch {
	case "amd64":
		level, least = e.Goamd64, "v1"
	case "386":
		level, least = e.Go386, "sse2"
	case "arm64":
		level, least = e.Goarm64, "v8.0"
	case "mips", "mipsle", "mips64", "mips64le":
		level, least = e.Gomips, "hardfloat"
	case "ppc64", "ppc64le":
		level, least = e.Goppc64, "power8"
	case "riscv64":
		level, least = e.Goriscv64, "rva20u64"
	case "arm":
		if e.Goarm != "" {
			level = "v" + e.Goarm
		}
	}
	if level != least {
		p.Variant = level
	}
	if _, err := artifact.ParsePlatform(p.String()); err != nil {
		return p, fmt.Errorf("%w: %s: %s: %w", ErrDist, listName, quote(e.Name), err)
	}
	return p, nil
}
