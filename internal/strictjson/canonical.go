package strictjson

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// longest is the size, in bytes, of the longest document: offsets within it fit
// 32 bits, which is what the bookkeeping for a million keys is made of.
const longest = math.MaxInt32

// Canonical gives the canonical form (OLPC canonical JSON, as section 4.2 of the
// TUF specification 1.0 uses it) of value, which must be a document that Screen
// has passed, or a value within one. In that form there is no white space, the
// members of an object are sorted by their unescaped keys as UTF-8 bytes, a
// string has its quotes and backslashes escaped and every other character raw
// (so that it may be no JSON any more: a line feed stands as it is), and a number
// is whole, without an exponent, and not -0.
//
// Where value already is canonical, the result is value itself, without the
// white space around it, and nothing is allocated that grows with value.
// Otherwise the result is a new slice of at most len(value) bytes, and the work
// needs four bytes for each key of the objects that are open at one moment, and
// for each object whose members are out of order twelve, and four for each of
// its members (eight more while they are sorted). Its time grows with len(value)
// and, for members out of order, as sorting does. A key that is repeated, which
// Screen refuses, stays as often as it was, in the order of the document.
//
// The error is an *Error with Path and Offset counted within value: ErrNumber for
// a number that canonical JSON does not have, and for what Screen would not have
// passed ErrTooLarge, ErrTooDeep or ErrSyntax. Not all of that is noticed.
func Canonical(value []byte) ([]byte, error) { return canonical(value, longest) }

// canonical is Canonical for values of at most limit bytes.
func canonical(value []byte, limit int) ([]byte, error) {
	s := survey{text: value}
	if len(value) > limit {
		return nil, s.fail(limit, ErrTooLarge, fmt.Sprintf("at most %d bytes", limit), fmt.Sprint(len(value)))
	}
	trimmed := bytes.Trim(value, " \t\r\n")
	if (&survey{text: trimmed, strict: true}).run() == nil {
		return slices.Clip(trimmed), nil
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	w := writer{text: value, plan: s.finish(), out: make([]byte, 0, len(value))}
	w.value(skipSpace(value, 0))
	return w.out, nil
}

// writer writes the canonical form of a text that a survey has passed; so
// nothing in it can fail, and every offset it meets is one that the survey met.
//
// It never writes more than it reads, which is why one buffer of the length of
// the text is enough: brackets, commas, colons, names and numbers are copied one
// for one, as are the raw characters of a string, and an escape becomes shorter
// or stays as long: two bytes (\n, \/) give one or, for a quote or a backslash,
// the same two; the six of \u00e9 give at most three of UTF-8, and the twelve of
// a surrogate pair give four.
type writer struct {
	text []byte
	plan plan
	out  []byte
}

// value writes the value at offset at and returns the offset after it. It calls
// itself once a level; the survey has bounded those.
func (w *writer) value(at int) int {
	switch w.text[at] {
	case '{':
		return w.object(at)
	case '[':
		return w.array(at)
	case '"':
		return w.string(at)
	}
	end := skipValue(w.text, at)
	w.out = append(w.out, w.text[at:end]...)
	return end
}

func (w *writer) object(at int) int {
	w.out = append(w.out, '{')
	end := at + 1
	if order := w.plan.of(at); order != nil {
		for i, start := range order {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			end = max(end, w.member(int(start)))
		}
	} else {
		for member := enter(w.text[at:], '{') + at; member >= at; {
			end = w.member(member)
			if member = next(w.text, end); member >= 0 {
				w.out = append(w.out, ',')
			}
		}
	}
	w.out = append(w.out, '}')
	return skipSpace(w.text, end) + 1
}

// member writes the member whose key is at offset at, and returns its end.
func (w *writer) member(at int) int {
	colon := skipSpace(w.text, w.string(at))
	w.out = append(w.out, ':')
	return w.value(skipSpace(w.text, colon+1))
}

func (w *writer) array(at int) int {
	w.out = append(w.out, '[')
	end := at + 1
	for element := enter(w.text[at:], '[') + at; element >= at; {
		end = w.value(element)
		if element = next(w.text, end); element >= 0 {
			w.out = append(w.out, ',')
		}
	}
	w.out = append(w.out, ']')
	return skipSpace(w.text, end) + 1
}

func (w *writer) string(at int) int {
	end, escaped := skipString(w.text, at)
	if !escaped {
		w.out = append(w.out, w.text[at:end]...)
		return end
	}
	w.out = append(w.out, '"')
	w.out = appendUnescaped(w.out, w.text[at+1:end-1], true)
	w.out = append(w.out, '"')
	return end
}
