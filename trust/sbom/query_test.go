package sbom

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	goText  = Component{Name: "golang.org/x/text", Version: "v0.3.7", PURL: "pkg:golang/golang.org/x/text@v0.3.7"}
	babel   = Component{Name: "@babel/core", Version: "7.24.0", PURL: "pkg:npm/%40babel/core@7.24.0"}
	log4j   = Component{Name: "log4j-core", Version: "2.14.1", PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}
	openssl = Component{Name: "openssl", Version: "1:1.1.1n-0+deb11u3", PURL: "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64"}
	yaml    = Component{Name: "gopkg.in/yaml/v3", Version: "v3.0.1"}
	devel   = Component{Name: "tool", Version: "(devel)"}
	bareOne = Component{Name: "Tool"}
)

func TestQuery(t *testing.T) {
	for _, c := range []struct {
		query          string
		component      Component
		matches, known bool
	}{
		{"golang.org/x/text", goText, true, true},
		{"TEXT", goText, true, true},
		{"x/text", goText, false, true},
		{"ext", goText, false, true},
		{"text@<0.3.8", goText, true, true},
		{"text@<0.3.7", goText, false, true},
		{"text@v0.3.7", goText, true, true},
		{"golang.org/x/text@>=0.3, <0.4", goText, true, true},
		{"pkg:golang/golang.org/x/text", goText, true, true},
		{"pkg:golang/golang.org/x/text@<0.3.8", goText, true, true},
		{"pkg:golang/golang.org/x/text@v0.3.8", goText, false, true},
		{"pkg:npm/golang.org/x/text", goText, false, true},
		{"@babel/core", babel, true, true},
		{"@babel/core@^7", babel, true, true},
		{"@babel/core@^6", babel, false, true},
		{"core", babel, true, true},
		{"pkg:npm/@babel/core", babel, true, true},
		{"pkg:npm/%40babel/core@7.x", babel, true, true},
		{"pkg:npm/%40babel/core@8.x", babel, false, true},
		{"log4j-core@<2.17.1", log4j, true, true},
		{"org.apache.logging.log4j:log4j-core@<2.17.1", log4j, true, true},
		{"org.apache.logging.log4j/log4j-core@2.14.1", log4j, true, true},
		{"log4j-core", Component{Name: "x", PURL: log4j.PURL}, true, true},
		{"log4j-core@<2.17.1", Component{Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.0"}, true, true},
		{"log4j-core@<2.17.1", Component{Name: "org.apache.logging.log4j:LOG4J-core:jar:tests:2.14.0", Version: "2.14.0"}, true, true},
		{"log4j-core@<2.17.1", Component{Name: "maven:org.apache.logging.log4j:log4j-core", Version: "2.17.1"}, false, true},
		{"log4j-core", Component{Name: "maven/org.apache:log4j-core"}, true, true},
		{"log4j-core", Component{Name: "org.apache:log4j-core-test"}, false, true},
		{"openssl@<1.1.1w", openssl, true, true},
		{"openssl@<1:1.1.1w", openssl, true, true},
		{"openssl@<2:0", openssl, true, true},
		{"openssl@<0:9", openssl, false, true},
		{"pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=arm64#x", openssl, true, true},
		{"yaml", yaml, true, true},
		{"v3", yaml, false, true},
		{"tool", devel, true, true},
		{"tool@<2", devel, true, false},
		{"tool@(devel)", devel, true, true},
		{"tool@main", devel, false, true},
		{"tool@!=main", devel, true, true},
		{"tool@1.0", bareOne, true, false},
		{"tool@main", bareOne, true, false},
		{"tool@*", bareOne, true, true},
		{"other@1.0", bareOne, false, true},
		{"pkg:generic/tool", bareOne, false, true},
	} {
		q, err := ParseQuery(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		matches, known := q.Matches(c.component)
		if matches != c.matches || known != c.known {
			t.Errorf("%s and %v: found %v, known %v; expected %v, %v", c.query, c.component, matches, known, c.matches, c.known)
		}
		if matches && !strings.HasPrefix(c.query, "pkg:") && !slices.Contains(Names(c.component), q.Name()) {
			t.Errorf("%s: name %q is not among %q, and would not be found by an index", c.query, q.Name(), Names(c.component))
		}
	}
	if matches, known := (Query{}).Matches(bareOne); matches || !known {
		t.Error("the zero query matches")
	}
	if matches, _ := (Query{}).Matches(Component{Name: "a/"}); matches {
		t.Error("the zero query matches a name that ends with a slash")
	}
}

func TestQueryRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "text@", "text@ ", "a\x1bb", "text@<", "text@<abc", "text@>= ", "text@<1 ||", "text@,", "text@^latest", "text@><1", "text@abc.x",
		"text@<!1", "pkg:", "pkg:golang", "pkg:golang/", "pkg:golang/x@", "pkg:golang/%zz", strings.Repeat("a", 600), "a@" + strings.Repeat("1 ", 40), "\xff",
		"text@=" + strings.Repeat("1", 200), "text@1=2", "text@=~1", "text@=!1", "text@=a|b",
	} {
		q, err := ParseQuery(text)
		if !errors.Is(err, ErrQuery) {
			t.Errorf("%q: found %+v, %v; expected ErrQuery", text, q, err)
		} else if strings.ContainsAny(err.Error(), "\x1b\n") || !utf8.ValidString(err.Error()) {
			t.Errorf("%q: the message is not fit to be shown: %q", text, err)
		}
	}
}

func TestRange(t *testing.T) {
	for _, c := range []struct{ text, in, out string }{
		{"1.2.3", "1.2.3 v1.2.3 1.2.3+b", "1.2.4 1.2.3-rc1 1.2"},
		{"1.2", "1.2 1.2.0 1.2.9 1.2.3-rc1", "1.3 1.20 2.2"},
		{"=1.2", "1.2 1.2.0", "1.2.1"},
		{"1.2-rc1", "1.2-rc1 1.2-RC1", "1.2 1.2.5 1.2-rc2"},
		{"==1.2.3", "1.2.3", "1.2.4"},
		{"!=1.2.3", "1.2.4", "1.2.3"},
		{"1.x", "1 1.9", "2.0"},
		{"1.2.*", "1.2.7", "1.3"},
		{"1.x.x", "1.2.7", "2.3"},
		{">1.2", "1.2.1 2", "1.2 1.2.0"},
		{">=1.2 <2", "1.2 1.9.9 2.0.0-rc1", "1.1 2 2.0.0"},
		{">= 1.2 , < 2", "1.2 1.9.9", "1.1 2"},
		{"<=1.2", "1.2 1.2.0", "1.2.1"},
		{"^1.4", "1.4 1.4.1 1.99", "1.3 2.0.0-rc1 2.0"},
		{"^0.3", "0.3 0.3.9", "0.4 1.3"},
		{"^0.0.3", "0.0.3", "0.0.4"},
		{"^0", "0 0.0", "1"},
		{"^v1.4", "1.5", "2"},
		{"~1.4.2", "1.4.2 1.4.9", "1.4.1 1.5"},
		{"~1", "1.0 1.9", "2"},
		{"~>1.4", "1.4 1.4.9", "1.5"},
		{"<1.2 || >=2 <3", "1.1 2.5", "1.2 3"},
		{"", "1 0", ""},
		{"*", "1 0", ""},
	} {
		r, err := ParseRange(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if r.String() != c.text {
			t.Errorf("%q: spelled %q", c.text, r)
		}
		for version := range strings.FieldsSeq(c.in) {
			if in, known := r.Contains("", version); !in || !known {
				t.Errorf("%q, %s: found %v, known %v; expected it in", c.text, version, in, known)
			}
		}
		for version := range strings.FieldsSeq(c.out) {
			if in, known := r.Contains("", version); in || !known {
				t.Errorf("%q, %s: found %v, known %v; expected it out", c.text, version, in, known)
			}
		}
	}
	// One condition that is known not to hold decides beside one that can't be told.
	r, err := ParseRange("=main >=1")
	if err != nil {
		t.Fatal(err)
	}
	if in, known := r.Contains("", "dev"); in || !known {
		t.Errorf("found %v, known %v; expected it out", in, known)
	}
	if r, err = ParseRange("=1.0 !=x"); err != nil {
		t.Fatal(err)
	}
	if in, known := r.Contains("", "main"); !in || known {
		t.Errorf("found %v, known %v; expected that it can't be told", in, known)
	}
	if _, err := ParseRange(strings.Repeat(" 1", maxQuery/2) + " 1"); !errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), "512") {
		t.Errorf("a long range: found %v; expected ErrQuery", err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		component Component
		want      string
	}{
		{goText, "golang.org/x/text text"},
		{Component{Name: "golang.org/x/Text"}, "golang.org/x/text text"},
		{Component{Name: "odd", PURL: "pkg:golang/golang.org/x/text"}, "odd golang.org/x/text text"},
		{log4j, "log4j-core org.apache.logging.log4j/log4j-core org.apache.logging.log4j:log4j-core"},
		{yaml, "gopkg.in/yaml/v3 yaml"},
		{Component{Name: "a/v"}, "a/v v"},
		{Component{Name: "g:A"}, "g:a a"},
		{Component{Name: "x/g:a:jar:1"}, "x/g:a:jar:1 g:a:jar:1 a 1"},
		{Component{Name: "a:"}, "a:"},
		{Component{Name: ":a"}, ":a a"},
		{Component{Name: "std::fs"}, "std::fs fs"},
		{Component{Name: "a/32"}, "a/32 32"},
		{Component{Name: "a/vim"}, "a/vim vim"},
		{Component{Name: "a/"}, "a/"},
		{Component{Name: "v2"}, "v2"},
	} {
		if got := strings.Join(Names(c.component), " "); got != c.want {
			t.Errorf("%v: found %q, expected %q", c.component, got, c.want)
		}
	}
}

func TestPURL(t *testing.T) {
	for _, c := range []struct{ text, key, version string }{
		{"pkg:golang/golang.org/x/Text@v0.3.7", "golang/golang.org/x/text", "v0.3.7"},
		{"pkg:npm/%40babel/core@7.24.0", "npm/@babel/core", "7.24.0"},
		{"pkg:npm/@babel/core", "npm/@babel/core", ""},
		{"pkg:pypi/Ruamel_yaml.clib@1.0", "pypi/ruamel-yaml-clib", "1.0"},
		{"pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64#x", "deb/debian/openssl", "1.1.1n-0+deb11u3"},
		{"pkg:GOLANG//a//b", "golang/a/b", ""},
		{"PKG:cargo/serde@1", "cargo/serde", "1"},
		{"pkg:", "", ""}, {"openssl", "", ""}, {"golang/a", "", ""}, {"pkg:golang/a@", "golang/a", ""}, {"pkg:golang", "", ""},
	} {
		if key, version := KeyOf(c.text); key != c.key || version != c.version {
			t.Errorf("%q: found %q, %q; expected %q, %q", c.text, key, version, c.key, c.version)
		}
	}
	if key := (PURL{Type: "pypi", Name: "A__b-.c"}).Key(); key != "pypi/a-b-c" {
		t.Errorf("found %q; expected pypi/a-b-c", key)
	}
	for _, text := range []string{"", "pkg:", "pkg:a", "pkg:golang/%zz", "pkg:golang/" + strings.Repeat("a", maxText), "http://a/b"} {
		if p, err := ParsePURL(text); !errors.Is(err, ErrPURL) {
			t.Errorf("%q: found %+v, %v; expected ErrPURL", text, p, err)
		}
	}
}

// TestCut says which purls are cut without being parsed.
func TestCut(t *testing.T) {
	for text, want := range map[string]bool{
		"golang/golang.org/x/Text-a_b@v0.3.7": true, "deb/debian/zlib1g": true, "npm/left-pad@1.3.0": true,
		"pypi/a": false, "golang": false, "golang/": false, "golang/a//b": false, "golang/a/": false, "npm/@a/b": false, "deb/a@1:2": false,
		"golang/a%20": false, "golang/a?b=c": false, "golang/a#b": false, "golang/{": false, "golang/[": false, "golang/:": false, "golang/a@1/2": false,
	} {
		if _, _, ok := cut(text); ok != want {
			t.Errorf("%q: found %v, expected %v", text, ok, want)
		}
	}
}

// FuzzKeyOf holds that cutting a purl gives what parsing it gives.
func FuzzKeyOf(f *testing.F) {
	for _, s := range []string{"pkg:golang/golang.org/x/text@v0.3.7", "pkg:npm/@a/b@1", "pkg:golang/a@@1", "pkg:deb/a/b@1%3A2?x=y", "pkg:npm/a@b/c", "pkg:generic/./..", "pkg:rpm//a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, version := KeyOf(text)
		p, err := ParsePURL(text)
		if err != nil {
			p = PURL{}
			if key != "" || version != "" {
				t.Fatalf("%q: cut into %q and %q, but it is none: %v", text, key, version, err)
			}
			return
		}
		if key != p.Key() || version != p.Version {
			t.Fatalf("%q: cut into %q and %q, parsed as %q and %q", text, key, version, p.Key(), p.Version)
		}
	})
}

