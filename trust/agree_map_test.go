package trust_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"assay/trust"
)

func TestMapPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"**", "a", true},
		{"**", "a/b/c/d", true},
		{"hello/**", "hello/1.0.0/release.json", true},
		{"hello/**", "hello/a", true},
		{"hello/**", "hello", false},
		{"hello/**", "hello-evil/1.0.0/x", false},
		{"*/**", "a", false},
		{"*/**", "a/b", true},
		{"h*/1.?/**", "hello/1.4/x/y", true},
		{"h*/1.?/**", "hello/1.40/x", false},
		{"hello/*", "hello/1.0.0/x", false},
		{"hello/*/*", "hello/1.0.0/x", true},
		{"*", "a", true},
		{"*", "a/b", false},
		{"[!a]*/x", "b/x", true},
		{"[!a]*/x", "a/x", false},
	} {
		m := mapOf(t, trust.Mapping{Paths: []string{test.pattern}, Repositories: []string{"a"}, Threshold: 1})
		if got := len(m.Lookup(test.path)) == 1; got != test.want {
			t.Errorf("%s for %s: expected %v, found %v", test.pattern, test.path, test.want, got)
		}
	}
	for pattern, want := range map[string]bool{
		"**": true, "*/**": true, "hello/**": true, "h*/1.*/*": true, "hello": false, "ferry/**": false, "*": false, "hello/": false,
	} {
		m, err := trust.NewMap([]trust.Mapping{{Paths: []string{pattern}, Repositories: []string{"a"}, Threshold: 1}})
		if err == nil && (len(m.Folder("hello")) == 1) != want {
			t.Errorf("%s touches hello: expected %v", pattern, want)
		}
	}
}

// A mapping that ends the search for one path says nothing on the rest of a
// folder.
func TestFolderGoesPastTheEnd(t *testing.T) {
	t.Parallel()
	m := mapOf(t,
		trust.Mapping{Paths: []string{"hello/1.*/**"}, Repositories: []string{"a"}, Threshold: 1, Terminating: true},
		trust.Mapping{Paths: []string{"**"}, Repositories: []string{"b"}, Threshold: 1})
	if got := m.Folder("hello"); len(got) != 2 {
		t.Errorf("expected both mappings, found %v", got)
	}
	if got := m.Lookup("hello/1.0.0/x"); len(got) != 1 {
		t.Errorf("expected the terminating one alone, found %v", got)
	}
}

func TestMapsThatCannotBe(t *testing.T) {
	t.Parallel()
	good := func(change func(*trust.Mapping)) trust.Mapping {
		m := trust.Mapping{Paths: []string{"a/**"}, Repositories: []string{"a", "b"}, Threshold: 2}
		change(&m)
		return m
	}
	paths := func(list ...string) trust.Mapping { return good(func(m *trust.Mapping) { m.Paths = list }) }
	names := func(list ...string) trust.Mapping {
		return good(func(m *trust.Mapping) { m.Repositories = list; m.Threshold = 1 })
	}
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint("r", i))
		}
		return list
	}
	for name, test := range map[string]struct {
		mapping trust.Mapping
		field   string
	}{
		"threshold 0":               {good(func(m *trust.Mapping) { m.Threshold = 0 }), "threshold"},
		"threshold -1":              {good(func(m *trust.Mapping) { m.Threshold = -1 }), "threshold"},
		"threshold above the list":  {good(func(m *trust.Mapping) { m.Threshold = 3 }), "threshold"},
		"no repositories":           {names(), "repositories"},
		"the same repository twice": {names("a", "b", "a"), "repositories"},
		"no name of a repository":   {names("a", "B"), "repositories"},
		"too many repositories":     {names(many(trust.MaxMappingNames + 1)...), "repositories"},
		"no paths":                  {paths(), "paths"},
		"too many paths":            {paths(many(trust.MaxMappingPaths + 1)...), "paths"},
		"an empty path":             {paths(""), "paths"},
		"an absolute path":          {paths("/a/*"), "paths"},
		"a path upward":             {paths("../*"), "paths"},
		"a slash at the end":        {paths("a/"), "paths"},
		"a bad pattern":             {paths("a/[b"), "paths"},
		"stars in the middle":       {paths("a/**/b"), "paths"},
		"stars in a segment":        {paths("a/b**"), "paths"},
		"only stars and a slash":    {paths("/**"), "paths"},
		"a control character":       {paths("a\n"), "paths"},
		"a long pattern":            {paths(strings.Repeat("a", 1025)), "paths"},
	} {
		m, err := trust.NewMap([]trust.Mapping{good(func(*trust.Mapping) {}), test.mapping})
		var wrong *trust.MapError
		if m != nil || !errors.Is(err, trust.ErrMap) || !errors.As(err, &wrong) || wrong.Mapping != 1 || wrong.Field != test.field {
			t.Errorf("%s: expected a MapError about %s of mapping 1, found %v", name, test.field, err)
		}
	}
	if _, err := trust.NewMap(slices.Repeat([]trust.Mapping{paths("a")}, trust.MaxMappings+1)); !errors.Is(err, trust.ErrMap) {
		t.Errorf("too many mappings: expected %v, found %v", trust.ErrMap, err)
	}
	// What it was made of may change; the map does not.
	given := paths("a/**")
	m := mapOf(t, given)
	given.Paths[0], given.Repositories[0] = "b", "z"
	if want := mapOf(t, paths("a/**")); !reflect.DeepEqual(m, want) {
		t.Errorf("expected %v, found %v", want, m)
	}
}
