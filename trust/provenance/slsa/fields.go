package slsa

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"assay/internal/strictjson"
)

// Bounds of what is read.
const (
	// MaxBytes is the most bytes of a predicate. The largest that platforms write
	// carry the event that started the build, and come to a few hundred KiB.
	MaxBytes = 4 << 20
	// MaxParameters is the most bytes of Parameters that are kept.
	MaxParameters = 64 << 10

	maxDepth     = 64      // an event of GitHub, which v0.2 has within environment, has about ten
	maxText      = 4 << 10 // bytes of one text that is kept
	maxMaterials = 8192
	maxDigests   = 16 // of one material
)

// fields reads an object by the exact names of its members, as encoding/json
// would also fill a struct from names in another case. The first problem is kept
// in failure, which all parts of a document share; what is wrong reads as empty. A
// null counts as absent: platforms write it for an empty map.
type fields struct {
	path    string
	members map[string]json.RawMessage
	failure *failure
}

type failure struct{ first *Error }

func (f *failure) set(e *Error) {
	if f.first == nil {
		f.first = e
	}
}

func (f fields) at(name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

// raw is the member's text, nil where it is absent.
func (f fields) raw(name string) json.RawMessage {
	raw := f.members[name]
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// object reads a member that must be an object if it is there.
func (f fields) object(name string) fields {
	inner := fields{path: f.at(name), failure: f.failure}
	if raw := f.raw(name); raw != nil {
		inner.members = f.membersOf(inner.path, raw)
	}
	return inner
}

// maybeObject is object for a member that may also be something else; then it is
// empty.
func (f fields) maybeObject(name string) fields {
	if raw := f.raw(name); raw == nil || raw[0] != '{' {
		return fields{failure: f.failure}
	}
	return f.object(name)
}

func (f fields) membersOf(path string, raw json.RawMessage) map[string]json.RawMessage {
	if raw[0] != '{' {
		f.failure.set(malformed(path, "an object", describe(raw)))
		return nil
	}
	return membersIn(raw)
}

// membersIn gathers the members of an object that was screened, by their names.
func membersIn(object []byte) map[string]json.RawMessage {
	members := map[string]json.RawMessage{}
	for m := range strictjson.Members(object) {
		members[string(m.Key)] = m.Value
	}
	return members
}

// elements reads a member that must be an array if it is there.
func (f fields) elements(name string, most int) []json.RawMessage {
	raw := f.raw(name)
	if raw == nil {
		return nil
	}
	if raw[0] != '[' {
		f.failure.set(malformed(f.at(name), "an array", describe(raw)))
		return nil
	}
	var elements []json.RawMessage
	for element := range strictjson.Elements(raw) {
		if len(elements) == most {
			f.failure.set(&Error{Field: f.at(name), Expected: fmt.Sprintf("at most %d elements", most), Found: "more", Err: ErrTooLarge})
			return nil
		}
		elements = append(elements, element)
	}
	return elements
}

// list reads a member that must be an array of objects if it is there.
func (f fields) list(name string, most int) []fields {
	var list []fields
	for i, element := range f.elements(name, most) {
		path := fmt.Sprintf("%s[%d]", f.at(name), i)
		list = append(list, fields{path: path, members: f.membersOf(path, element), failure: f.failure})
	}
	return list
}

// text reads a member that must be a string if it is there.
func (f fields) text(name string) string {
	raw := f.raw(name)
	if raw == nil {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		f.failure.set(malformed(f.at(name), "a text", describe(raw)))
		return ""
	}
	return f.bounded(f.at(name), text)
}

// maybeText is text for a member that may also be something else.
func (f fields) maybeText(name string) string {
	if raw := f.raw(name); raw == nil || raw[0] != '"' {
		return ""
	}
	return f.text(name)
}

// need is text for a member that must be there.
func (f fields) need(name string) string {
	text := f.text(name)
	if text == "" {
		f.failure.set(malformed(f.at(name), "a text", "none"))
	}
	return text
}

// firstText is the first of several spellings of a member that is there.
func (f fields) firstText(names ...string) string {
	for _, name := range names {
		if text := f.text(name); text != "" {
			return text
		}
	}
	return ""
}

// bounded passes text that is short and fit to be printed.
func (f fields) bounded(path, text string) string {
	if len(text) > maxText {
		f.failure.set(&Error{
			Field: path, Expected: fmt.Sprintf("at most %d bytes of text", maxText), Found: fmt.Sprint(len(text)), Err: ErrTooLarge,
		})
		return ""
	}
	if strings.ContainsFunc(text, isUnprintable) {
		f.failure.set(malformed(path, "printable text", quote(text)))
		return ""
	}
	return text
}

// time reads a member that must be a time of RFC 3339 if it is there.
func (f fields) time(name string) time.Time {
	text := f.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	// An offset may lead out of the years that can be written again.
	if err != nil || t.UTC().Year() < 0 || t.UTC().Year() > 9999 {
		f.failure.set(malformed(f.at(name), "a time of RFC 3339", quote(text)))
		return time.Time{}
	}
	return t.UTC()
}

// digests reads a member that must be an object of texts if it is there.
func (f fields) digests(name string) map[string]string { return f.object(name).digestSet() }

// digestSet reads an object of texts.
func (f fields) digestSet() map[string]string {
	if len(f.members) > maxDigests {
		f.failure.set(&Error{
			Field: f.path, Expected: fmt.Sprintf("at most %d digests", maxDigests), Found: fmt.Sprint(len(f.members)), Err: ErrTooLarge,
		})
		return nil
	}
	found := make(map[string]string, len(f.members))
	for _, algorithm := range slices.Sorted(maps.Keys(f.members)) {
		f.bounded(f.path, algorithm)
		if value := f.text(algorithm); value != "" {
			found[algorithm] = value
		}
	}
	return found
}

// describe says what stands where something else was expected.
func describe(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a text"
	}
	return quote(string(raw))
}

// isUnprintable holds control characters and, beyond them, the ones that turn
// the direction of text.
func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }

// printable is raw, a JSON value, without white space between its parts and with
// every character escaped that is not fit to be printed. Those stand in texts
// alone, and never after a backslash, so that the value stays the same. Escaped
// are also the characters that encoding/json escapes when it writes a RawMessage,
// so that a Provenance comes back from JSON byte for byte. Of nothing it is nil.
func printable(raw json.RawMessage) json.RawMessage {
	var compact, out bytes.Buffer
	_ = json.Compact(&compact, raw) // an error, for nothing, leaves nothing
	json.HTMLEscape(&out, compact.Bytes())
	if !bytes.ContainsFunc(out.Bytes(), isUnprintable) {
		return out.Bytes()
	}
	escaped := make([]byte, 0, out.Len()+64)
	for _, r := range out.String() {
		switch {
		case !isUnprintable(r):
			escaped = append(escaped, string(r)...)
		case r > 0xffff:
			r -= 0x10000
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return escaped
}
