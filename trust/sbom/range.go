package sbom

import (
	"fmt"
	"strings"

	"assay/artifact"
)

// maxComparators is the most comparators of a range.
const maxComparators = 32

// Range is a set of versions of a component, whatever their spelling. Unlike an
// artifact.Range it holds the pre-releases between its bounds, as what is wrong
// with versions below 2.17.1 is wrong with 2.17.1-rc1. The zero value holds every
// version, stated or not.
type Range struct {
	text string
	any  [][]comparator // one of the lists must hold as a whole
}

// comparator is one condition.
type comparator struct {
	op      string // = != < <= > >= ^ ~, or "x" for a beginning
	version string
}

// operators, the longer before those they begin with.
var operators = []string{"==", "!=", "<=", ">=", "~>", "=", "<", ">", "^", "~"}

// ParseRange reads a range:
//
//	1.2.3         that version
//	1.2  1.2.x    every version that begins with 1.2
//	>=1.2 <2      both conditions; a comma may stand between them
//	^1.4          from 1.4 on, with the same first number that is not zero
//	~1.4.2        from 1.4.2 on, with the same first two numbers
//	<1.2 || =1.4  either
//	*             every version
//
// An empty text is "*". The error wraps ErrQuery.
func ParseRange(text string) (Range, error) {
	r := Range{text: strings.TrimSpace(text)}
	if len(r.text) > maxQuery {
		return Range{}, wrong(ErrQuery, "range", fmt.Sprintf("at most %d bytes", maxQuery), fmt.Sprint(len(r.text)))
	}
	if r.text == "" || r.text == "*" {
		return r, nil
	}
	count := 0
	for part := range strings.SplitSeq(r.text, "||") {
		list, err := parseComparators(part)
		if err != nil {
			return Range{}, err
		}
		if count += len(list); count > maxComparators {
			return Range{}, wrong(ErrQuery, "range", fmt.Sprintf("at most %d conditions", maxComparators), "more")
		}
		r.any = append(r.any, list)
	}
	return r, nil
}

// parseComparators reads conditions that must hold together.
func parseComparators(text string) ([]comparator, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	var list []comparator
	for i := 0; i < len(words); i++ {
		word := words[i]
		op := "="
		explicit := false
		for _, known := range operators {
			if rest, ok := strings.CutPrefix(word, known); ok {
				op, word, explicit = known, rest, true
				break
			}
		}
		if word == "" && i+1 < len(words) {
			i++
			word = words[i]
		}
		c, err := newComparator(op, word, explicit)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, wrong(ErrQuery, "range", "a condition like <1.2", quote(text))
	}
	return list, nil
}

func newComparator(op, version string, explicit bool) (comparator, error) {
	if version == "" || len(version) > artifact.MaxVersion || strings.ContainsAny(version, "<>=^|") || version[0] == '~' || version[0] == '!' {
		return comparator{}, wrong(ErrQuery, "range", "a version behind "+op, quote(version))
	}
	switch op {
	case "==":
		op = "="
	case "~>":
		op = "~"
	}
	if op == "=" {
		beginning, wild := cutWildcard(version)
		if parts := numbers(bare(beginning)); wild || !explicit && isNumbers(beginning) && len(parts) < 3 {
			if !isVersion(beginning) {
				return comparator{}, wrong(ErrQuery, "range", "numbers before the wildcard", quote(version))
			}
			return comparator{"x", beginning}, nil
		}
		return comparator{"=", version}, nil
	}
	if !isVersion(version) && op != "!=" {
		return comparator{}, wrong(ErrQuery, "range", "a version that can be compared behind "+op, quote(version))
	}
	return comparator{op, version}, nil
}

// cutWildcard takes the .x or .* off the end.
func cutWildcard(version string) (beginning string, wild bool) {
	for _, suffix := range []string{".x", ".X", ".*"} {
		for strings.HasSuffix(version, suffix) {
			version, wild = strings.TrimSuffix(version, suffix), true
		}
	}
	return version, wild
}

// isNumbers reports whether version is numbers and dots only, after a "v".
func isNumbers(version string) bool {
	return strings.Trim(bare(version), "0123456789.") == ""
}

// String is the text that the range was read from.
func (r Range) String() string { return r.text }

// IsAny reports whether the range holds every version.
func (r Range) IsAny() bool { return len(r.any) == 0 }

// Contains reports whether a version of a package of the kind (the type of its
// purl, or nothing) is in the range. Where it can't be compared, known is false
// and contains is true.
func (r Range) Contains(kind, version string) (contains, known bool) {
	if r.IsAny() {
		return true, true
	}
	version, known = strings.TrimSpace(version), true
	for _, list := range r.any {
		all, allKnown := true, true
		for _, c := range list {
			holds, ok := c.holds(kind, version)
			all = all && (holds || !ok)
			allKnown = allKnown && ok
		}
		if all && allKnown {
			return true, true
		}
		if all {
			known = false
		}
	}
	return !known, known
}

// holds reports whether the version meets the condition.
func (c comparator) holds(kind, version string) (holds, known bool) {
	if !isVersion(c.version) {
		// A word, like a branch, which only = and != have: it equals itself alone.
		return (version == c.version) == (c.op == "="), version != ""
	}
	// Who asks by hand leaves out the epoch.
	if wanted, _ := splitEpoch(c.version); wanted == "" {
		_, version = splitEpoch(version)
	}
	order, known := Compare(kind, version, c.version)
	if !known {
		return false, false
	}
	switch c.op {
	case "=":
		return order == 0, true
	case "!=":
		return order != 0, true
	case "<":
		return order < 0, true
	case "<=":
		return order <= 0, true
	case ">":
		return order > 0, true
	case ">=":
		return order >= 0, true
	case "x":
		return beginsWith(version, numbers(bare(c.version))), true
	case "^":
		return order >= 0 && beginsWith(version, caretNumbers(c.version)), true
	}
	parts := numbers(bare(c.version))
	return order >= 0 && beginsWith(version, parts[:min(len(parts), 2)]), true
}

func splitEpoch(version string) (number, rest string) {
	if !strings.ContainsAny(version, ":!") {
		return "", version
	}
	number, rest = epoch(version, ":!")
	if rest == version {
		return "", version
	}
	return number, rest
}

// caretNumbers are the numbers that ^ keeps: up to the first that is not zero.
func caretNumbers(version string) []string {
	parts := numbers(bare(version))
	for i, part := range parts {
		if !isZero(part) {
			return parts[:i+1]
		}
	}
	return parts
}

// numbers are the numbers at the beginning of a version, with dots between them.
func numbers(version string) []string {
	_, version = splitEpoch(version)
	var parts []string
	for {
		number, rest := takeRun(version, isDigit)
		if number == "" {
			return parts
		}
		parts = append(parts, number)
		if rest == "" || rest[0] != '.' {
			return parts
		}
		version = rest[1:]
	}
}

// beginsWith compares the first numbers of version; those it does not have are 0.
func beginsWith(version string, wanted []string) bool {
	have := numbers(bare(version))
	for i, number := range wanted {
		found := "0"
		if i < len(have) {
			found = have[i]
		}
		if compareNumbers(found, number) != 0 {
			return false
		}
	}
	return true
}
