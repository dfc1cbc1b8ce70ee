package strictjson

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The reasons for which Screen and Canonical refuse; each *Error wraps one of them.
var (
	ErrTooLarge  = errors.New("document too large")
	ErrTooDeep   = errors.New("nested too deeply")
	ErrDuplicate = errors.New("key repeated in one object")
	ErrNull      = errors.New("null is not allowed")
	ErrSyntax    = errors.New("not valid JSON")
	ErrNumber    = errors.New("canonical JSON has whole numbers only") // from Canonical alone
)

// Error says where Screen or Canonical stopped and why.
type Error struct {
	// Path leads to the value that was being read, like signed.roles[2].name.
	// It is empty at the top level, and long paths lose their beginning.
	Path string
	// Offset counts bytes from the beginning of the document.
	Offset int64
	// Expected and Found say what was wrong; text of the document in Found is
	// quoted and clipped.
	Expected, Found string
	// Reason wraps one of the sentinels and says the same in one message.
	Reason error
}

// Error gives the place and the reason on one line.
func (e *Error) Error() string {
	place := e.Path
	if place == "" {
		place = "top level"
	}
	return fmt.Sprintf("%s (byte %d): %v", place, e.Offset, e.Reason)
}

// Unwrap makes errors.Is work with the sentinels.
func (e *Error) Unwrap() error { return e.Reason }

// fail makes the error for the byte at offset.
func (s *scanner) fail(offset int, sentinel error, expected, found string) error {
	return &Error{
		Path:     s.path(),
		Offset:   int64(offset),
		Expected: expected,
		Found:    found,
		Reason:   fmt.Errorf("%w: expected %s, found %s", sentinel, expected, found),
	}
}

// path spells the way to the current value. Both its parts and its number of
// parts are bounded, as keys come from outside.
func (s *scanner) path() string {
	const most = 16
	var b strings.Builder
	frames := s.stack
	if len(frames) > most {
		frames = frames[len(frames)-most:]
		b.WriteString("…")
	}
	for i := range frames {
		f := &frames[i]
		switch {
		case f.array:
			fmt.Fprintf(&b, "[%d]", f.index)
		case !f.named:
			// The object is open, and none of its keys has been read.
		case isPlain(f.key):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.Write(f.key)
		default:
			b.WriteString("[" + quote(f.key) + "]")
		}
	}
	return b.String()
}

// isPlain reports whether a key can stand in a path without quotes.
func isPlain(key []byte) bool {
	if len(key) == 0 || len(key) > 64 {
		return false
	}
	for _, c := range key {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text []byte) string {
	const limit = 64
	if len(text) > limit {
		return strconv.QuoteToASCII(string(text[:limit])) + "…"
	}
	return strconv.QuoteToASCII(string(text))
}

// found describes what stands at offset.
func (s *scanner) found(offset int) string {
	if offset >= len(s.data) {
		return "the end of the document"
	}
	return quote(s.data[offset : offset+1])
}