// FuzzQuery holds that a query finds the component of its own name, and that
// what it finds has its name.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"text@<1", "@a/b@^1.2", "pkg:golang/a/b@>=1 <2", "a@1.x || 2", "pkg:pypi/A_b", "a/v2"} {
		f.Add(s, "1.2.3")
	}
	f.Fuzz(func(t *testing.T, text, version string) {
		q, err := ParseQuery(text)
		if err != nil {
			if !errors.Is(err, ErrQuery) {
				t.Fatalf("%q: an error that is no ErrQuery: %v", text, err)
			}
			return
		}
		if q.Name() == "" {
			t.Fatalf("%q: no name", text)
		}
		name, _, isName := strings.Cut(q.String(), "@")
		if !isName && !strings.HasPrefix(text, "pkg:") {
			if matches, known := q.Matches(Component{Name: name, Version: version}); !matches || !known {
				t.Fatalf("%q does not find a component of that name", text)
			}
		}
		for _, component := range []Component{goText, babel, log4j, openssl, yaml, devel, {Name: q.Name(), Version: version}} {
			matches, _ := q.Matches(component)
			if matches && !slices.Contains(Names(component), q.Name()) {
				t.Fatalf("%q finds %v, but its name %q is not among its names", text, component, q.Name())
			}
		}
	})
}
