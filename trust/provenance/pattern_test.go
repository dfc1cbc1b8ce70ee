package provenance

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	for text, test := range map[string]struct{ yes, no string }{
		"https://github.com/acme/tool":      {"https://github.com/acme/tool", "https://github.com/acme/tool-evil|https://github.com/acme/too|https://githubxcom/acme/tool|HTTPS://github.com/acme/tool|"},
		"dev+x@acme.example":                {"dev+x@acme.example", "devv@acme.example|devx@acme.example|xdev+x@acme.example"},
		"https://github.com/acme/*":         {"https://github.com/acme/tool|https://github.com/acme/", "https://github.com/acme/tool/x|https://github.com/acme-evil/tool|https://github.com/acme"},
		"https://github.com/acme/**":        {"https://github.com/acme/tool|https://github.com/acme/tool/x@y", "https://github.com/acme|https://github.com/acme-evil/x"},
		"https://h/*/w.yml@refs/tags/v*":    {"https://h/a/w.yml@refs/tags/v1.2|https://h//w.yml@refs/tags/v", "https://h/a/b/w.yml@refs/tags/v1|https://h/a/w.yml@refs/tags/v1/x|https://h/a/wxyml@refs/tags/v1"},
		"v?.?":                              {"v1.2|vä.2", "v1.|v1.23|v/.2|v1x2"},
		"a**b*c":                            {"abc|a/x/bc|abbxc", "a/b/c|ab|abcd"},
		"a***":                              {"a|axx|a/x", "b"},
		"a.*":                               {"a.b|a.", "ab|a.b/c"},
		"/https://github\\.com/acme/[^/]+/": {"https://github.com/acme/tool", "https://github.com/acme/tool/x|xhttps://github.com/acme/tool|https://github.com/acme/"},
		"/acme|other/":                      {"acme|other", "acmex|xother|acme/x"},
		"/^acme$/":                          {"acme", "xacme|acme\n"},
		"/(?m)^acme$/":                      {"acme", "x\nacme|acme\nx|acme\n"},
		"/(?i)acme/":                        {"ACME|acme", "acmes"},
		"/a.*/":                             {"a|axx/y", "ba|a\nb"},
		"//":                                {"", "x|/|//"},
		"x/":                                {"x/", "|x"},
		"/":                                 {"/", "//|"},
		"/x":                                {"/x", "x|/x/"},
		"a*\n":                              {"ab\n", "ab"},
	} {
		p, err := ParsePattern(text)
		must(t, err)
		for s := range strings.SplitSeq(test.yes, "|") {
			if !p.MatchString(s) {
				t.Errorf("%s: expected a match of %q", text, s)
			}
		}
		for s := range strings.SplitSeq(test.no, "|") {
			if p.MatchString(s) {
				t.Errorf("%s: expected no match of %q", text, s)
			}
		}
		if p.String() != text || p.IsZero() {
			t.Errorf("expected %q, found %q", text, p)
		}
	}
}

func TestPatternsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "too long": strings.Repeat("x", MaxPatternBytes+1), "not UTF-8": "a\xff",
		"open group": "/(a/", "open class": "/[a/", "only an expression within a group": "/a)|(b/", "quote to the end": `/\Qa/`,
		"backslash at the end": `/a\/`, "too much repetition": "/(a{1000}){1000}/",
	} {
		if _, err := ParsePattern(text); !errors.Is(err, ErrPattern) {
			t.Errorf("%s: expected %v, found %v", name, ErrPattern, err)
		}
	}
	if _, err := ParsePattern(strings.Repeat("x", MaxPatternBytes)); err != nil {
		t.Error(err)
	}
}

func TestPatternInDocuments(t *testing.T) {
	t.Parallel()
	var zero Pattern
	if zero.MatchString("") || !zero.IsZero() {
		t.Error("the zero pattern matches")
	}
	id := Identity{Issuer: Pattern{"a"}, Subject: Pattern{"/b/"}}
	text, err := json.Marshal(id)
	must(t, err)
	if string(text) != `{"issuer":"a","identity":"/b/"}` {
		t.Errorf("found %s", text)
	}
	var again Identity
	must(t, json.Unmarshal(text, &again))
	if again != id {
		t.Errorf("expected %v, found %v", id, again)
	}
	must(t, json.Unmarshal([]byte(`{"issuer":""}`), &again))
	if !again.Issuer.IsZero() {
		t.Errorf("expected no issuer, found %q", again.Issuer)
	}
	if err := json.Unmarshal([]byte(`{"issuer":"/(/"}`), &again); !errors.Is(err, ErrPattern) {
		t.Errorf("expected %v, found %v", ErrPattern, err)
	}
}
