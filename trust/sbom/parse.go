package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/internal/strictjson"
)

// MaxBytes is the most bytes of a document. To read one takes up to eight times
// its size in memory. Those of whole operating system images, which list every
// file, come to 20 MiB and sometimes more; those of the programs that assay
// installs stay under 2.
const MaxBytes = 24 << 20

// MaxComponents is the most components of a document. A large distribution image lists about 5,000.
const MaxComponents = 100_000

// The other limits. They are far above what documents hold, and keep the memory
// that a hostile one costs to a small multiple of its length.
const (
	maxDepth      = 64       // of the JSON; CycloneDX nests by components within components
	maxText       = 4096     // bytes of a name, a version or a purl
	maxLicense    = 64 << 10 // bytes of a licence expression; those of a whole kernel package come to 8 KiB
	maxReferences = 10_000   // external references or licences of one component
	maxTools      = 100      // tools listed; more are left out
)

// Parse reads a bill of materials. The error wraps ErrFormat, ErrVersion,
// ErrMalformed or ErrTooLarge.
func Parse(data []byte) (*Document, error) {
	limits := strictjson.Limits{Bytes: MaxBytes, Depth: maxDepth, AllowNull: true}
	if err := strictjson.Screen(data, limits); err != nil {
		if errors.Is(err, strictjson.ErrTooLarge) {
			return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	doc, err := guarded(ErrMalformed, func() (*Document, error) { return parseScreened(data) })
	if err != nil {
		return nil, err
	}
	doc.finish()
	return doc, nil
}

// guarded makes an error of a panic in code that is not ours and works on bytes
// from outside.
func guarded[T any](sentinel error, read func() (T, error)) (value T, err error) {
	defer func() {
		if r := recover(); r != nil {
			var zero T
			value, err = zero, fmt.Errorf("%w: a panic of the decoder: %s", sentinel, quote(fmt.Sprint(r)))
		}
	}()
	return read()
}

// parseScreened tells the formats apart by the member that each requires.
func parseScreened(data []byte) (*Document, error) {
	head := members(data)
	switch spdx, cyclone := head["spdxVersion"], head["bomFormat"]; {
	case spdx != nil && cyclone != nil:
		return nil, wrong(ErrFormat, "", "either spdxVersion or bomFormat", "both")
	case spdx != nil:
		return parseSPDX(head)
	case cyclone != nil:
		return parseCycloneDX(head)
	case bytes.Contains(head["@context"], []byte("spdx.org/rdf/3")):
		return nil, wrong(ErrVersion, "", "SPDX 2.2 or 2.3 in JSON", "SPDX 3")
	case head["predicateType"] != nil, head["payloadType"] != nil:
		return nil, wrong(ErrFormat, "", "an SPDX or CycloneDX document in JSON", "an attestation that may hold one")
	}
	return nil, wrong(ErrFormat, "", "an SPDX or CycloneDX document in JSON", "JSON with neither spdxVersion nor bomFormat")
}

// predicateTypes are the types of the in-toto predicates that hold a document.
// Both are used with and without a version behind them, like /v2.3.
var predicateTypes = []struct {
	prefix string
	format Format
}{
	{"https://spdx.dev/Document", SPDX},
	{"https://cyclonedx.org/bom", CycloneDX},
}

// PredicateFormat says which format a predicate of the given in-toto type has;
// it is empty where the type is of something else.
func PredicateFormat(predicateType string) Format {
	for _, known := range predicateTypes {
		rest, ok := strings.CutPrefix(predicateType, known.prefix)
		if ok && (rest == "" || rest[0] == '/' || rest[0] == '-') {
			return known.format
		}
	}
	return ""
}

// ParsePredicate reads the predicate of an in-toto statement of the given type.
// The error wraps ErrPredicate where the type is of something else, ErrFormat
// where the predicate has another format than the type says, or what Parse
// returns.
func ParsePredicate(predicateType string, predicate []byte) (*Document, error) {
	format := PredicateFormat(predicateType)
	if format == "" {
		return nil, wrong(ErrPredicate, "", "predicate type https://spdx.dev/Document or https://cyclonedx.org/bom", quote(predicateType))
	}
	doc, err := Parse(predicate)
	if err != nil {
		return nil, err
	}
	if doc.Format != format {
		return nil, wrong(ErrFormat, "", string(format)+" as the predicate type says", string(doc.Format))
	}
	return doc, nil
}

// members gives the values of an object's members by their names; those that
// are null are left out, as null means absent.
func members(object []byte) map[string][]byte {
	found := map[string][]byte{}
	for m := range strictjson.Members(object) {
		if !isNull(m.Value) {
			found[string(m.Key)] = m.Value
		}
	}
	return found
}

func isNull(value []byte) bool { return string(value) == "null" }

// decodePicked decodes the named members of object, and no others, into what
// into points to. So a library's decoder sees only what is used: it neither
// builds nor refuses the rest, and it cannot take a key in other letters for
// the one that is meant.
func decodePicked(object []byte, where string, into any, names ...string) error {
	if object[0] != '{' {
		return wrong(ErrMalformed, where, "an object", quote(string(object)))
	}
	picked := []byte{'{'}
	for m := range strictjson.Members(object) {
		if isNull(m.Value) || !contains(names, m.Key) {
			continue
		}
		if len(picked) > 1 {
			picked = append(picked, ',')
		}
		picked = append(picked, '"')
		picked = append(picked, m.Key...) // one of names, which need no escapes
		picked = append(picked, `":`...)
		picked = append(picked, m.Value...)
	}
	return decode(append(picked, '}'), where, into)
}

func contains(names []string, key []byte) bool {
	for _, name := range names {
		if string(key) == name {
			return true
		}
	}
	return false
}

// decode decodes one value; nil is absent and leaves into as it is.
func decode(value []byte, where string, into any) error {
	if value == nil {
		return nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("%w: %s: expected a value that fits: %s", ErrMalformed, where, quote(err.Error()))
	}
	return nil
}

// checkArray refuses what is no array, or one of more than limit elements; nil
// is an empty one.
func checkArray(value []byte, where string, limit int) error {
	if value == nil {
		return nil
	}
	if value[0] != '[' {
		return wrong(ErrMalformed, where, "an array", quote(string(value)))
	}
	count := 0
	for range strictjson.Elements(value) {
		if count++; count > limit {
			return wrong(ErrTooLarge, where, fmt.Sprintf("at most %d", limit), "more")
		}
	}
	return nil
}

// checkText bounds a name, a version or a purl, and refuses what a terminal
// might act upon.
func checkText(text, where string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxText {
		return "", wrong(ErrTooLarge, where, fmt.Sprintf("at most %d bytes", maxText), fmt.Sprint(len(text)))
	}
	for _, r := range text {
		if !unicode.IsGraphic(r) || r == utf8.RuneError {
			return "", wrong(ErrMalformed, where, "printable text", quote(text))
		}
	}
	return text, nil
}

// plain makes text fit for one line: what is not printable becomes a space, and
// no more than one stands together.
func plain(text string) string {
	mapped := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(mapped), " ")
}

// check bounds the texts of a component, in place.
func (c *Component) check(where string) (err error) {
	if c.Name, err = checkText(c.Name, where+".name"); err != nil {
		return err
	}
	if c.Name == "" {
		return wrong(ErrMalformed, where+".name", "a name", "none")
	}
	if c.Version, err = checkText(c.Version, where+".version"); err != nil {
		return err
	}
	if c.PURL, err = checkText(c.PURL, where+".purl"); err != nil {
		return err
	}
	if c.License = plain(c.License); len(c.License) > maxLicense {
		return wrong(ErrTooLarge, where+".license", fmt.Sprintf("at most %d bytes", maxLicense), fmt.Sprint(len(c.License)))
	}
	return nil
}
