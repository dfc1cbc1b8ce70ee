package checksums

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/artifact"
	"assay/internal/shown"
)

// Bounds of what Parse takes.
const (
	MaxBytes = 4 << 20
	MaxLines = 1 << 16

	maxName = 4096 // bytes of a listed path
)

// What can be wrong with a list; every error wraps one of them.
var (
	ErrTooLarge  = errors.New("list of checksums too large")
	ErrMalformed = errors.New("not a list of checksums")
	ErrConflict  = errors.New("two different checksums of one file")
	ErrNotListed = errors.New("not in the list of checksums")
)

// Parse reads a whole file of checksums.
func Parse(data []byte) (*List, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrTooLarge, MaxBytes, len(data))
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	list := &List{known: map[key]artifact.Digest{}}
	for number := 1; len(data) > 0; number++ {
		if number > MaxLines {
			return nil, fmt.Errorf("%w: expected at most %d lines, found more", ErrTooLarge, MaxLines)
		}
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		if err := list.line(string(bytes.TrimSuffix(line, []byte("\r")))); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return list, nil
}

// line reads one line, without its end.
func (l *List) line(line string) error {
	if line == "" || line[0] == '#' {
		return nil
	}
	found, err := split(line)
	if err != nil {
		return err
	}
	if err := checkName(found.name); err != nil {
		return err
	}
	if found.algorithm == "" {
		l.skipped++
		return nil
	}
	digest, err := artifact.NewDigest(found.algorithm, found.digits)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return l.add(strip(found.name), digest)
}

// parts are what a line consists of. The algorithm is empty if it is not one
// that is kept.
type parts struct {
	algorithm    artifact.Algorithm
	name, digits string
}

// split tells the forms apart: a line that begins with hex digits, as long as
// those of an algorithm, is of GNU's; else it must have the name in brackets.
func split(line string) (parts, error) {
	rest, escaped := strings.CutPrefix(line, `\`)
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, hexDigits))]
	if algorithm, known := byLength[len(digits)]; known && strings.HasPrefix(rest[len(digits):], " ") {
		name := rest[len(digits)+1:]
		// The second character of GNU's separator; BSD's -r has only one.
		if name != "" && (name[0] == ' ' || name[0] == '*') {
			name = name[1:]
		}
		return unescaped(parts{algorithm, name, digits}, escaped)
	}
	label, behind, _ := strings.Cut(rest, "(")
	end := strings.LastIndexByte(behind, ')')
	if end < 0 {
		return parts{}, malformed("HEX  NAME or ALGORITHM (NAME) = HEX", line)
	}
	label = strings.TrimSuffix(label, " ")
	digits, equals := strings.CutPrefix(strings.TrimPrefix(behind[end+1:], " "), "=")
	digits = strings.TrimPrefix(digits, " ")
	if !equals || !isLabel(label) || digits == "" || strings.Trim(digits, hexDigits) != "" {
		return parts{}, malformed("ALGORITHM (NAME) = HEX", line)
	}
	return unescaped(parts{byLabel[label], behind[:end], digits}, escaped)
}

const hexDigits = "0123456789abcdefABCDEF"

// byLength has the algorithms that GNU's tools write without their name, by the
// number of hex digits; only some are kept.
var byLength = map[int]artifact.Algorithm{
	32:  "", // MD5
	40:  "", // SHA-1
	56:  "", // SHA-224
	64:  artifact.SHA256,
	96:  "", // SHA-384
	128: artifact.SHA512,
}

// byLabel has the names that are kept.
var byLabel = map[string]artifact.Algorithm{
	"SHA256": artifact.SHA256, "SHA2-256": artifact.SHA256,
	"SHA512": artifact.SHA512, "SHA2-512": artifact.SHA512,
}

// isLabel reports whether text looks like the name of an algorithm, such as
// SHA256, BLAKE2b-256 or SHA512/256.
func isLabel(text string) bool {
	if text == "" || len(text) > 16 || text[0] < 'A' || text[0] > 'Z' {
		return false
	}
	for _, c := range []byte(text) {
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '/') {
			return false
		}
	}
	return true
}

// unescaped takes GNU's escapes out of the name. Of the three, only that of the
// backslash is good for a name that can be shown; \n and \r are control characters.
func unescaped(p parts, escaped bool) (parts, error) {
	if !escaped {
		return p, nil
	}
	halves := strings.Split(p.name, `\\`)
	for _, half := range halves {
		if strings.Contains(half, `\`) {
			return parts{}, malformed(`a name with no other escape than \\`, p.name)
		}
	}
	p.name = strings.Join(halves, `\`)
	return p, nil
}

// checkName refuses names that could not be shown.
func checkName(name string) error {
	switch {
	case name == "":
		return malformed("a file name", "")
	case len(name) > maxName:
		return malformed(fmt.Sprintf("a file name of at most %d bytes", maxName), name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, isUnprintable):
		return malformed("a printable file name in UTF-8", name)
	}
	return nil
}

// isUnprintable holds control characters and, beyond them, the ones that turn
// the direction of text.
func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }

func malformed(expected, found string) error {
	return fmt.Errorf("%w: expected %s, found %s", ErrMalformed, expected, quote(found))
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 80) }
