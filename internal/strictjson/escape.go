package strictjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// hex4 reads the digits of the \uXXXX at offset.
func hex4(text []byte, offset int) (rune, bool) {
	if offset+6 > len(text) || text[offset] != '\\' || text[offset+1] != 'u' {
		return 0, false
	}
	var value rune
	for _, c := range text[offset+2 : offset+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		value = value<<4 | rune(c)
	}
	return value, true
}

// unescape resolves the escapes of raw.
func unescape(raw []byte) []byte {
	return appendUnescaped(make([]byte, 0, len(raw)), raw, false)
}

// appendUnescaped appends raw with its escapes resolved; canonical JSON keeps
// those of quotes and backslashes. It never appends more than len(raw) bytes.
// Where the escapes are none that scanner.escape would pass, it appends some
// text or other.
func appendUnescaped(out, raw []byte, canonical bool) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' || i+1 == len(raw) {
			out = append(out, raw[i])
			i++
			continue
		}
		r, size := escaped(raw, i)
		if canonical && (r == '"' || r == '\\') {
			out = append(out, '\\')
		}
		out = utf8.AppendRune(out, r)
		i = min(i+size, len(raw))
	}
	return out
}

// escaped is the character that the escape at offset i of raw stands for, and
// how many bytes the escape has.
func escaped(raw []byte, i int) (rune, int) {
	switch c := raw[i+1]; c {
	case 'u':
		r, _ := hex4(raw, i)
		if utf16.IsSurrogate(r) {
			low, _ := hex4(raw, i+6)
			return utf16.DecodeRune(r, low), 12
		}
		return r, 6
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	default: // a quote, a slash or a backslash
		return rune(c), 2
	}
}
