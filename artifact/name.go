package artifact

import (
	"errors"
	"fmt"
	"strings"
)

// The longest names, in bytes. They become segments of paths and keys of the
// state, so they stay far below the 255 bytes of a file name.
const (
	MaxProduct    = 128
	MaxRepository = 64
	MaxChannel    = 64
)

// ErrName is wrapped by every error about the form of a name.
var ErrName = errors.New("not a valid name")

// channelPrefix begins the directory of a channel's indexes, so that the roles
// for channels and those for products stay disjoint.
const channelPrefix = "channel-"

// ValidProduct checks a product's name: one path segment of at most MaxProduct
// lower-case letters, digits, ".", "_" and "-" that begins with a letter or a
// digit and not with "channel-". The error wraps ErrName.
func ValidProduct(name string) error {
	if strings.HasPrefix(name, channelPrefix) {
		return fmt.Errorf("%w: expected a product that does not begin with %q, found %q", ErrName, channelPrefix, clip(name))
	}
	return validName("product", name, MaxProduct, true)
}

// ValidRepository checks the name that a person gives to a repository: as
// ValidProduct, with at most MaxRepository bytes, and "channel-" is free.
func ValidRepository(name string) error {
	return validName("repository", name, MaxRepository, true)
}

// ValidChannel checks a channel's name: at most MaxChannel bytes of the same
// alphabet, beginning with a letter, so that it is never taken for a version.
func ValidChannel(name string) error {
	return validName("channel", name, MaxChannel, false)
}

func validName(what, name string, limit int, digitFirst bool) error {
	if name == "" {
		return fmt.Errorf("%w: expected a %s, found nothing", ErrName, what)
	}
	if len(name) > limit {
		return fmt.Errorf("%w: expected a %s of at most %d bytes, found %d", ErrName, what, limit, len(name))
	}
	first := "a letter"
	if digitFirst {
		first = "a letter or a digit"
	}
	if c := name[0]; !isLower(c) && (!digitFirst || !isDigit(c)) {
		return fmt.Errorf("%w: expected a %s that begins with %s in lower case, found %q", ErrName, what, first, clip(name))
	}
	if !isWord(name) {
		return fmt.Errorf("%w: expected a %s of lower-case letters, digits, '.', '_' and '-', found %q", ErrName, what, clip(name))
	}
	return nil
}

// isWord reports whether text has only the characters of names.
func isWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isLower(c) && !isDigit(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
