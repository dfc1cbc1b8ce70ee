package release

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// errPURL is wrapped by every error about the form of a package URL.
var errPURL = errors.New("not a package URL")

// checkPURL checks the syntax of a package URL, pkg:TYPE/NAMESPACE/NAME@VERSION
// with qualifiers behind "?" and a subpath behind "#" (the package URL
// specification, ECMA-427), and returns its version, unescaped; empty where it
// names none. What single types demand is not looked at.
func checkPURL(text string) (version string, err error) {
	rest, ok := strings.CutPrefix(text, "pkg:")
	if !ok {
		return "", fmt.Errorf("%w: expected pkg: at its beginning, found %s", errPURL, describeText(text))
	}
	if strings.ContainsAny(text, " \t") {
		return "", fmt.Errorf("%w: expected no blanks, found %s", errPURL, quote(text))
	}
	rest, subpath, _ := strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	kind, rest, _ := strings.Cut(rest, "/")
	if !isPURLType(kind) {
		return "", fmt.Errorf("%w: expected a type in lower case like golang or npm behind pkg:, found %s", errPURL, describeText(kind))
	}
	name := rest
	// An "@" that is no version's stands before a slash, as in npm's scopes.
	if at := strings.LastIndexByte(rest, '@'); at > strings.LastIndexByte(rest, '/') {
		name = rest[:at]
		// What can't be unescaped is empty, too.
		if version, _ = url.PathUnescape(rest[at+1:]); version == "" {
			return "", fmt.Errorf("%w: expected a version behind @, found %s", errPURL, describeText(rest[at+1:]))
		}
	}
	for segment := range strings.SplitSeq(name, "/") {
		if plain, _ := url.PathUnescape(segment); plain == "" {
			return "", fmt.Errorf("%w: expected a name behind the type, with percent signs only as escapes, found %s", errPURL, describeText(name))
		}
	}
	if hasQuery {
		for pair := range strings.SplitSeq(query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			if _, err := url.PathUnescape(value); err != nil || key == "" || value == "" {
				return "", fmt.Errorf("%w: expected KEY=VALUE behind the question mark, found %s", errPURL, describeText(pair))
			}
		}
	}
	if _, err := url.PathUnescape(subpath); err != nil {
		return "", fmt.Errorf("%w: expected percent signs only as escapes, found %s", errPURL, quote(subpath))
	}
	return version, nil
}

// isPURLType reports whether a text can be a type: letters, digits, ".", "+" and
// "-", beginning with a letter. It is case-insensitive, and written in lower case.
func isPURLType(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (i == 0 || c != '.' && c != '+' && c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return text != ""
}
