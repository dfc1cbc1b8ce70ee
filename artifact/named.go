package artifact

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrFileNameDisagrees is for a file whose name says that it is of another
// version, or for another platform.
var ErrFileNameDisagrees = errors.New("file name disagrees")

// The words by which file names tell systems and architectures apart, and Go's
// names for them. Only words that mean nothing else are here.
var (
	systemWords = map[string]string{
		"linux": "linux", "darwin": "darwin", "macos": "darwin", "osx": "darwin", "apple": "darwin",
		"windows": "windows", "win32": "windows", "win64": "windows",
		"freebsd": "freebsd", "openbsd": "openbsd", "netbsd": "netbsd", "android": "android",
	}
	archWords = map[string]string{
		"amd64": "amd64", "x64": "amd64", "386": "386", "i386": "386", "i686": "386",
		"arm64": "arm64", "aarch64": "arm64",
		"arm": "arm", "armhf": "arm", "armv5": "arm", "armv6": "arm", "armv6l": "arm", "armv7": "arm", "armv7l": "arm",
		"riscv64": "riscv64", "ppc64le": "ppc64le", "ppc64": "ppc64", "s390x": "s390x", "loong64": "loong64",
	}
)

// FileNameAgrees looks for a contradiction between the name of a product's file
// and what it is said to be: a version right behind the product's name that is
// another one, or words for systems or architectures of which none is the
// platform's. A name that says nothing agrees. The error is
// ErrFileNameDisagrees.
func FileNameAgrees(name, product string, version Version, platform Platform) error {
	said := readFileName(name, product)
	if said.version != "" && said.version != core(version) {
		return fmt.Errorf("%w: expected version %s, found %q in %q", ErrFileNameDisagrees, version, said.version, clip(name))
	}
	for _, part := range []struct {
		kind, want string
		found      []string
	}{{"system", platform.OS, said.systems}, {"architecture", platform.Arch, said.archs}} {
		if part.want != Any && part.want != "" && len(part.found) > 0 && !slices.Contains(part.found, part.want) {
			return fmt.Errorf("%w: expected the %s %s, found %s in %q", ErrFileNameDisagrees, part.kind, part.want, part.found[0], clip(name))
		}
	}
	return nil
}

// FileNameTells lists what FileNameAgrees can compare of a file's name: "version",
// "system", "architecture".
func FileNameTells(name, product string) []string {
	said := readFileName(name, product)
	var tells []string
	if said.version != "" {
		tells = append(tells, "version")
	}
	if len(said.systems) > 0 {
		tells = append(tells, "system")
	}
	if len(said.archs) > 0 {
		tells = append(tells, "architecture")
	}
	return tells
}

// saidByName is what the name of a file says of it, in Go's names.
type saidByName struct {
	version        string // X.Y.Z
	systems, archs []string
}

func readFileName(name, product string) (said saidByName) {
	rest, named := strings.CutPrefix(strings.ToLower(name), product)
	if named {
		said.version = leadingVersion(rest)
	}
	// The one name of an architecture that is made of two words.
	rest = strings.NewReplacer("x86_64", "amd64", "x86-64", "amd64").Replace(rest)
	words := strings.FieldsFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	for _, word := range words {
		if is, ok := systemWords[word]; ok {
			said.systems = append(said.systems, is)
		}
		if is, ok := archWords[word]; ok {
			said.archs = append(said.archs, is)
		}
	}
	return said
}

// leadingVersion is the X.Y.Z that a text begins with, behind one separator and
// an optional v; empty if there is none.
func leadingVersion(text string) string {
	if text == "" || !strings.ContainsRune("-_.", rune(text[0])) {
		return ""
	}
	text = strings.TrimPrefix(text[1:], "v")
	end := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end >= 0 {
		text = text[:end]
	}
	parts := strings.Split(strings.Trim(text, "."), ".")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return ""
	}
	return strings.Join(parts, ".")
}

// core is a version without pre-release and build.
func core(v Version) string {
	text, _, _ := strings.Cut(v.String(), "+")
	text, _, _ = strings.Cut(text, "-")
	return text
}
