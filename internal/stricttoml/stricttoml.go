// Package stricttoml reads TOML documents and refuses what they don't define:
// a misspelt key is an error that names the file, the line, the column, the key
// and the one that was probably meant. It is the only user of the TOML library.
//
// Guarantees: a document is bounded before it is parsed, a panic in the parser
// becomes an error, and every error about a document is an *Error.
//
// Not guaranteed: that values make sense; that is for the caller to check, who
// finds the lines of keys by Defined.
package stricttoml

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// MaxSize is the longest document that is read, in bytes.
const MaxSize = 1 << 20

// The sentinels that an *Error wraps.
var (
	// ErrUnknownKey: a key that the document's definition does not have.
	ErrUnknownKey = errors.New("unknown key")
	// ErrSyntax: not TOML, a value of the wrong type, or too large.
	ErrSyntax = errors.New("not a valid document")
)

// Error is what is wrong with a document, and where. Line and Column count from
// 1 and are 0 where the fault is of the whole document.
type Error struct {
	File   string
	Line   int
	Column int
	Key    string   // dotted, empty where the fault is not one of a key
	Near   string   // the nearest known key in the same table, if one is near
	Known  []string // for an unknown key, all that its table knows, sorted
	Reason string   // for ErrSyntax, what was expected and found
	kind   error
}

// Error is one line: FILE:LINE:COLUMN: what is wrong.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&text, ":%d:%d", e.Line, e.Column)
	}
	fmt.Fprintf(&text, ": %v", e.kind)
	if e.Key != "" {
		fmt.Fprintf(&text, " %q", clip(e.Key))
	}
	switch {
	case e.Reason != "":
		fmt.Fprintf(&text, ": %s", clip(e.Reason))
	case e.Near != "":
		fmt.Fprintf(&text, "; did you mean %q?", e.Near)
	case len(e.Known) > 0:
		fmt.Fprintf(&text, "; known here: %s", clip(strings.Join(e.Known, ", ")))
	}
	return text.String()
}

// Unwrap makes the error an ErrUnknownKey or an ErrSyntax.
func (e *Error) Unwrap() error { return e.kind }

// Decode reads a document into the struct or map that into points to; name is
// the file's, for errors. Of several faults the first is returned. What into
// holds after an error is not defined.
func Decode(name string, data []byte, into any) error {
	if err := checkSize(name, data); err != nil {
		return err
	}
	decoder := toml.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := guard(func() error { return decoder.Decode(into) })
	var missing *toml.StrictMissingError
	var fault *toml.DecodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing) && len(missing.Errors) > 0:
		return unknown(name, data, &missing.Errors[0], reflect.TypeOf(into))
	case errors.As(err, &fault):
		line, column := fault.Position()
		return &Error{File: name, Line: line, Column: column, Key: strings.Join(fault.Key(), "."), Reason: reason(fault), kind: ErrSyntax}
	default:
		return &Error{File: name, Reason: reason(err), kind: ErrSyntax}
	}
}

func checkSize(name string, data []byte) error {
	if len(data) <= MaxSize {
		return nil
	}
	return &Error{File: name, Reason: fmt.Sprintf("expected at most %d bytes, found %d", MaxSize, len(data)), kind: ErrSyntax}
}

func guard(parse func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("the parser panicked: %.100v", value)
		}
	}()
	return parse()
}

func reason(err error) string { return strings.TrimPrefix(err.Error(), "toml: ") }

func unknown(name string, data []byte, fault *toml.DecodeError, into reflect.Type) *Error {
	line, column := fault.Position()
	e := &Error{File: name, Line: line, Column: column, kind: ErrUnknownKey}
	key := []string(fault.Key())
	// Inside an inline table the library leaves out where that table is.
	if keys, err := Defined(name, data); err == nil {
		for _, k := range keys {
			if k.Line == line && k.Column == column {
				key = withoutIndexes(k.Parts, into)
			}
		}
	}
	e.Key = strings.Join(key, ".")
	// The table of the first part that has no field is the one to suggest from.
	table := into
	for i, part := range key {
		next, known := field(table, part)
		if next == nil {
			e.Known = known
			if near := nearest(part, known); near != "" {
				e.Near = strings.Join(append(slices.Clone(key[:i]), near), ".")
			}
			break
		}
		table = next
	}
	return e
}

// withoutIndexes leaves out the parts of a path that count tables in an array,
// as a person who reads the document does.
func withoutIndexes(parts []string, table reflect.Type) (path []string) {
	for i, part := range parts {
		if table == nil {
			return append(path, parts[i:]...)
		}
		for table.Kind() == reflect.Pointer {
			table = table.Elem()
		}
		if table.Kind() == reflect.Slice || table.Kind() == reflect.Array {
			table = table.Elem()
			continue
		}
		path = append(path, part)
		table, _ = field(table, part)
	}
	return path
}

// field looks up a key in the type of a table. Without one it returns the keys
// that there are.
func field(table reflect.Type, key string) (found reflect.Type, known []string) {
	table = element(table)
	if table.Kind() == reflect.Map {
		return table.Elem(), nil
	}
	if table.Kind() != reflect.Struct || reflect.PointerTo(table).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil, nil
	}
	for _, f := range reflect.VisibleFields(table) {
		tag, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		if !f.IsExported() || tag == "-" || f.Anonymous && tag == "" {
			continue
		}
		name := tag
		if name == "" {
			name = f.Name
		}
		// The library matches names in any case.
		if strings.EqualFold(name, key) {
			return f.Type, nil
		}
		known = append(known, name)
	}
	slices.Sort(known)
	return nil, known
}

// element is the type of the tables in t, which may be a pointer or a list.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	return t
}

// nearest is the known key with the fewest edits from key, if these are few for
// its length.
func nearest(key string, known []string) string {
	const longest = 64
	if len(key) > longest {
		return ""
	}
	best, fewest := "", math.MaxInt
	for _, candidate := range known {
		if n := edits(strings.ToLower(key), strings.ToLower(candidate)); n < fewest {
			best, fewest = candidate, n
		}
	}
	if fewest > max(1, len(key)/3) {
		return ""
	}
	return best
}

// edits counts the letters to insert, remove or replace between a and b, where
// two that are swapped count once.
func edits(a, b string) int {
	before, previous := []int(nil), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(previous[j+1]+1, row[j]+1, previous[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, previous = previous, row
	}
	return previous[len(b)]
}

// clip shortens text from outside, so that an error message stays one line.
func clip(s string) string {
	const limit = 200
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
