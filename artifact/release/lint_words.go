package release

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// isPlaceholder reports whether a text only stands where one should be.
func isPlaceholder(text string) bool {
	return slices.Contains([]string{
		"", "n a", "na", "tbd", "tba", "todo", "fixme", "xxx", "unknown", "unspecified", "undefined", "null", "nil",
	}, plainWords(text))
}

// isCrowd reports whether a text names nobody who could be asked: a crowd like
// "The Hello community", everybody, or nobody.
func isCrowd(text string) bool {
	words := strings.Fields(strings.TrimPrefix(plainWords(text)+" ", "the "))
	if len(words) == 0 || !strings.ContainsFunc(text, unicode.IsLetter) {
		return true
	}
	crowds := []string{"community", "communities", "contributors", "contributor", "volunteers", "authors", "users", "everyone", "everybody", "people"}
	if slices.Contains(crowds, words[len(words)-1]) {
		return true
	}
	nobody := []string{
		"none", "nobody", "no one", "anonymous", "anyone", "various", "others", "someone", "public", "internet", "world",
		"team", "publisher", "maintainer", "maintainers", "developer", "developers", "owner", "vendor", "example",
	}
	return slices.Contains(nobody, strings.Join(words, " "))
}

// plainWords is a text in lower case with one space in place of whatever stands
// between its letters and digits.
func plainWords(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
}

// isAddress reports whether one can follow a text: an absolute URL with a host,
// or a mail address.
func isAddress(text string) bool {
	if strings.ContainsFunc(text, unicode.IsSpace) {
		return false
	}
	mail := strings.TrimPrefix(text, "mailto:")
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && u.Hostname() != "" {
		return true
	}
	name, host, _ := strings.Cut(mail, "@")
	return name != "" && strings.Contains(strings.Trim(host, "."), ".") && !strings.ContainsAny(mail, "/:<>()") && !strings.Contains(host, "@")
}

// hasAddress reports whether a word of a text is an address.
func hasAddress(text string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(word string) bool { return isAddress(strings.Trim(word, "<>()[],.;")) })
}

// checkRepository says what is wrong with the address of a source repository,
// and how to mend it; "" for nothing.
func checkRepository(text string) (found, mend string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || u.Hostname() == "":
		return quote(text), "write it like https://git.example/hello/hello"
	case u.User != nil:
		return quote(u.Redacted()), "leave the user and the password out"
	}
	return "", ""
}

// isRevision reports whether a text is the full id of a git or Mercurial
// revision: a SHA-1 or SHA-256 in lower-case hex.
func isRevision(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}
