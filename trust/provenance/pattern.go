package provenance

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// MaxPatternBytes is the most bytes of a pattern's text.
const MaxPatternBytes = 1024

// Pattern is text that is compared exactly, a glob, or a regular expression
// (https://github.com/google/re2/wiki/Syntax) between slashes. All are anchored
// at both ends, whatever an expression says. In a glob "*" stands for any
// characters but "/", "**" for any at all, "?" for one but "/"; text is a glob
// as soon as it holds one of them, and so a name with a "?" of its own has to be
// written as an expression. The zero Pattern matches nothing.
//
// A Pattern is a value, to be copied freely and used by several goroutines at
// once. Two are the same if their String is; == does not compile.
type Pattern struct {
	text    string
	program func() *program // nil: text that is compared exactly
}

// program is what a glob or an expression is compiled to, once, and when it is
// first needed: whoever reads many may count them before any costs much.
type program struct {
	whole *regexp.Regexp
	probe int // of probes, the first that it matches; -1: none
}

func compile(source string) *program {
	p := &program{whole: regexp.MustCompile(source)} // ParsePattern has parsed it
	// Whether it is narrow is asked at every match, and so found out here.
	p.probe = slices.IndexFunc(probes, p.whole.MatchString)
	return p
}

// ParsePattern reads a pattern of 1 to MaxPatternBytes bytes, and of at most
// MaxPatternSteps as an expression. An expression has no Unicode classes (\p, \P)
// and is of ASCII alone if it ignores case (?i). The error wraps ErrPattern.
func ParsePattern(text string) (Pattern, error) {
	switch {
	case text == "":
		return Pattern{}, fmt.Errorf("%w: expected a pattern, found nothing", ErrPattern)
	case len(text) > MaxPatternBytes:
		return Pattern{}, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrPattern, MaxPatternBytes, len(text))
	case !utf8.ValidString(text):
		return Pattern{}, fmt.Errorf("%w: expected UTF-8, found %s", ErrPattern, quote(text))
	}
	source, isExpression := expression(text)
	switch {
	case isExpression:
		if err := checkExpression(source); err != nil {
			return Pattern{}, err
		}
	case strings.ContainsAny(text, "*?"):
		source = fromGlob(text)
	default:
		return Pattern{text: text}, nil
	}
	source = anchored(source)
	if _, err := syntax.Parse(source, syntax.Perl); err != nil {
		return Pattern{}, fmt.Errorf("%w: expected a regular expression that ends what it begins, found %s", ErrPattern, quote(text))
	}
	return Pattern{text: text, program: sync.OnceValue(func() *program { return compile(source) })}, nil
}

// MatchString reports whether the whole of s matches. It takes time in
// proportion to the lengths of pattern and s.
func (p Pattern) MatchString(s string) bool {
	if p.program != nil {
		return p.program().whole.MatchString(s)
	}
	return !p.IsZero() && s == p.text
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
