package provenance

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"testing"
)

// The bound is on what is counted, not on time: see FuzzPattern for how that
// bounds the program.
func TestExpressionsThatCostTooMuch(t *testing.T) {
	t.Parallel()
	tooMany := func(n int) string {
		return fmt.Sprintf("at most 1024 steps with its repetitions written out, found %d in ", n)
	}
	const classes, folded = "without Unicode classes", "nothing but ASCII"
	for source, says := range map[string]string{
		strings.Repeat("[a-z]{1000}", 80):  tooMany(80*1000 + 1), // and one for their sequence
		"a{1000}b{23}":                     "",
		"a{1000}b{24}":                     tooMany(1025),
		"(?:a{10}bc){78}":                  "",
		"(?:a{10}bc){79}":                  tooMany(79 * 13),
		".{1,205}":                         "",
		".{1,206}":                         tooMany(206 + 4*205),
		".{255}.{253,}":                    "",
		"(?:.{500}){2,}!":                  "",
		"(?:.{100}x){10,}!":                tooMany(10*102 + 4 + 1 + 1),
		strings.Repeat(".*", 204):          "",
		strings.Repeat(".+", 205):          tooMany(205*5 + 1),
		strings.Repeat("(b)?", 114):        tooMany(114*9 + 1),
		"(?:ab|.c){64}":                    "",
		"(?:ab|.c){1,80}":                  tooMany(80*9 + 4*79),
		"[acegikmoqsuwy]{206}":             "",
		"[acegikmoqsuwy]{257}":             tooMany(257 * 4),
		`\pL`:                              classes,
		`[\PL]`:                            classes,
		`a\p{Greek}`:                       classes,
		`(?i)[B-\x{1e942}]`:                folded,
		`(?i)[B-\777]`:                     folded,
		"(?i)[B-\U0001e942]":               folded,
		"(?s-m:a)(?mi:[B-ä])":              folded,
		"(?-i)[B-ä]":                       folded,
		"(?s)[B-ä]":                        "",
		`[B-\x{1e942}]`:                    "",
		"(?i)https://acme-i.example/[!-~]": "",
		"(?P<i>ä)":                         "",
	} {
		p, err := ParsePattern("/" + source + "/")
		if says == "" {
			must(t, err)
			continue
		}
		if !errors.Is(err, ErrPattern) || !strings.Contains(err.Error(), says) || !p.IsZero() {
			t.Errorf("%s: expected %v, %q, found %v", source, ErrPattern, says, err)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		"": 1, "abc": 3, ".": 1, "[a-z]": 1, "[acegikmo]": 3, "(a)": 5, "(?:a)": 1, "ab.": 4, "a*": 5, "a+?": 5, "a?": 5,
		"a{3}": 3, "a{0}": 1, "a{2,}": 6, "a{0,}": 5, "a{1,3}": 11, "(?:ab|.c|d)": 2 + 3 + 1 + 2*4, `\bx$`: 4,
	} {
		parsed, err := syntax.Parse(source, syntax.Perl)
		must(t, err)
		if found := steps(parsed); found != want {
			t.Errorf("%q: expected %d, found %d", source, want, found)
		}
		holdSize(t, source)
	}
}

func TestGlobsAreShort(t *testing.T) {
	t.Parallel()
	for glob, want := range map[string]string{
		"a*b?c":                         "(?s)a[^/]*b[^/]c",
		"**":                            "(?s).*",
		strings.Repeat("*", 1023) + ".": `(?s).*\.`,
		"*****?***a*":                   "(?s).*[^/].*a[^/]*",
	} {
		if found := fromGlob(glob); found != want {
			t.Errorf("%s: expected %s, found %s", glob, want, found)
		}
	}
}

// Not parallel, as what is counted is of the whole process.
func TestPatternsAreCompiledOnce(t *testing.T) {
	const issuer, workflow = "https://issuer.example/ci", "https://git.example/acme/tool/w.yml@refs/tags/v1"
	signed := &Signed{Signer: Signer{Issuer: issuer, Identity: workflow}}
	for _, subject := range []string{workflow, "https://git.example/acme/**", `/https://git\.example/acme/.*/`} {
		id := Identity{Issuer: pattern(t, "https://issuer.example/c*"), Subject: pattern(t, subject)}
		const compiling = 20 // allocations, and more, of the smallest expression
		if n := testing.AllocsPerRun(100, func() {
			if !id.Matches(signed) {
				t.Fatalf("%s: expected a match", subject)
			}
		}); n >= compiling {
			t.Errorf("%s: expected fewer than %d allocations, found %v", subject, compiling, n)
		}
	}
}
