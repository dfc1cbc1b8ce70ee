package pinned

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"unicode"

	"assay/artifact"
	"assay/fetch/wire"
)

// Kind is how a source is got.
type Kind string

// The kinds of sources.
const (
	HTTP Kind = "https" // or http: what proves the bytes is their digest
	File Kind = "file"
	Git  Kind = "git"
	S3   Kind = "s3"
	GCS  Kind = "gs"
)

// allowed names the forms, for messages.
const allowed = "https://HOST/FILE, http://HOST/FILE, file:///FILE, a path, git::https://HOST/REPO//FILE?ref=REVISION (or git::ssh:, git::file:), s3://BUCKET/KEY or gs://BUCKET/OBJECT"

// maxURL is the longest source that is taken, in bytes. Signed URLs have some KiB.
const maxURL = 16 << 10

// Source is one file from outside of any repository. Parse makes it.
type Source struct {
	kind   Kind
	url    *url.URL // of the file, or of the repository that it is in; nil for S3 and GCS
	bucket string   // of S3 and GCS
	key    string   // in the bucket, letter by letter
	inside string   // the path in the git repository
	ref    string   // branch, tag or commit; HEAD if none was said
}

// Parse understands a source. A path is seen from dir. Where a part of it could
// mean something that is not done, //SUB in a URL say, it is refused, so that nobody
// relies on it. Every error is ErrURL and holds no secret.
func Parse(text, dir string) (*Source, error) {
	if len(text) > maxURL {
		return nil, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrURL, maxURL, len(text))
	}
	if text == "" || strings.ContainsFunc(text, unicode.IsControl) {
		return nil, fmt.Errorf("%w: expected %s, found nothing, or control characters", ErrURL, allowed)
	}
	if rest, is := strings.CutPrefix(text, "git::"); is {
		return parseGit(rest)
	}
	if rest, is := strings.CutPrefix(text, "git+"); is && strings.Contains(rest, "://") {
		return parseGit(rest)
	}
	if forced, _, is := strings.Cut(text, "::"); is && isWord(forced) {
		return nil, fmt.Errorf("%w: expected %s, found %.40q", ErrURL, allowed, forced+"::")
	}
	scheme, rest, is := strings.Cut(text, "://")
	if !is {
		return parsePath(text, dir)
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return parseHTTP(text)
	case "file":
		return parseFileURL(text)
	case "s3":
		return parseBucket(S3, rest)
	case "gs":
		return parseBucket(GCS, rest)
	}
	return nil, fmt.Errorf("%w: expected %s, found %.40q", ErrURL, allowed, wire.Clip(scheme, 40)+"://")
}

// isWord reports whether go-getter would take text before "::" for a getter's name.
func isWord(text string) bool {
	return text != "" && only(text, letters+"+.-")
}

// letters are those of the alphabet, and the digits.
const letters = "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "0123456789"

// only reports whether a text has no other characters than these.
func only(text, characters string) bool { return strings.Trim(text, characters) == "" }

// parseURL parses what has a scheme. The parser's own error would hold the whole
// of it, password and all.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: expected %s, found something that does not read as a URL", ErrURL, allowed)
	}
	if strings.Contains(text, "#") {
		return nil, fmt.Errorf("%w: %s: expected a URL without #, that no server is told of", ErrURL, wire.Shown(u))
	}
	return u, nil
}

func parseHTTP(text string) (*Source, error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	switch {
	case u.Hostname() == "":
		return nil, fmt.Errorf("%w: %s: expected a host", ErrURL, wire.Shown(u))
	case strings.Contains(u.Path, "//"):
		return nil, fmt.Errorf("%w: %s: expected the URL of one file, found //, which stands for a part of an archive elsewhere, and for nothing here", ErrURL, wire.Shown(u))
	case u.Query().Has("checksum"):
		return nil, fmt.Errorf("%w: %s: expected the digest in --sha256, --sha512 or --checksums, found checksum= in the URL, which is not looked at", ErrURL, wire.Shown(u))
	}
	return &Source{kind: HTTP, url: u}, nil
}

