package provenance

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxPatternBytes is the most bytes of a pattern's text.
const MaxPatternBytes = 1024

// Pattern is text that is compared exactly, a glob, or a regular expression
// (https://github.com/google/re2/wiki/Syntax) between slashes. All are anchored
// at both ends, whatever an expression says. In a glob "*" stands for any
// characters but "/", "**" for any at all, "?" for one but "/"; text is a glob
// as soon as it holds one of them, and so a name with a "?" of its own has to be
// written as an expression. The zero Pattern matches nothing. Patterns of the
// same text are equal by ==.
type Pattern struct {
	text string
}

// ParsePattern reads a pattern of 1 to MaxPatternBytes bytes. The error wraps
// ErrPattern.
func ParsePattern(text string) (Pattern, error) {
	switch {
	case text == "":
		return Pattern{}, fmt.Errorf("%w: expected a pattern, found nothing", ErrPattern)
	case len(text) > MaxPatternBytes:
		return Pattern{}, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrPattern, MaxPatternBytes, len(text))
	case !utf8.ValidString(text):
		return Pattern{}, fmt.Errorf("%w: expected UTF-8, found %s", ErrPattern, quote(text))
	}
	p := Pattern{text: text}
	source, _ := p.source() // none for text, which can't be wrong
	// Alone first: "a)|(b" only becomes an expression by what is put around it, and
	// would then not be anchored.
	if _, err := regexp.Compile(source); err != nil {
		return Pattern{}, fmt.Errorf("%w: expected a regular expression, found %s", ErrPattern, quote(source))
	}
	if _, err := regexp.Compile(anchored(source)); err != nil {
		return Pattern{}, fmt.Errorf("%w: expected a regular expression that ends what it begins, found %s", ErrPattern, quote(source))
	}
	return p, nil
}

// source is the pattern as a regular expression without anchors, unless it is
// text to be compared.
func (p Pattern) source() (source string, isText bool) {
	if source, ok := p.expression(); ok {
		return source, false
	}
	if strings.ContainsAny(p.text, "*?") {
		return fromGlob(p.text), false
	}
	return "", true
}

// expression is what stands between the slashes of a regular expression.
func (p Pattern) expression() (string, bool) {
	if len(p.text) < 2 || p.text[0] != '/' || p.text[len(p.text)-1] != '/' {
		return "", false
	}
	return p.text[1 : len(p.text)-1], true
}

// anchored binds an expression to both ends of the text; flags within it end
// with the group, so that even (?m) can't loosen that.
func anchored(source string) string { return `\A(?:` + source + `)\z` }

// MatchString reports whether the whole of s matches. It takes time in
// proportion to the lengths of pattern and s.
func (p Pattern) MatchString(s string) bool {
	source, isText := p.source()
	if isText {
		return !p.IsZero() && s == p.text
	}
	return regexp.MustCompile(anchored(source)).MatchString(s) // ParsePattern has compiled it
}

// fromGlob writes a glob as a regular expression.
func fromGlob(glob string) string {
	var b strings.Builder
	b.WriteString("(?s)")
	for i := 0; i < len(glob); {
		switch {
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i += 2
		case glob[i] == '*':
			b.WriteString("[^/]*")
			i++
		case glob[i] == '?':
			b.WriteString("[^/]")
			i++
		default:
			end := i + strings.IndexAny(glob[i:]+"*", "*?")
			b.WriteString(regexp.QuoteMeta(glob[i:end]))
			i = end
		}
	}
	return b.String()
}

// probes are names that nobody has: invalid is a reserved domain (RFC 2606). A
// pattern that matches one of them would match whoever comes.
var probes = []string{
	"x", "https://issuer.invalid", "https://issuer.invalid/a/b", "nobody@issuer.invalid",
	"https://issuer.invalid/a/b/.github/workflows/c.yml@refs/heads/d", "spiffe://issuer.invalid/a",
}

// checkNarrow refuses a pattern that matches everything, or everybody's names of
// one form.
func (p Pattern) checkNarrow() error {
	for _, probe := range probes {
		if p.MatchString(probe) && p.text != probe {
			return fmt.Errorf("%w: expected one that leaves somebody out, found %s, which matches %q too", ErrPattern, quote(p.text), probe)
		}
	}
	return nil
}

// String is the text that ParsePattern read.
func (p Pattern) String() string { return p.text }

// IsZero reports whether p is the zero Pattern.
func (p Pattern) IsZero() bool { return p.text == "" }

// MarshalText writes the text that ParsePattern read.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText reads what ParsePattern reads; an empty text is the zero Pattern.
func (p *Pattern) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Pattern{}
		return nil
	}
	parsed, err := ParsePattern(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
