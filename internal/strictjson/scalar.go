package strictjson

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads the string whose opening quote is at pos. It returns what is between
// the quotes, and whether escapes are in it.
func (s *scanner) text() (raw []byte, escaped bool, err error) {
	start := s.pos + 1
	for s.pos = plain(s.data, start); s.pos < len(s.data); s.pos = plain(s.data, s.pos) {
		switch c := s.data[s.pos]; {
		case c == '"':
			raw = s.data[start:s.pos]
			s.pos++
			return raw, escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return nil, false, err
			}
			s.pos++
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(s.data[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return nil, false, s.fail(s.pos, ErrSyntax, "UTF-8", fmt.Sprintf("the byte %#02x", c))
			}
			s.pos += size
		default:
			return nil, false, s.fail(s.pos, ErrSyntax, "an escape for a control character", s.found(s.pos))
		}
	}
	return nil, false, s.fail(s.pos, ErrSyntax, "the end of a string", s.found(s.pos))
}

// plain is the offset of the first byte from at on that ends a string or needs a
// look in it: a quote, a backslash, a control character, a part of a character
// beyond ASCII. It takes eight bytes at a time, most of a document being text.
func plain(text []byte, at int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	for ; at+8 <= len(text); at += 8 {
		word := binary.LittleEndian.Uint64(text[at:])
		// Taking n from a byte below 0x80 sets its high bit if it is smaller than
		// n. A byte beyond ASCII keeps its high bit in at least one of the three. A
		// borrow reaches only bytes behind one that is found, and the first counts.
		quote, slash := word^('"'*ones), word^('\\'*ones)
		if found := ((word - ' '*ones) | (quote - ones) | (slash - ones)) & highs; found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(text) && text[at] >= ' ' && text[at] < utf8.RuneSelf && text[at] != '"' && text[at] != '\\' {
		at++
	}
	return at
}

// escape checks the escape whose backslash is at pos and stops on its last byte.
// Half a surrogate pair is refused: encoding/json would put U+FFFD in its place,
// and other readers something else.
func (s *scanner) escape() error {
	start := s.pos
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		first, ok := hex4(s.data, start)
		if !ok {
			return s.fail(start, ErrSyntax, `four hex digits after \u`, s.found(min(start+2, len(s.data))))
		}
		s.pos = start + 5
		if !utf16.IsSurrogate(first) {
			return nil
		}
		second, ok := hex4(s.data, start+6)
		if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
			return s.fail(start, ErrSyntax, "a whole surrogate pair", "half of one")
		}
		s.pos = start + 11
		return nil
	}
	return s.fail(start, ErrSyntax, "an escape that JSON knows", `"\\" before `+s.found(s.pos))
}

// number reads the number at pos. One beyond float64 is refused, as
// encoding/json refuses to decode it into any.
func (s *scanner) number() error {
	start, exponent := s.pos, false
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if s.digits() == 0 {
		return s.fail(s.pos, ErrSyntax, "a digit", s.found(s.pos))
	}
	if s.peek() == '.' {
		s.pos++
		if s.digits() == 0 {
			return s.fail(s.pos, ErrSyntax, "a digit after the point", s.found(s.pos))
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		exponent = true
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits() == 0 {
			return s.fail(s.pos, ErrSyntax, "a digit in the exponent", s.found(s.pos))
		}
	}
	// Without an exponent, up to 300 characters stay below 1e308.
	if text := s.data[start:s.pos]; exponent || len(text) > 300 {
		if _, err := strconv.ParseFloat(string(text), 64); err != nil {
			return s.fail(start, ErrSyntax, "a number within float64", quote(text))
		}
	}
	return nil
}

// digits skips decimal digits and counts them.
func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

// word reads one of the literal names.
func (s *scanner) word(name string) error {
	if end := s.pos + len(name); end <= len(s.data) && string(s.data[s.pos:end]) == name {
		s.pos = end
		return nil
	}
	return s.fail(s.pos, ErrSyntax, name, s.found(s.pos))
}