func parseFileURL(text string) (*Source, error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	switch {
	case u.Host != "" && u.Host != "localhost" || u.User != nil:
		return nil, fmt.Errorf("%w: %s: expected file:///PATH, found a host", ErrURL, wire.Shown(u))
	case strings.Contains(text, "?"):
		return nil, fmt.Errorf("%w: %s: expected file:///PATH without a query", ErrURL, wire.Shown(u))
	case strings.Contains(u.Path, "//"):
		return nil, fmt.Errorf("%w: %s: expected the path of one file, found //, which stands for a part of an archive elsewhere, and for nothing here", ErrURL, wire.Shown(u))
	}
	return &Source{kind: File, url: &url.URL{Scheme: "file", Path: u.Path}}, nil
}

// parsePath takes a path letter by letter: nothing in it is read as in a URL.
func parsePath(text, dir string) (*Source, error) {
	if !filepath.IsAbs(text) {
		text = filepath.Join(dir, text)
	}
	slashed := filepath.ToSlash(filepath.Clean(text))
	if !strings.HasPrefix(slashed, "/") { // C:/ on Windows
		slashed = "/" + slashed
	}
	return &Source{kind: File, url: &url.URL{Scheme: "file", Path: slashed}}, nil
}

// parseBucket reads BUCKET/KEY. A key is taken letter by letter, as the stores'
// own tools do; ? and #, which mean something to other tools, are refused.
func parseBucket(kind Kind, rest string) (*Source, error) {
	bucket, key, _ := strings.Cut(rest, "/")
	if !isBucket(bucket) {
		return nil, fmt.Errorf("%w: expected %s://BUCKET/KEY, with a bucket of 3 to 222 of the characters a-z 0-9 . - _", ErrURL, kind)
	}
	if key == "" || strings.HasSuffix(key, "/") || len(key) > 1024 || strings.ContainsAny(key, "?#") || hasDots(key) {
		return nil, fmt.Errorf("%w: expected %s://%s/KEY, with a key of 1 to 1024 bytes without ?, # and .. that names one object", ErrURL, kind, bucket)
	}
	return &Source{kind: kind, bucket: bucket, key: key}, nil
}

// isBucket lets the names of both stores pass (GCS: 222 with dots, and _), and
// nothing that could be another part of a URL.
func isBucket(name string) bool {
	return len(name) >= 3 && len(name) <= 222 && only(name, letters+".-_") && strings.ToLower(name) == name &&
		strings.Trim(name, ".-_") == name && !strings.Contains(name, "..")
}

// hasDots reports segments that servers and proxies take for a way up.
func hasDots(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// Kind is how the source is got.
func (s *Source) Kind() Kind { return s.kind }

// Name is the file's name as the source has it; empty where that is not fit to be
// one here.
func (s *Source) Name() string {
	from := s.key
	switch {
	case s.kind == Git:
		from = s.inside
	case s.url != nil:
		from = s.url.Path
	}
	if name := path.Base(from); !strings.HasSuffix(from, "/") && artifact.ValidFileName(name) == nil {
		return name
	}
	return ""
}

// String is the source as messages and logs may have it: without user, password
// and query.
func (s *Source) String() string {
	switch s.kind {
	case S3, GCS:
		return wire.Clip(string(s.kind)+"://"+s.bucket+"/"+s.key, 500)
	case Git:
		return wire.Clip("git::"+wire.Shown(s.url)+"//"+s.inside+"?ref="+s.ref, 700)
	}
	return wire.Shown(s.url)
}

// Local is where the source lies on this machine: its file, or the repository of a
// git source; false: it lies elsewhere.
func (s *Source) Local() (path string, is bool) {
	if s.remote() {
		return "", false
	}
	path = filepath.FromSlash(s.url.Path)
	if len(path) > 1 && filepath.VolumeName(path[1:]) != "" {
		path = path[1:] // \C:\ on Windows
	}
	return path, true
}

// remote reports whether the source lies on another machine, or may.
func (s *Source) remote() bool { return s.url == nil || s.url.Scheme != "file" }
