package sbom

import (
	"net/url"
	"strings"
)

// maxQuery is the most bytes of a query.
const maxQuery = 512

// Query finds components by name or purl, and by version. The zero value matches
// nothing.
type Query struct {
	text string
	name string // lower case; of a purl its last segment
	key  string // of a purl
	want Range
}

// ParseQuery reads NAME[@RANGE] or PURL[@RANGE], like
//
//	openssl
//	golang.org/x/text@<0.3.8
//	@babel/core@^7
//	pkg:golang/golang.org/x/text@>=0.3 <0.3.8
//
// with a range as ParseRange reads it. A purl's qualifiers and subpath may be
// given and do not matter: they tell builds of a package apart, not packages. A
// purl's version is a range, and may be escaped as purls are. The error wraps
// ErrQuery.
func ParseQuery(text string) (Query, error) {
	q := Query{text: strings.TrimSpace(text)}
	if len(q.text) > maxQuery {
		return Query{}, wrong(ErrQuery, "", "at most 512 bytes", "more")
	}
	if clean, _ := checkText(q.text, ""); clean == "" {
		return Query{}, wrong(ErrQuery, "", "NAME[@RANGE] or PURL[@RANGE]", quote(text))
	}
	name, wanted, isPURL := q.text, "", strings.HasPrefix(q.text, "pkg:")
	if isPURL {
		if end := strings.IndexAny(name, "?#"); end >= 0 {
			name = name[:end]
		}
	}
	// A scope begins with an @, and has a slash behind it.
	if at := strings.LastIndexByte(name, '@'); at > 0 && !strings.Contains(name[at:], "/") {
		name, wanted = strings.TrimSpace(name[:at]), name[at+1:]
		if strings.TrimSpace(wanted) == "" {
			return Query{}, wrong(ErrQuery, "", "a range behind the @", "nothing")
		}
	}
	q.name = strings.ToLower(name)
	if isPURL {
		p, err := ParsePURL(name)
		if err != nil {
			return Query{}, wrong(ErrQuery, "", "a purl like pkg:golang/golang.org/x/text", quote(name))
		}
		q.key, q.name = p.Key(), lastSegment(p.Key())
		if unescaped, err := url.PathUnescape(wanted); err == nil {
			wanted = unescaped
		}
	}
	var err error
	q.want, err = ParseRange(wanted)
	return q, err
}

// String is the text that the query was read from.
func (q Query) String() string { return q.text }

// Name is a name, in lower case, that every component that matches has among its
// Names. It is fit for a look-up in an index of those.
func (q Query) Name() string { return q.name }

// Matches reports whether a component is meant. It is not known where the name
// is right and the component's version can't be compared; matches is true then,
// so that who forbids a component errs on the safe side.
//
// A name is right where it equals one of the component's Names, letters of both
// cases alike: "text" finds golang.org/x/text, and "x/text" does not; "log4j-core"
// finds org.apache.logging.log4j:log4j-core. A purl is
// right where type, namespace and name are equal; a component without a purl is
// found by names only.
func (q Query) Matches(c Component) (matches, known bool) {
	if q.name == "" {
		return false, true
	}
	key, _ := KeyOf(c.PURL)
	right := q.key == key
	if q.key == "" {
		right = hasName(c.Name, key, q.name)
	}
	if !right {
		return false, true
	}
	kind, _, _ := strings.Cut(key, "/")
	return q.want.Contains(kind, c.Version)
}

// Names are the names by which a component is found, in lower case, each once:
// its whole name, the last segment of it, of that what stands behind its first
// and its last colon, as in Maven's group:artifact, and the name of its purl with
// and without its namespace. A last segment like v2, which Go modules have for
// their major version, is none: the segment before it is meant.
func Names(c Component) []string {
	var names []string
	add := func(name string) {
		for _, have := range names {
			if have == name {
				return
			}
		}
		if name != "" {
			names = append(names, name)
		}
	}
	key, _ := KeyOf(c.PURL)
	eachName(strings.ToLower(c.Name), key, func(name string) bool { add(name); return true })
	return names
}

func hasName(name, key, wanted string) (found bool) {
	eachName(strings.ToLower(name), key, func(each string) bool {
		found = each == wanted
		return !found
	})
	return found
}

// eachName calls yield for every name until it says no.
func eachName(name, key string, yield func(string) bool) {
	last := lastSegment(name)
	if !yield(name) || !yield(last) {
		return
	}
	if _, rest, ok := strings.Cut(last, ":"); ok {
		second, _, _ := strings.Cut(rest, ":") // behind it may be a packaging and a version
		if !yield(second) || !yield(rest[strings.LastIndexByte(rest, ':')+1:]) {
			return
		}
	}
	kind, path, _ := strings.Cut(key, "/")
	if !yield(path) || !yield(lastSegment(path)) {
		return
	}
	if at := strings.LastIndexByte(path, '/'); kind == "maven" && at >= 0 {
		yield(path[:at] + ":" + path[at+1:]) // as Maven itself writes it
	}
}

// lastSegment is what stands behind the last slash, major versions of Go modules
// passed over.
func lastSegment(path string) string {
	at := strings.LastIndexByte(path, '/')
	if at > 0 && isMajor(path[at+1:]) {
		path = path[:at]
		at = strings.LastIndexByte(path, '/')
	}
	return path[at+1:]
}

func isMajor(segment string) bool {
	return len(segment) > 1 && segment[0] == 'v' && strings.Trim(segment[1:], "0123456789") == ""
}
