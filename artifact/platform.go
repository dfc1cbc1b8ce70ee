package artifact

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Any stands for every operating system or every architecture.
const Any = "any"

// maxPlatformPart bounds each part of a platform's name, in bytes.
const maxPlatformPart = 32

// ErrPlatform is wrapped by every error about the form of a platform.
var ErrPlatform = errors.New("not a platform")

// Platform is what an artifact runs on, or what a machine is. The names are
// Go's: linux, amd64, and v7 for the variant of arm. It is comparable.
type Platform struct {
	OS      string
	Arch    string
	Variant string // empty where the architecture has one form only
}

// ParsePlatform reads "linux/amd64", "linux/arm/v7", or "any", which is short
// for "any/any". The error wraps ErrPlatform.
func ParsePlatform(s string) (Platform, error) {
	if s == Any {
		return Platform{OS: Any, Arch: Any}, nil
	}
	parts := strings.Split(s, "/")
	if len(parts) != 2 && len(parts) != 3 {
		return Platform{}, fmt.Errorf("%w: expected OS/ARCH or OS/ARCH/VARIANT, found %q", ErrPlatform, clip(s))
	}
	for _, part := range parts {
		if part == "" || len(part) > maxPlatformPart || !isWord(part) || (!isLower(part[0]) && !isDigit(part[0])) {
			return Platform{}, fmt.Errorf("%w: expected parts like linux, amd64 and v7 in lower case, found %q in %q",
				ErrPlatform, clip(part), clip(s))
		}
	}
	p := Platform{OS: parts[0], Arch: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	if p.Arch == Any && p.Variant != "" {
		return Platform{}, fmt.Errorf("%w: expected no variant of any architecture, found %q", ErrPlatform, clip(s))
	}
	return p, nil
}

// String is the form that ParsePlatform reads; empty for the zero Platform.
func (p Platform) String() string {
	switch {
	case p == Platform{}:
		return ""
	case p.OS == Any && p.Arch == Any && p.Variant == "":
		return Any
	case p.Variant == "":
		return p.OS + "/" + p.Arch
	default:
		return p.OS + "/" + p.Arch + "/" + p.Variant
	}
}

// MarshalText writes the form that ParsePlatform reads.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the form that ParsePlatform reads; an empty text is the
// zero Platform.
func (p *Platform) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Platform{}
		return nil
	}
	parsed, err := ParsePlatform(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}

// Rank says how well something made for os, arch and variant suits the machine
// p: 0 not at all, and more is better. The architecture weighs most: the exact
// variant, then the plain architecture, then any. Between two that are alike in
// that, the one for the machine's own operating system is better than any.
//
// A variant never stands for another one: linux/arm/v7 takes v7 and plain arm,
// not v6. A machine whose variant is not known takes plain ones only.
func (p Platform) Rank(os, arch, variant string) int {
	const (
		anyArch = iota + 1
		plainArch
		exactVariant
	)
	var rank int
	switch {
	case arch == p.Arch && variant == p.Variant:
		rank = exactVariant
	case arch == p.Arch && variant == "":
		rank = plainArch
	case arch == Any && variant == "":
		rank = anyArch
	default:
		return 0
	}
	switch os {
	case p.OS:
		return 2*rank + 1
	case Any:
		return 2 * rank
	default:
		return 0
	}
}

// Host is the platform that this program was built for.
func Host() Platform {
	var settings []debug.BuildSetting
	if info, ok := debug.ReadBuildInfo(); ok {
		settings = info.Settings
	}
	return Platform{OS: runtime.GOOS, Arch: runtime.GOARCH, Variant: hostVariant(runtime.GOARCH, settings)}
}

// hostVariant reads the variant of arm from the build's GOARM, which is like
// "7" or "6,softfloat". Other architectures have none here: what they are built
// for is less than what the machine may be, and plain artifacts suit them.
func hostVariant(arch string, settings []debug.BuildSetting) string {
	if arch != "arm" {
		return ""
	}
	for _, setting := range settings {
		if setting.Key == "GOARM" {
			level, _, _ := strings.Cut(setting.Value, ",")
			if len(level) == 1 && isDigit(level[0]) {
				return "v" + level
			}
		}
	}
	return ""
}
