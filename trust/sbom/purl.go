package sbom

import (
	"fmt"
	"strings"

	"github.com/package-url/packageurl-go"
)

// PURL is a package URL, without its qualifiers and subpath: which package it
// is, not which build of it.
type PURL struct {
	Type      string // like golang, npm, deb; lower case
	Namespace string // like golang.org/x, @babel, debian; empty: none
	Name      string
	Version   string // in its own spelling; empty: any
}

// ParsePURL reads a package URL (ECMA-427). The error wraps ErrPURL.
func ParsePURL(text string) (PURL, error) {
	if len(text) > maxText {
		return PURL{}, wrong(ErrPURL, "", fmt.Sprintf("at most %d bytes", maxText), fmt.Sprint(len(text)))
	}
	read, err := guarded(ErrPURL, func() (packageurl.PackageURL, error) { return packageurl.FromString(text) })
	if err != nil {
		return PURL{}, wrong(ErrPURL, "", "one like pkg:golang/golang.org/x/text@v0.3.7", quote(text)+": "+quote(err.Error()))
	}
	return PURL{Type: read.Type, Namespace: read.Namespace, Name: read.Name, Version: read.Version}, nil
}

// Key names the package without its version, in lower case, as type/namespace/name.
// Two purls of one package have the same key. Some kinds of package tell letters
// of both cases apart; the key does not, as for a reader who looks for what is
// wrong with a package one too many is better than one too few.
func (p PURL) Key() string {
	key := p.Type + "/" + p.Name
	if p.Namespace != "" {
		key = p.Type + "/" + p.Namespace + "/" + p.Name
	}
	key = strings.ToLower(key)
	if p.Type == packageurl.TypePyPi {
		// Python's names take runs of these for the same (PEP 503).
		key = "pypi/" + squeeze(key[len("pypi/"):])
	}
	return key
}

// squeeze writes each run of "-", "_" and "." as one "-".
func squeeze(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	return strings.Join(words, "-")
}

// KeyOf gives the key and the version of a purl, empty ones for a text that is
// none. It is for the many purls of bills of materials: the usual form, with
// nothing to unescape, is cut and not parsed.
func KeyOf(purl string) (key, version string) {
	rest, _ := strings.CutPrefix(purl, "pkg:")
	path, version, ok := cut(rest)
	if len(rest) == len(purl) || len(purl) > maxText || !ok {
		p, err := ParsePURL(purl)
		if err != nil {
			return "", ""
		}
		return p.Key(), p.Version
	}
	return strings.ToLower(path), version
}

// cut splits "type/namespace/name@version" where no rule of its type and no
// escape asks for more: ok is false for everything unusual.
func cut(rest string) (path, version string, ok bool) {
	kind, _, _ := strings.Cut(rest, "/")
	switch kind {
	case "golang", "npm", "maven", "cargo", "gem", "nuget", "github", "generic", "deb", "rpm", "apk":
	default:
		return "", "", false
	}
	path, version, _ = strings.Cut(rest, "@")
	if !isPlain(path, "/") || !isPlain(version, "") {
		return "", "", false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			return "", "", false
		}
	}
	return path, version, len(path) > len(kind)
}

// isPlain reports whether text has letters, digits, ".", "_", "-" and the bytes
// of more only.
func isPlain(text, more string) bool {
	for i := range len(text) {
		c := text[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-' ||
			strings.IndexByte(more, c) >= 0) {
			return false
		}
	}
	return true
}

// versionOf is the version that a purl names, empty for none.
func versionOf(purl string) string {
	if purl == "" {
		return ""
	}
	_, version := KeyOf(strings.TrimSpace(purl))
	return version
}
