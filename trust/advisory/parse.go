package advisory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"assay/internal/strictjson"
)

// MaxBytes is the most bytes of a document. The OSV records of a whole ecosystem
// come to 10 MiB for Go and 60 for Python; what a user watches is far less.
const MaxBytes = 64 << 20

// MaxRecords is the most records or statements of a document, and of a Set.
const MaxRecords = 100_000

// The other limits, far above what documents hold.
const (
	maxDepth    = 64
	maxElements = 100_000 // array elements of one record or statement that are read
	maxID       = 256     // bytes of an id or alias
	maxSummary  = 300     // bytes of a summary or a reason that are kept
)

// Format is a kind of document.
type Format string

// The formats.
const (
	OSV     Format = "OSV"
	OpenVEX Format = "OpenVEX"
)

// Document is the advisories of one file or target, ready for NewSet.
type Document struct {
	Name       string // as given to Parse
	Format     Format
	Records    int       // records or statements, with those that are withdrawn
	Modified   time.Time // of the newest record or statement; zero: not stated
	records    []record
	statements []statement
}

// Parse reads a document; name is what findings and errors call it. The error
// wraps ErrFormat, ErrVersion, ErrMalformed or ErrTooLarge.
func Parse(name string, data []byte) (*Document, error) {
	name = plain(name, maxID)
	if len(data) > MaxBytes {
		return nil, wrong(ErrTooLarge, name, fmt.Sprintf("at most %d bytes", MaxBytes), fmt.Sprint(len(data)))
	}
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	wrapped := len(trimmed) > 0 && trimmed[0] == '['
	if wrapped { // as Screen takes objects
		data = append(append([]byte(`{"vulns":`), data...), '}')
	}
	limits := strictjson.Limits{Bytes: MaxBytes + len(`{"vulns":}`), Depth: maxDepth, AllowNull: true}
	if err := strictjson.Screen(data, limits); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, name, err)
	}
	if wrapped && memberCount(data) > 1 {
		return nil, wrong(ErrMalformed, name, "nothing after the array", "more")
	}
	doc := &Document{Name: name}
	if err := guarded(name, func() error { return doc.read(data) }); err != nil {
		return nil, err
	}
	return doc, nil
}

// guarded makes an error of a panic in code that is not ours and works on bytes
// from outside.
func guarded(name string, read func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = wrong(ErrMalformed, name, "what the decoder takes", "a panic of it: "+quote(fmt.Sprint(r)))
		}
	}()
	return read()
}

// memberCount is the number of an object's members.
func memberCount(object []byte) int {
	members := 0
	for range strictjson.Members(object) {
		members++
	}
	return members
}

// read tells the formats apart by the members that each requires.
func (d *Document) read(data []byte) error {
	head := map[string][]byte{}
	for m := range strictjson.Members(data) {
		if string(m.Value) != "null" {
			head[string(m.Key)] = m.Value
		}
	}
	switch {
	case head["vulns"] != nil:
		return d.readRecords(head["vulns"])
	case head["@context"] != nil:
		return d.readVEX(head)
	case head["id"] != nil && (head["modified"] != nil || head["affected"] != nil):
		return d.addRecord(data, "record")
	case head["predicateType"] != nil, head["payloadType"] != nil:
		return wrong(ErrFormat, d.Name, "OSV records or an OpenVEX document", "an attestation that may hold one")
	}
	return wrong(ErrFormat, d.Name, "OSV records or an OpenVEX document", "other JSON")
}

// readRecords reads an array of OSV records.
func (d *Document) readRecords(array []byte) error {
	if array[0] != '[' {
		return wrong(ErrMalformed, d.Name+": vulns", "an array", quote(string(array)))
	}
	d.Format = OSV
	for element := range strictjson.Elements(array) {
		if err := d.addRecord(element, fmt.Sprintf("vulns[%d]", d.Records)); err != nil {
			return err
		}
	}
	return nil
}

// count counts one more record or statement.
func (d *Document) count(where string, modified time.Time) error {
	if d.Records++; d.Records > MaxRecords {
		return wrong(ErrTooLarge, d.Name+": "+where, fmt.Sprintf("at most %d records", MaxRecords), "more")
	}
	if modified.After(d.Modified) {
		d.Modified = modified
	}
	return nil
}

// decode decodes the members of value that the shape names, and no others.
func (d *Document) decode(value []byte, where string, s shape, into any) error {
	where = d.Name + ": " + where
	if value[0] != '{' {
		return wrong(ErrMalformed, where, "an object", quote(string(value)))
	}
	p := projection{left: maxElements}
	if !p.copy(value, s) {
		return wrong(ErrTooLarge, where, fmt.Sprintf("at most %d elements", maxElements), "more")
	}
	if err := json.Unmarshal(p.out, into); err != nil {
		return fmt.Errorf("%w: %s: expected values that fit: %s", ErrMalformed, where, quote(err.Error()))
	}
	return nil
}

// checkID refuses an identifier that is none or can't be shown.
func (d *Document) checkID(id, where string) error {
	fits := id != "" && len(id) <= maxID
	for _, r := range id {
		fits = fits && unicode.IsGraphic(r)
	}
	if !fits {
		return wrong(ErrMalformed, d.Name+": "+where, fmt.Sprintf("an identifier of at most %d printable bytes", maxID), quote(id))
	}
	return nil
}

// checkIDs checks aliases, and drops the empty ones, which null leaves.
func (d *Document) checkIDs(ids []string, where string) ([]string, error) {
	var kept []string
	for _, id := range ids {
		if id == "" {
			continue
		}
		if err := d.checkID(id, where); err != nil {
			return nil, err
		}
		kept = append(kept, id)
	}
	return kept, nil
}

// plain makes text fit for one line of at most limit bytes.
func plain(text string, limit int) string {
	more := len(text) > 2*limit
	if more {
		text = text[:2*limit] // no need to look through all of it
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > limit {
		text, more = strings.ToValidUTF8(text[:limit], ""), true
	}
	if more {
		text += "…"
	}
	return text
}

// parseTime reads a time as RFC 3339; it is zero where the text is none.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
