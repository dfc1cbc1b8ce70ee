package lockfile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"assay/internal/stricttoml"
)

// place is a key or a table of a file that is being read, for messages.
type place struct {
	file  string
	lines map[string]int
	parts []string
}

// linesOf finds the line of each key, and of each table the first of its keys.
func linesOf(keys []stricttoml.Key) map[string]int {
	lines := map[string]int{}
	for _, k := range keys {
		for i := range k.Parts {
			part := key(k.Parts[:i+1]...)
			if line, ok := lines[part]; !ok || k.Line < line {
				lines[part] = k.Line
			}
		}
	}
	return lines
}

// in is the place of a key of the table p.
func (p place) in(key string) place {
	p.parts = append(p.parts[:len(p.parts):len(p.parts)], key)
	return p
}

// nth is the place of one table of the list p.
func (p place) nth(i int) place { return p.in(strconv.Itoa(i)) }

// line is where the key stands; of one that is not there, the table that it should
// be in.
func (p place) line() int {
	for n := len(p.parts); n > 0; n-- {
		if line := p.lines[key(p.parts[:n]...)]; line > 0 {
			return line
		}
	}
	return 0
}

// has reports whether the file sets the key.
func (p place) has() bool { return p.lines[key(p.parts...)] > 0 }

// refuse is an ErrMalformed about the place.
func (p place) refuse(format string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line(), Key: shownKey(p.parts), Kind: ErrMalformed, Detail: fmt.Sprintf(format, args...)}
}

// because is an ErrMalformed about the place with its cause; nil for none.
func (p place) because(err error) error {
	if err == nil {
		return nil
	}
	return &Error{File: p.file, Line: p.line(), Key: shownKey(p.parts), Kind: ErrMalformed, Err: err}
}

// count refuses a list that is too long, or shorter than least.
func (p place) count(n, least, most int) error {
	if n < least || n > most {
		return p.refuse("expected %d to %d, found %d", least, most, n)
	}
	return nil
}

// text refuses what is empty, too long or not fit for a terminal.
func (p place) text(text string, most int) error {
	switch {
	case text == "":
		return p.refuse("expected a text, found none")
	case len(text) > most:
		return p.refuse("expected at most %d bytes, found %d", most, len(text))
	case strings.ContainsFunc(text, isUnprintable):
		return p.refuse("expected printable characters, found %s", quote(text))
	}
	return nil
}

// isUnprintable holds what a terminal acts upon, and what turns the direction of
// text, so that it could show as another one.
func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }

// once refuses a second one of what was seen before, and enters the first.
func (p place) once(seen map[string]int, name, what string) error {
	if line, twice := seen[name]; twice {
		return p.refuse("expected %s once, found it in line %d, too", what, line)
	}
	seen[name] = p.line()
	return nil
}
