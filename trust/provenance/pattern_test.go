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
		"a****?":                            {"ab|a/b|a//x", "a|a/"},
		"*?*/?":                             {"a/b|abc/d", "/b|a/|a/b/c"},
		"/(?i)[a-z]{2,3}/":                  {"aB|ABC", "a|abcd"},
		"/[a-f0-9]{40}/":                    {"0123456789abcdef0123456789abcdef01234567", "0123456789abcdef|0123456789ABCDEF0123456789abcdef01234567"},
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
	const alone, ends = "expected a regular expression, found", "expected a regular expression that ends what it begins"
	for name, test := range map[string]struct{ text, says string }{
		"empty":                             {"", "found nothing"},
		"too long":                          {strings.Repeat("x", MaxPatternBytes+1), "expected at most 1024 bytes, found 1025"},
		"not UTF-8":                         {"a\xff", "expected UTF-8"},
		"open group":                        {"/(a/", alone},
		"open class":                        {"/[a/", alone},
		"only an expression within a group": {"/a)|(b/", alone},
		"quote to the end":                  {`/\Qa/`, ends},
		"backslash at the end":              {`/a\/`, alone},
		"repetition of repetitions":         {"/(a{1000}){1000}/", alone},
	} {
		if p, err := ParsePattern(test.text); !errors.Is(err, ErrPattern) || !strings.Contains(err.Error(), test.says) || !p.IsZero() {
			t.Errorf("%s: expected %v, %q, found %v", name, ErrPattern, test.says, err)
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
	id := Identity{Issuer: pattern(t, "a"), Subject: pattern(t, "/b/")}
	text, err := json.Marshal(id)
	must(t, err)
	if string(text) != `{"issuer":"a","identity":"/b/"}` {
		t.Errorf("found %s", text)
	}
	var again Identity
	must(t, json.Unmarshal(text, &again))
	if again.Issuer.String() != "a" || again.Subject.String() != "/b/" || !again.Subject.MatchString("b") {
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
