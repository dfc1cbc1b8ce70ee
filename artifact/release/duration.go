package release

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// MaxDuration is the longest Duration: a hundred years of 365.25 days.
const MaxDuration = Duration(36525 * 24 * time.Hour)

// ErrDuration is wrapped by every error about the form of a duration.
var ErrDuration = errors.New("not a duration")

// Duration is a span of time as the documents write it: a whole number above 0
// and one unit of s, m, h, d (24 hours) and w (7 days).
type Duration time.Duration

// units stand from the largest to the smallest, as String wants them.
func units() []struct {
	name byte
	span time.Duration
} {
	return []struct {
		name byte
		span time.Duration
	}{{'w', 7 * 24 * time.Hour}, {'d', 24 * time.Hour}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}
}

// ParseDuration reads a text like "72h" or "90d". The error wraps ErrDuration.
func ParseDuration(s string) (Duration, error) {
	const digits = 10 // a hundred years in seconds
	if len(s) >= 2 && len(s) <= digits+1 && s[0] >= '1' && s[0] <= '9' {
		for _, unit := range units() {
			if s[len(s)-1] != unit.name {
				continue
			}
			count, err := strconv.ParseUint(s[:len(s)-1], 10, 63)
			if err != nil {
				break
			}
			if count > uint64(MaxDuration)/uint64(unit.span) {
				return 0, fmt.Errorf("%w: expected at most 100 years, found %s", ErrDuration, quote(s))
			}
			return Duration(count) * Duration(unit.span), nil
		}
	}
	return 0, fmt.Errorf("%w: expected a whole number above 0 and one of s, m, h, d, w, found %s", ErrDuration, quote(s))
}

// String is a form that ParseDuration reads, in the largest unit of s to d that
// divides d; "0s" for the zero value, which no document holds.
func (d Duration) String() string {
	for _, unit := range units()[1:] {
		if d != 0 && time.Duration(d)%unit.span == 0 {
			return strconv.FormatInt(int64(time.Duration(d)/unit.span), 10) + string(unit.name)
		}
	}
	return "0s"
}

// MarshalText writes the form that ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form that ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
