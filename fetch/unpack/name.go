package unpack

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// rules are what differs between systems about names.
type rules struct {
	folds   bool // names that differ in case, or in how letters are composed, are one
	windows bool // reserved names and characters
}

// rulesOf are those of an operating system, by its name in Go.
func rulesOf(system string) rules {
	return rules{folds: slices.Contains([]string{"windows", "darwin", "ios"}, system), windows: system == "windows"}
}

// key is the same for names that are one.
func (r rules) key(name string) string {
	if !r.folds {
		return name
	}
	if isASCII(name) {
		return strings.ToLower(name)
	}
	// Letters may fold to what has to be decomposed again.
	return norm.NFD.String(strings.Map(fold, norm.NFD.String(name)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// fold is one and the same of all letters that differ in case alone; in ASCII
// the small one.
func fold(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}

// split checks the path of an entry and cuts it into components. Empty ones and
// "." are left out, so that no component at all means the new folder itself.
func (r rules) split(path string, limits Limits) ([]string, error) {
	if err := r.checkText(path, path, limits); err != nil {
		return nil, err
	}
	if path[0] == '/' {
		return nil, refuse(ErrUnsafe, path, "expected a relative path, found an absolute one")
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
			continue
		case "..":
			return nil, refuse(ErrUnsafe, path, `expected a path that stays inside, found ".."`)
		}
		if err := r.checkComponent(path, part); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if found := int64(len(parts)); found > limits.Depth {
		return nil, &LimitError{"Depth", limits.Depth, uint64(found), path}
	}
	return parts, nil
}

// checkText checks a path or a link's target as a text.
func (r rules) checkText(entry, path string, limits Limits) error {
	if path == "" {
		return refuse(ErrUnsafe, entry, "expected a path, found none")
	}
	if found := int64(len(path)); found > limits.PathBytes {
		return &LimitError{"PathBytes", limits.PathBytes, uint64(found), entry}
	}
	if !utf8.ValidString(path) {
		return refuse(ErrUnsafe, entry, "expected UTF-8, found %s", quote(path))
	}
	for _, c := range path {
		if unicode.IsControl(c) || c == '\\' || r.windows && strings.ContainsRune(`:*?"<>|`, c) {
			return refuse(ErrUnsafe, entry, "expected a path that every program reads alike, found %q in %s", c, quote(path))
		}
	}
	return nil
}

// checkComponent checks one component of a path.
func (r rules) checkComponent(entry, part string) error {
	if len(part) > nameMax {
		return &LimitError{"PathBytes", nameMax, uint64(len(part)), entry}
	}
	if !r.windows {
		return nil
	}
	if last := part[len(part)-1]; last == '.' || last == ' ' {
		return refuse(ErrUnsafe, entry, "expected a name that Windows keeps, found one that ends with %q", last)
	}
	if isDevice(part) {
		return refuse(ErrUnsafe, entry, "expected a name of a file, found the device %q", part)
	}
	return nil
}

// isDevice reports whether Windows takes the name for that of a device, as it
// does whatever the extension.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	number, ok := strings.CutPrefix(base, "COM")
	if !ok {
		number, ok = strings.CutPrefix(base, "LPT")
	}
	return ok && utf8.RuneCountInString(number) == 1 && strings.Contains("0123456789¹²³", number)
}

// checkTarget checks what a symbolic link leads to, from the folder depth
// components below the new one. Up goes only the beginning, and not above: no
// component of a path is a link, so that much is where it says. The rest goes down, where
// another link may be met, of which the same holds.
func (r rules) checkTarget(entry, target string, depth int, limits Limits) error {
	if err := r.checkText(entry, target, limits); err != nil {
		return err
	}
	if target[0] == '/' {
		return refuse(ErrUnsafe, entry, "expected a relative link, found one to %s", quote(target))
	}
	descends := false
	for part := range strings.SplitSeq(target, "/") {
		switch {
		case part == "" || part == ".":
		case part != "..":
			descends = true
		case descends:
			return refuse(ErrUnsafe, entry, `expected ".." only where a link's target begins, found %s`, quote(target))
		case depth == 0:
			return refuse(ErrUnsafe, entry, "expected a link that stays inside, found one to %s", quote(target))
		default:
			depth--
		}
	}
	return nil
}
