package artifact

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxFileName is the most bytes of a file's name, as file systems have it.
const MaxFileName = 255

// ValidFileName checks that a name from outside is fit to be created in the
// directory where a person happens to be, on any operating system: one segment
// in UTF-8, not hidden, not taken for a flag when a shell expands "*", nothing
// that Windows reads as a device or a stream, and nothing that a terminal acts
// upon. The error wraps ErrName.
func ValidFileName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: expected a file name, found nothing", ErrName)
	case len(name) > MaxFileName:
		return fmt.Errorf("%w: expected a file name of at most %d bytes, found %d", ErrName, MaxFileName, len(name))
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: expected a file name in UTF-8, found %q", ErrName, clip(name))
	case name[0] == '.' || name[0] == '-' || name[0] == ' ' || name[0] == '~':
		return fmt.Errorf("%w: expected a file name that does not begin with '.', '-', '~' or a space, found %q", ErrName, clip(name))
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return fmt.Errorf("%w: expected a file name that does not end with '.' or a space, found %q", ErrName, clip(name))
	case strings.ContainsAny(name, `/\:*?"<>|`):
		return fmt.Errorf("%w: expected a file name without any of / \\ : * ? \" < > |, found %q", ErrName, clip(name))
	case strings.ContainsFunc(name, isUnprintable):
		return fmt.Errorf("%w: expected a file name of printable characters, found %q", ErrName, clip(name))
	case isDevice(name):
		return fmt.Errorf("%w: expected a file name that is no device on Windows, found %q", ErrName, clip(name))
	}
	return nil
}

// isUnprintable holds control characters and, beyond them, the ones that turn
// the direction of text, so that a name could show as another one.
func isUnprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// isDevice reports whether Windows takes a name, with any extension, for a
// device.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	return len(stem) == 4 && isDigit(stem[3]) && stem[3] != '0' && (stem[:3] == "COM" || stem[:3] == "LPT")
}
