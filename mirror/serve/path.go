package serve

import (
	"net/url"
	"strings"

	"assay/artifact"
)

// maxPath is the longest path of a request, in bytes, as it was sent.
const maxPath = 8 << 10

// kind is what a path asks for. It is logged, and stands for the path, which is not.
type kind string

const (
	kindIndex        kind = "index"
	kindFile         kind = "file"
	kindStatus       kind = "status"
	kindBlob         kind = "blob"
	kindAttestations kind = "attestations"
	kindLive         kind = "livez"
	kindReady        kind = "readyz"
	kindStarted      kind = "startupz"
	kindUnknown      kind = "unknown"
	kindMalformed    kind = "malformed"
	kindLong         kind = "long"
)

// probe reports whether everybody may ask for it at any rate.
func (k kind) probe() bool { return k == kindLive || k == kindReady || k == kindStarted }

// route is a path that was understood.
type route struct {
	kind       kind
	repository string
	name       string // the file's, as the Library knows it
	other      string // what name may have meant, too; empty: nothing else
	digest     artifact.Digest
}

// parse reads a path as it was sent, with its escapes.
func parse(escaped string) route {
	if len(escaped) > maxPath {
		return route{kind: kindLong}
	}
	if !wellFormed(escaped) {
		return route{kind: kindMalformed}
	}
	switch escaped {
	case "/":
		return route{kind: kindIndex}
	case "/livez":
		return route{kind: kindLive}
	case "/readyz":
		return route{kind: kindReady}
	case "/startupz":
		return route{kind: kindStarted}
	}
	if rest, ok := strings.CutPrefix(escaped, "/r/"); ok {
		return parseFile(rest)
	}
	if digits, ok := strings.CutPrefix(escaped, "/blobs/sha256/"); ok {
		return parseDigest(kindBlob, digits)
	}
	if digits, ok := strings.CutPrefix(escaped, "/attestations/sha256/"); ok {
		return parseDigest(kindAttestations, digits)
	}
	return route{kind: kindUnknown}
}

func parseDigest(k kind, digits string) route {
	digest, err := artifact.NewDigest(artifact.SHA256, digits)
	if err != nil {
		return route{kind: kindUnknown}
	}
	return route{kind: k, digest: digest}
}

// parseFile reads what stands behind /r/.
func parseFile(rest string) route {
	repository, name, _ := strings.Cut(rest, "/")
	if name == "" || artifact.ValidRepository(repository) != nil {
		return route{kind: kindUnknown}
	}
	r := route{kind: kindFile, repository: repository}
	switch {
	case name == "status.json":
		r.kind = kindStatus
		return r
	case strings.HasPrefix(name, "targets/"):
		return parseTarget(r, name)
	case strings.Contains(name, "/"):
		return route{kind: kindUnknown}
	default:
		return parseMetadata(r, name)
	}
}

// parseTarget: segments are decoded once. go-tuf and python-tuf send a target's
// path as it is, so that one that has a % in it arrives as if it had been escaped:
// the path as it was sent is what may have been meant, too.
func parseTarget(r route, name string) route {
	if strings.HasSuffix(name, "/") {
		return route{kind: kindUnknown} // a folder, of which there is none
	}
	if !strings.Contains(name, "%") {
		r.name = name
		return r
	}
	decoded, err := url.PathUnescape(name)
	if err != nil || hasSegment(decoded, "") {
		return route{kind: kindMalformed}
	}
	r.name, r.other = decoded, name
	return r
}

// parseMetadata: a role is a segment, and what would part it is escaped in the
// name of its file: the role "a/b" lies in 2.a%2Fb.json. go-tuf, python-tuf and
// browsers send that name as it is, with the escapes that each holds to be needed;
// who takes it for the name of a file, as a plain server of files does, escapes it
// once more, and that is what may have been meant, too.
func parseMetadata(r route, name string) route {
	decoded, err := url.PathUnescape(name)
	if err != nil {
		return route{kind: kindMalformed}
	}
	r.name = url.PathEscape(decoded)
	if strings.Contains(decoded, "%") && wellFormed("/"+decoded) {
		if twice, err := url.PathUnescape(decoded); err == nil {
			r.other = url.PathEscape(twice)
		}
	}
	return r
}

// wellFormed reports whether a path begins with a slash, has no empty segment but
// the last, only whole escapes, and no segment "." or "..", control byte or
// backslash even after it was decoded once.
func wellFormed(escaped string) bool {
	if escaped == "" || escaped[0] != '/' || strings.Contains(escaped, "//") {
		return false
	}
	decoded := escaped
	if strings.Contains(escaped, "%") {
		var err error
		if decoded, err = url.PathUnescape(escaped); err != nil {
			return false
		}
	}
	for i := range len(decoded) {
		if c := decoded[i]; c < ' ' || c == 0x7f || c == '\\' {
			return false
		}
	}
	return !strings.Contains(decoded, "/.") || !hasSegment(decoded, ".") && !hasSegment(decoded, "..")
}

// hasSegment reports whether a path has such a segment.
func hasSegment(path, segment string) bool {
	for s := range strings.SplitSeq(path, "/") {
		if s == segment {
			return true
		}
	}
	return false
}
