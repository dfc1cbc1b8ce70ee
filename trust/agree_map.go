package trust

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"assay/artifact"
)

// ErrMap: a map of repositories that can't be one; see MapError.
var ErrMap = errors.New("not a map of repositories")

// The bounds of a Map. They are far above what people write by hand.
const (
	MaxMappings     = 256  // of a map
	MaxMappingPaths = 256  // of a mapping
	MaxMappingNames = 16   // repositories of a mapping
	maxPattern      = 1024 // bytes
)

// everything is the pattern for all paths; behind a slash, for all below.
const everything = "**"

// Mapping says which repositories must agree on the targets under some paths
// (TAP 4, a mapping of its map file).
type Mapping struct {
	// Paths are patterns as delegations have them: "*", "?" and "[a-z]" match
	// within one segment and never cross a slash. Besides, "**" is every path,
	// and "STEM/**" every path below what STEM matches, however deep.
	Paths []string
	// Repositories are those that are asked. The first is the one whose
	// catalog and channels count, see package fetch.
	Repositories []string
	// Threshold is how many of them must promise the same; at least 1.
	Threshold int
	// Terminating ends the search: where these do not agree, no later mapping
	// is asked.
	Terminating bool
}

// Matches reports whether the mapping is for a target path.
func (m Mapping) Matches(path string) bool {
	return slices.ContainsFunc(m.Paths, func(pattern string) bool { return covers(pattern, path) })
}

// Touches reports whether the mapping may be for paths below a folder of one
// segment, such as a product's.
func (m Mapping) Touches(folder string) bool {
	return slices.ContainsFunc(m.Paths, func(pattern string) bool {
		first, _, deeper := strings.Cut(pattern, "/")
		return first == everything || deeper && matchPath(first, folder)
	})
}

// String is like "2 of acme, approvals".
func (m Mapping) String() string {
	return fmt.Sprintf("%d of %s", m.Threshold, strings.Join(m.Repositories, ", "))
}

// Map says, by path, which repositories must agree. It never changes. A nil Map
// is an empty one: it covers nothing.
type Map struct{ mappings []Mapping }

// MapError says which mapping is wrong. It is ErrMap.
type MapError struct {
	Mapping int    // from 0
	Field   string // paths, repositories, threshold; empty: the map as a whole
	Detail  string // expected and found
}

func (e *MapError) Error() string {
	if e.Field == "" {
		return e.Detail
	}
	return fmt.Sprintf("mapping %d: %s: %s", e.Mapping+1, e.Field, e.Detail)
}

func (e *MapError) Unwrap() error { return ErrMap }

// NewMap checks mappings, in the order in which they are looked at. An error is
// a MapError for the first that can't be.
func NewMap(mappings []Mapping) (*Map, error) {
	if len(mappings) > MaxMappings {
		return nil, &MapError{Detail: fmt.Sprintf("expected at most %d mappings, found %d", MaxMappings, len(mappings))}
	}
	m := &Map{}
	for i, mapping := range mappings {
		if field, err := mapping.check(); err != nil {
			return nil, &MapError{Mapping: i, Field: field, Detail: err.Error()}
		}
		mapping.Paths, mapping.Repositories = slices.Clone(mapping.Paths), slices.Clone(mapping.Repositories)
		m.mappings = append(m.mappings, mapping)
	}
	return m, nil
}

func (m Mapping) check() (field string, err error) {
	if n := len(m.Paths); n == 0 || n > MaxMappingPaths {
		return "paths", fmt.Errorf("expected 1 to %d patterns, found %d", MaxMappingPaths, n)
	}
	for _, pattern := range m.Paths {
		if err := checkPattern(pattern); err != nil {
			return "paths", err
		}
	}
	if n := len(m.Repositories); n == 0 || n > MaxMappingNames {
		return "repositories", fmt.Errorf("expected 1 to %d names, found %d", MaxMappingNames, n)
	}
	for i, name := range m.Repositories {
		if err := artifact.ValidRepository(name); err != nil {
			return "repositories", err
		}
		// One that is counted twice would agree with itself.
		if slices.Contains(m.Repositories[:i], name) {
			return "repositories", fmt.Errorf("expected each repository once, found %q twice", name)
		}
	}
	if m.Threshold < 1 || m.Threshold > len(m.Repositories) {
		return "threshold", fmt.Errorf("expected 1 to %d, the number of repositories, found %d", len(m.Repositories), m.Threshold)
	}
	return "", nil
}

// checkPattern refuses a pattern that would silently match nothing.
func checkPattern(pattern string) error {
	if len(pattern) > maxPattern {
		return fmt.Errorf("expected a pattern of at most %d bytes, found %d", maxPattern, len(pattern))
	}
	if pattern == everything {
		return nil
	}
	stem, _ := strings.CutSuffix(pattern, "/"+everything)
	if err := checkTargetPath(stem); err != nil {
		return fmt.Errorf("expected a pattern of a clean relative path, found %.80q", pattern)
	}
	for segment := range strings.SplitSeq(stem, "/") {
		if strings.Contains(segment, everything) {
			return fmt.Errorf("%.80q: expected %q alone, or as the last segment", pattern, everything)
		}
		if _, err := path.Match(goPattern(segment), ""); err != nil {
			return fmt.Errorf("expected a pattern, found %.80q: %w", pattern, err)
		}
	}
	return nil
}

// covers matches a target path with a pattern of a mapping.
func covers(pattern, target string) bool {
	if pattern == everything {
		return true
	}
	stem, below := strings.CutSuffix(pattern, "/"+everything)
	if !below {
		return matchPath(pattern, target)
	}
	segments, depth := strings.Split(target, "/"), strings.Count(stem, "/")+1
	return len(segments) > depth && matchPath(stem, strings.Join(segments[:depth], "/"))
}

// Mappings lists all, in order.
func (m *Map) Mappings() []Mapping {
	if m == nil {
		return nil
	}
	return slices.Clone(m.mappings)
}

// Lookup lists the mappings for a path in the order in which they are asked, the
// first terminating one last. None: the map does not cover the path, and any
// one repository's word is enough.
func (m *Map) Lookup(path string) []Mapping {
	return m.upToEnd(func(mapping Mapping) bool { return mapping.Matches(path) }, true)
}

// Folder lists the mappings that may be for paths below a folder, in order.
func (m *Map) Folder(name string) []Mapping {
	return m.upToEnd(func(mapping Mapping) bool { return mapping.Touches(name) }, false)
}

func (m *Map) upToEnd(matches func(Mapping) bool, ends bool) []Mapping {
	var list []Mapping
	for _, mapping := range m.Mappings() {
		if !matches(mapping) {
			continue
		}
		list = append(list, mapping)
		if ends && mapping.Terminating {
			break
		}
	}
	return list
}
