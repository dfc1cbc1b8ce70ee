package stricttoml

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Key is one key that a document sets. Its value may be false or empty all the
// same; that it was set is what counts.
type Key struct {
	// Path is dotted. A part that is an index into an array of tables is a
	// number from 0, as in "mirror.0.url"; parts are not quoted.
	Path string
	// Parts are the parts of Path.
	Parts []string
	// Line and Column are where the key stands, from 1.
	Line, Column int
}

// maxKeys bounds what Defined returns, and maxParts how deep a key may lie: each
// part costs as much again as all before it, here and where keys are looked up.
const (
	maxKeys  = 20_000
	maxParts = 64
)

// Defined lists the keys with values that a document sets, in its order, those
// of inline tables in place of the key that holds these, and the headers of tables
// not. The error is an
// *Error that wraps ErrSyntax; the document need not have passed Decode, but
// what only Decode notices, such as a key set twice, is no error here. Keys of more
// than 64 parts are one.
func Defined(name string, data []byte) ([]Key, error) {
	if err := checkSize(name, data); err != nil {
		return nil, err
	}
	d := &definer{arrays: map[string]int{}, line: 1}
	d.parser.Reset(data)
	if err := guard(d.run); err != nil {
		e := &Error{File: name, Reason: reason(err), kind: ErrSyntax}
		var fault *unstable.ParserError
		if errors.As(err, &fault) {
			e.Reason = fault.Message
			e.Line, e.Column = position(data, fault.Highlight)
		}
		return nil, e
	}
	return d.keys, nil
}

type definer struct {
	parser unstable.Parser
	arrays map[string]int // per array of tables, by path: how many were met
	table  []string
	keys   []Key

	// How far lines are counted. Keys come in the order of the document, so
	// that it is read once; the library's own count starts anew for each.
	offset, lineStart, line int
}

func (d *definer) advance(offset int) {
	passed := d.parser.Data()[d.offset:offset]
	d.line += bytes.Count(passed, []byte("\n"))
	if last := bytes.LastIndexByte(passed, '\n'); last >= 0 {
		d.lineStart = d.offset + last + 1
	}
	d.offset = offset
}

func (d *definer) run() error {
	for d.parser.NextExpression() {
		switch node := d.parser.Expression(); node.Kind {
		case unstable.Table:
			parts, _ := d.parts(node)
			if err := checkDepth(parts); err != nil {
				return err
			}
			d.table = d.indexed(parts)
		case unstable.ArrayTable:
			parts, _ := d.parts(node)
			if err := checkDepth(parts); err != nil {
				return err
			}
			path := d.indexed(parts[:len(parts)-1])
			path = append(path, parts[len(parts)-1])
			key := join(path)
			d.table = append(path, fmt.Sprint(d.arrays[key]))
			d.arrays[key]++
		case unstable.KeyValue:
			if err := d.value(d.table, node); err != nil {
				return err
			}
		}
	}
	return d.parser.Error()
}

// indexed adds to a header's path the index of the last table of each array on
// the way.
func (d *definer) indexed(parts []string) []string {
	var path []string
	for _, part := range parts {
		path = append(path, part)
		if n := d.arrays[join(path)]; n > 0 {
			path = append(path, fmt.Sprint(n-1))
		}
	}
	return path
}

// value enters a key, or those of the inline table that is its value.
func (d *definer) value(table []string, node *unstable.Node) error {
	parts, at := d.parts(node)
	path := append(slices.Clone(table), parts...)
	if err := checkDepth(path); err != nil {
		return err
	}
	if found, err := d.tables(path, node.Value()); found || err != nil {
		return err
	}
	if len(d.keys) == maxKeys {
		return fmt.Errorf("expected at most %d keys, found more", maxKeys)
	}
	d.advance(int(at.Offset))
	d.keys = append(d.keys, Key{Path: strings.Join(path, "."), Parts: path, Line: d.line, Column: d.offset - d.lineStart + 1})
	return nil
}

// tables enters the keys of an inline table, or of those in an array, and
// reports whether value is one.
func (d *definer) tables(path []string, value *unstable.Node) (found bool, err error) {
	children := value.Children()
	switch value.Kind {
	case unstable.InlineTable:
		for children.Next() && err == nil {
			err = d.value(path, children.Node())
		}
		return true, err
	case unstable.Array:
		if err := checkDepth(path); err != nil {
			return true, err
		}
		for i := 0; children.Next() && err == nil; i++ {
			var one bool
			one, err = d.tables(append(slices.Clone(path), fmt.Sprint(i)), children.Node())
			found = found || one
		}
	}
	return found, err
}

func checkDepth(path []string) error {
	if len(path) > maxParts {
		return fmt.Errorf("expected at most %d parts in a key, with those around it, found more", maxParts)
	}
	return nil
}

func (d *definer) parts(node *unstable.Node) (parts []string, at unstable.Range) {
	for key := node.Key(); key.Next(); {
		if len(parts) == 0 {
			at = key.Node().Raw
		}
		parts = append(parts, string(key.Node().Data))
	}
	return parts, at
}

// join makes a key for a map that no part can forge.
func join(path []string) string { return strings.Join(path, "\x00") }

// position finds the line and column of part, a piece of data.
func position(data, part []byte) (line, column int) {
	offset := cap(data) - cap(part)
	if offset < 0 || offset > len(data) {
		return 0, 0
	}
	before := string(data[:offset])
	return strings.Count(before, "\n") + 1, offset - strings.LastIndexByte(before, '\n')
}
