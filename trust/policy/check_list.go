package policy

import (
	"fmt"
	"slices"
	"strings"

	"assay/trust/provenance"
)

// Strangers are what nobody means to accept. A pattern that matches all of a
// list matches everything of its sort.
var (
	urlStrangers = []string{"https://stranger.invalid/a/b", "https://other.invalid/c"}
	refStrangers = []string{"refs/heads/stranger", "refs/tags/stranger", "refs/pull/1/merge"}
)

func checkPatterns(field string, patterns []provenance.Pattern, strangers []string) *fault {
	if patterns == nil {
		return nil
	}
	if n := len(patterns); n == 0 || n > MaxList {
		return faultf(field, "expected 1 to %d patterns, found %d", MaxList, n)
	}
	for i, pattern := range patterns {
		if found := checkPattern(at(field, i), pattern, strangers); found != nil {
			return found
		}
		if slices.ContainsFunc(patterns[:i], func(p provenance.Pattern) bool { return p.String() == pattern.String() }) {
			return faultf(at(field, i), "expected each once, found %s twice", quote(pattern.String()))
		}
	}
	return nil
}

func checkPattern(field string, pattern provenance.Pattern, strangers []string) *fault {
	if pattern.IsZero() {
		return faultf(field, "expected a pattern, found none")
	}
	if strings.Trim(pattern.String(), "*?") == "" || !slices.ContainsFunc(strangers, func(s string) bool { return !pattern.MatchString(s) }) {
		return faultf(field, "expected a pattern that keeps something out, found %s", quote(pattern.String()))
	}
	return nil
}

// checkTexts is for lists of texts that whoever wrote them spells out.
func checkTexts(field string, texts []string) *fault {
	if n := len(texts); n == 0 || n > MaxList {
		return faultf(field, "expected 1 to %d, found %d", MaxList, n)
	}
	for i, text := range texts {
		if len(text) > maxText {
			return faultf(at(field, i), "expected at most %d bytes, found %d", maxText, len(text))
		}
		if slices.ContainsFunc(texts[:i], func(other string) bool { return strings.EqualFold(text, other) }) {
			return faultf(at(field, i), "expected each once, found %s twice", quote(text))
		}
	}
	return nil
}

// checkWords is for lists of words of which all are known. A list that is left
// out is nil.
func checkWords[W ~string](field string, words, known []W) *fault {
	if words != nil && len(words) == 0 {
		return faultf(field, "expected some of %s, found an empty list", list(known))
	}
	for i, word := range words {
		if !slices.Contains(known, word) {
			return faultf(at(field, i), "expected one of %s, found %s", list(known), quote(string(word)))
		}
		if slices.Contains(words[:i], word) {
			return faultf(at(field, i), "expected each once, found %s twice", quote(string(word)))
		}
	}
	return nil
}

func list[W ~string](words []W) string {
	var texts []string
	for _, word := range words {
		texts = append(texts, string(word))
	}
	return strings.Join(texts, ", ")
}

func at(field string, index int) string { return fmt.Sprintf("%s.%d", field, index) }
