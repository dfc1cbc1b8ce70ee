package artifact

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// MaxVersion is the most bytes of a version or a range. Real ones stay under
// forty; the bound keeps the parser and the messages small.
const MaxVersion = 128

// The sentinels for text that is no version and no range of versions.
var (
	ErrVersion = errors.New("not a version")
	ErrRange   = errors.New("not a range of versions")
)

// Version is a semantic version (2.0.0), all three numbers given and no leading
// v. It keeps the text it was read from. It is comparable with ==, which
// compares the text; Compare gives the order. The zero value is no version.
type Version struct {
	text   string
	parsed semver.Version
}

// ParseVersion reads a version such as "1.4.2" or "2.0.0-rc.1+build.7". The
// error wraps ErrVersion.
func ParseVersion(s string) (Version, error) {
	if len(s) > MaxVersion {
		return Version{}, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrVersion, MaxVersion, len(s))
	}
	parsed, err := semver.StrictNewVersion(s)
	if err == nil {
		return Version{text: s, parsed: *parsed}, nil
	}
	if rest, ok := strings.CutPrefix(s, "v"); ok {
		if _, err := semver.StrictNewVersion(rest); err == nil {
			return Version{}, fmt.Errorf("%w: versions have no leading v: did you mean %s", ErrVersion, rest)
		}
	}
	return Version{}, fmt.Errorf("%w: expected one like 1.4.2, found %q", ErrVersion, clip(s))
}

// String is the text that the version was read from.
func (v Version) String() string { return v.text }

// IsZero reports whether v is no version.
func (v Version) IsZero() bool { return v.text == "" }

// IsPrerelease reports whether v comes before a release, like 2.0.0-rc.1.
func (v Version) IsPrerelease() bool { return v.parsed.Prerelease() != "" }

// Compare is negative where v is older than other, positive where it is newer,
// and 0 where neither is. Build metadata counts for nothing in it (semantic
// versioning 2.0.0, item 10), so two versions that differ can compare as 0.
func (v Version) Compare(other Version) int {
	return v.parsed.Compare(&other.parsed)
}

// MarshalText writes the text that the version was read from.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.text), nil }

// UnmarshalText reads as ParseVersion does; an empty text is the zero Version.
func (v *Version) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*v = Version{}
		return nil
	}
	parsed, err := ParseVersion(string(text))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}

// Range is a set of versions, like "^1.4", "~1.4.2", ">=1.2, <2" or "1.4.x".
// A pre-release is in it only where the range names one. The zero value is the
// empty set.
type Range struct {
	text        string
	constraints *semver.Constraints
}

// ParseRange reads a range. The error wraps ErrRange.
func ParseRange(s string) (Range, error) {
	if len(s) > MaxVersion {
		return Range{}, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrRange, MaxVersion, len(s))
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return Range{}, fmt.Errorf("%w: expected printable ASCII, found %q", ErrRange, clip(s))
		}
	}
	constraints, err := semver.NewConstraint(s)
	if err != nil {
		return Range{}, fmt.Errorf("%w: expected one like ^1.4 or >=1.2, <2, found %q", ErrRange, clip(s))
	}
	return Range{text: s, constraints: constraints}, nil
}

// Contains reports whether v is in the range.
func (r Range) Contains(v Version) bool {
	return r.constraints != nil && !v.IsZero() && r.constraints.Check(&v.parsed)
}

// String is the text that the range was read from.
func (r Range) String() string { return r.text }
