package provenance

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// MaxPatternSteps is the most steps of an expression, with its repetitions
// written out: a character, class or sequence is one; a group that is not (?:…)
// four; each choice between ways to go on (as of ?, *, | and {2,3}) four. Names
// of up to 200 characters, "[a-z]{1,200}", are 1,000 steps or so. It bounds what
// each pattern of a project's file costs to a millisecond or so.
const MaxPatternSteps = 1024

// choiceSteps is the weight of a choice or a group. A choice may be open at every
// character of what is matched, where the places of all groups are kept for it:
// that costs more than to compile them.
const choiceSteps = 4

// rangesPerStep is how many ends of ranges of a class count as a step.
const rangesPerStep = 8

// expression is what stands between the slashes of a regular expression.
func expression(text string) (string, bool) {
	if len(text) < 2 || text[0] != '/' || text[len(text)-1] != '/' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

// anchored binds an expression to both ends of the text; flags within it end
// with the group, so that even (?m) can't loosen that.
func anchored(source string) string { return `\A(?:` + source + `)\z` }

// checkExpression refuses what is no expression by itself, and what costs too
// much, before any of that is spent. By itself, as "a)|(b" only becomes an
// expression by what is put around it, and would then not be anchored.
func checkExpression(source string) error {
	if err := checkUnicode(source); err != nil {
		return err
	}
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return fmt.Errorf("%w: expected a regular expression, found %s", ErrPattern, quote(source))
	}
	if n := steps(parsed); n > MaxPatternSteps {
		return fmt.Errorf("%w: expected an expression of at most %d steps with its repetitions written out, found %d in %s",
			ErrPattern, MaxPatternSteps, n, quote(source))
	}
	return nil
}

var (
	unicodeClass = regexp.MustCompile(`\\[pP]`)
	ignoresCase  = regexp.MustCompile(`\(\?[imsU-]*i`)
	beyondASCII  = regexp.MustCompile(`[^\x00-\x7F]|\\[x0-7]`)
)

// checkUnicode refuses what keeps even the parser busy: it spells Unicode classes
// out, hundreds of ranges for three bytes, and looks for the other cases of each
// character of a range, 125,000 for ten bytes. It looks at the bytes alone, so
// that nothing hides from it, and may refuse an escaped backslash before such a
// letter.
func checkUnicode(source string) error {
	if unicodeClass.MatchString(source) {
		return fmt.Errorf("%w: expected an expression without Unicode classes (\\p, \\P), found %s", ErrPattern, quote(source))
	}
	if ignoresCase.MatchString(source) && beyondASCII.MatchString(source) {
		return fmt.Errorf("%w: expected nothing but ASCII, and no \\x or \\0 to \\7, in an expression that ignores case (?i), found %s", ErrPattern, quote(source))
	}
	return nil
}

// steps is the weight of an expression, see MaxPatternSteps. The parser has
// bounded its depth, and repetitions within each other to 1,000 in all.
func steps(re *syntax.Regexp) int {
	n := 0
	for _, sub := range re.Sub {
		n += steps(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass:
		return 1 + len(re.Rune)/rangesPerStep
	case syntax.OpCapture, syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		return n + choiceSteps
	case syntax.OpAlternate:
		return n + choiceSteps*(len(re.Sub)-1)
	case syntax.OpRepeat:
		if re.Max < 0 { // and any more
			return n*max(re.Min, 1) + choiceSteps
		}
		return n*max(re.Max, 1) + choiceSteps*(re.Max-re.Min)
	}
	return n + 1
}

// fromGlob writes a glob as a regular expression. It takes stars that follow each
// other for one, so that at most as many of its places are open at once as
// characters were read.
func fromGlob(glob string) string {
	var b strings.Builder
	b.WriteString("(?s)")
	for glob != "" {
		end := strings.IndexAny(glob+"*", "*?")
		b.WriteString(regexp.QuoteMeta(glob[:end]))
		glob = glob[end:]
		rest := strings.TrimLeft(glob, "*")
		switch stars := len(glob) - len(rest); {
		case stars > 1:
			b.WriteString(".*")
		case stars == 1:
			b.WriteString("[^/]*")
		case rest != "": // the "?"
			b.WriteString("[^/]")
			rest = rest[1:]
		}
		glob = rest
	}
	return b.String()
}
