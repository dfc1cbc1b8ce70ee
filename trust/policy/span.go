package policy

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// MaxSpan is the longest Span: a hundred years of 365.25 days.
const MaxSpan = Span(36525 * 24 * time.Hour)

// ErrSpan is wrapped by every error about the form of a Span.
var ErrSpan = errors.New("not a duration")

// Span is a span of time as rules write it, which is as release documents do: a
// whole number above 0 and one unit of s, m, h, d (24 hours) and w (7 days).
type Span time.Duration

// ParseSpan reads a text like "72h" or "90d". The error wraps ErrSpan.
func ParseSpan(s string) (Span, error) {
	if len(s) < 2 || s[0] < '1' { // no sign and no zero before the number, nor alone
		return 0, spanError(s)
	}
	unit := unitOf(s[len(s)-1])
	count, err := strconv.ParseUint(s[:len(s)-1], 10, 63)
	if unit == 0 || err != nil {
		return 0, spanError(s)
	}
	if count > uint64(MaxSpan)/uint64(unit) {
		return 0, fmt.Errorf("%w: expected at most 100 years, found %s", ErrSpan, quote(s))
	}
	return Span(count) * unit, nil
}

func spanError(s string) error {
	return fmt.Errorf("%w: expected a whole number above 0 and one of s, m, h, d, w, found %s", ErrSpan, quote(s))
}

// unitOf is 0 for what is no unit.
func unitOf(name byte) Span {
	switch name {
	case 's':
		return Span(time.Second)
	case 'm':
		return Span(time.Minute)
	case 'h':
		return Span(time.Hour)
	case 'd':
		return Span(24 * time.Hour)
	case 'w':
		return Span(7 * 24 * time.Hour)
	}
	return 0
}

// String is a form that ParseSpan reads, in the largest unit of s to d that
// divides it; "0s" for what ParseSpan never gives.
func (s Span) String() string {
	if s > 0 {
		for _, name := range []byte("dhms") {
			if unit := unitOf(name); s%unit == 0 {
				return strconv.FormatInt(int64(s/unit), 10) + string(name)
			}
		}
	}
	return "0s"
}

// MarshalText writes the form that ParseSpan reads.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the form that ParseSpan reads.
func (s *Span) UnmarshalText(text []byte) error {
	parsed, err := ParseSpan(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
