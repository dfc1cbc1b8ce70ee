package cache

import (
	"net/url"
	"slices"
	"strings"
)

// names are those by which a component is found, each once: the given ones, or
// its whole name, the last segment of it, of that what stands behind its first and
// its last colon (Maven's group:artifact), and the first two of its purl, without
// the purl's type. A last segment like v2, which Go modules have for their major
// version, does not count. One name too many does no harm where Query.Keep has the
// last word.
func (c Component) names() []string {
	if len(c.Names) > 0 {
		return lower(c.Names...)
	}
	all := []string{c.Name, lastSegment(c.Name)}
	if _, rest, ok := strings.Cut(lastSegment(c.Name), ":"); ok {
		second, _, _ := strings.Cut(rest, ":") // behind it may be a packaging and a version
		all = append(all, second, rest[strings.LastIndexByte(rest, ':')+1:])
	}
	rest, isPURL := strings.CutPrefix(c.PURL, "pkg:")
	if !isPURL {
		return lower(all...)
	}
	if end := strings.IndexAny(rest, "@?#"); end >= 0 {
		rest = rest[:end]
	}
	kind, path, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	if unescaped, err := url.PathUnescape(path); err == nil {
		path = unescaped
	}
	last := lastSegment(path)
	all = append(all, path, last)
	switch strings.ToLower(kind) {
	case "pypi": // Python's names take runs of these for the same (PEP 503)
		words := strings.FieldsFunc(path, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
		all = append(all, strings.Join(words, "-"))
	case "maven": // as Maven itself writes it
		if at := strings.LastIndexByte(path, '/'); at >= 0 {
			all = append(all, path[:at]+":"+path[at+1:])
		}
	}
	return lower(all...)
}

func lastSegment(path string) string {
	segments := strings.Split(path, "/")
	last := segments[len(segments)-1]
	if len(segments) > 1 && len(last) > 1 && (last[0] == 'v' || last[0] == 'V') && strings.Trim(last[1:], "0123456789") == "" {
		return segments[len(segments)-2]
	}
	return last
}

// lower gives each text once, in lower case, and none that is empty.
func lower(texts ...string) []string {
	var all []string
	for _, text := range texts {
		if text = strings.ToLower(text); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}
