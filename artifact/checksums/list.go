package checksums

import (
	"fmt"
	"slices"
	"strings"

	"assay/artifact"
)

// Entry is one line of a list.
type Entry struct {
	Name   string // as it is listed, without "./" before it; it may have directories
	Digest artifact.Digest
}

// List is what a file of checksums says.
type List struct {
	entries []Entry
	skipped int
	known   map[key]artifact.Digest
}

type key struct {
	name      string
	algorithm artifact.Algorithm
}

// Entries are the digests of known algorithms, in the order of the file, each
// once.
func (l *List) Entries() []Entry { return slices.Clone(l.entries) }

// Skipped is the number of lines with digests of other algorithms, such as MD5
// and SHA-1.
func (l *List) Skipped() int { return l.skipped }

// Lookup gives the digests of the file with that name, which is one segment.
//
// An entry is that of the file if it has exactly this name. Where none has, the
// entries count that have this name after the last "/" (dist/NAME), and all of
// them must agree: the error wraps ErrConflict otherwise. Entries with an absolute
// path or with a ".." in it never count. Upper and lower case differ, and a
// backslash is a letter as any other. If nothing counts, the error wraps
// ErrNotListed.
func (l *List) Lookup(name string) (artifact.Digests, error) {
	if name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%w: expected a file name without directories, found %s", ErrNotListed, quote(name))
	}
	found, err := l.digestsOf(name, func(listed string) bool { return listed == name })
	if err == nil && found == nil {
		found, err = l.digestsOf(name, func(listed string) bool { return strings.HasSuffix(listed, "/"+name) && isBeneath(listed) })
	}
	if err == nil && found == nil {
		err = fmt.Errorf("%w: expected %s, found %d other entries", ErrNotListed, quote(name), len(l.entries))
	}
	return found, err
}

// digestsOf gathers the digests of the entries that are meant, nil if there are
// none.
func (l *List) digestsOf(name string, meant func(listed string) bool) (artifact.Digests, error) {
	one := List{known: map[key]artifact.Digest{}}
	var found []artifact.Digest
	for _, entry := range l.entries {
		if !meant(entry.Name) {
			continue
		}
		if err := one.add(name, entry.Digest); err != nil {
			return nil, err
		}
	}
	for _, entry := range one.entries {
		found = append(found, entry.Digest)
	}
	if found == nil {
		return nil, nil
	}
	return artifact.NewDigests(found...)
}

// add takes an entry, unless it is there already.
func (l *List) add(name string, digest artifact.Digest) error {
	k := key{name, digest.Algorithm()}
	if other, again := l.known[k]; again {
		if other != digest {
			return fmt.Errorf("%w: %s: expected %s as in another line, found %s", ErrConflict, quote(name), other, digest)
		}
		return nil
	}
	l.known[k] = digest
	l.entries = append(l.entries, Entry{name, digest})
	return nil
}

// strip takes "./" from the beginning of a name.
func strip(name string) string {
	for {
		rest, found := strings.CutPrefix(name, "./")
		if !found || rest == "" {
			return name
		}
		name = rest
	}
}

// isBeneath reports whether a path stays within the directory of the list.
func isBeneath(name string) bool {
	return name[0] != '/' && !slices.Contains(strings.Split(name, "/"), "..")
}
