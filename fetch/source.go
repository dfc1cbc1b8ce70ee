package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"

	"assay/artifact"
	"assay/trust"
)

// The places, under a repository's base URL, where its metadata may lie.
const (
	LayoutBase     = "base"     // beside targets/
	LayoutMetadata = "metadata" // in metadata/, beside targets/
)

// SourceConfig says where one repository lies. Only URL is required.
type SourceConfig struct {
	URL         string // base: metadata here or in metadata/, targets in targets/
	MetadataURL string // overrides where metadata lies
	TargetsURL  string // overrides where targets lie
	// Layout is what an earlier run learnt: LayoutBase, LayoutMetadata, or
	// empty where it has to be found out.
	Layout string
	// Remember is told what was found out; it may be nil.
	Remember func(ctx context.Context, layout string) error
}

// Source is one repository's place. It implements trust.Remote. It is safe for
// several goroutines.
type Source struct {
	engine   *Engine
	base     *url.URL
	metadata *url.URL // nil: by layout
	targets  *url.URL
	remember func(context.Context, string) error

	mu     sync.Mutex
	layout string
}

// NewSource checks the URLs. It asks nothing yet.
func NewSource(engine *Engine, c SourceConfig) (*Source, error) {
	s := &Source{engine: engine, layout: c.Layout, remember: c.Remember}
	var err error
	if s.base, err = ParseBaseURL(c.URL); err != nil {
		return nil, err
	}
	s.targets = under(s.base, "targets")
	if c.TargetsURL != "" {
		if s.targets, err = ParseBaseURL(c.TargetsURL); err != nil {
			return nil, fmt.Errorf("targets_url: %w", err)
		}
	}
	if c.MetadataURL != "" {
		if s.metadata, err = ParseBaseURL(c.MetadataURL); err != nil {
			return nil, fmt.Errorf("metadata_url: %w", err)
		}
	}
	return s, nil
}

// ParseBaseURL checks a URL under which files are found: http, https or file,
// without query and fragment.
func ParseBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("expected a URL, found something else")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file":
		return nil, fmt.Errorf("expected a URL that begins with https://, http:// or file://, found %.80q", u.Redacted())
	case u.Scheme != "file" && u.Host == "":
		return nil, fmt.Errorf("expected a URL with a host, found %.80q", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return nil, fmt.Errorf("expected a URL without query and fragment, found %.80q", u.Redacted())
	}
	return u, nil
}

// under appends one segment, percent-encoded already, to a base URL. For a file
// URL the segment is the file's name, letter by letter.
func under(base *url.URL, segment string) *url.URL {
	joined := *base
	if base.Scheme == "file" {
		joined.Path, joined.RawPath = strings.TrimSuffix(base.Path, "/")+"/"+segment, ""
		return &joined
	}
	escaped := strings.TrimSuffix(base.EscapedPath(), "/") + "/" + segment
	if decoded, err := url.PathUnescape(escaped); err == nil {
		joined.Path, joined.RawPath = decoded, escaped
	}
	return &joined
}

// ReadMetadata implements trust.Remote.
func (s *Source) ReadMetadata(ctx context.Context, name string, limit int64) ([]byte, error) {
	base, err := s.metadataBase(ctx)
	if err != nil {
		return nil, err
	}
	return s.readMetadata(ctx, under(base, name), limit)
}

func (s *Source) readMetadata(ctx context.Context, u *url.URL, limit int64) ([]byte, error) {
	raw, a, err := s.engine.readDocument(ctx, u.String(), limit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", trust.ErrNoMetadata, err)
	case errors.Is(err, errTooLong):
		return nil, fmt.Errorf("%s: %w: expected at most %d bytes, found more", u.Redacted(), trust.ErrTooLarge, limit)
	case err != nil:
		return nil, err
	}
	return raw, a.checkMetadata(raw)
}

// checkMetadata finds out the web pages that proxies and portals answer with.
func (a *answer) checkMetadata(raw []byte) error {
	text := bytes.TrimLeft(raw, " \t\r\n\ufeff")
	if bytes.HasPrefix(text, []byte("<")) || strings.HasPrefix(a.contentType, "text/html") {
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "expected metadata, found a web page (is there a login page or a proxy in between?)"}
	}
	return nil
}

// metadataBase is where metadata lies. Where that is not known it is found out
// by asking for the timestamp in both places; an answer is remembered.
func (s *Source) metadataBase(ctx context.Context) (*url.URL, error) {
	if s.metadata != nil {
		return s.metadata, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.layout == "" {
		if err := s.probe(ctx); err != nil {
			return nil, err
		}
	}
	if s.layout == LayoutMetadata {
		return under(s.base, "metadata"), nil
	}
	return s.base, nil
}

func (s *Source) probe(ctx context.Context) error {
	limit := trust.DefaultLimits().Timestamp
	for _, place := range []struct {
		layout string
		base   *url.URL
	}{{LayoutBase, s.base}, {LayoutMetadata, under(s.base, "metadata")}} {
		_, err := s.readMetadata(ctx, under(place.base, "timestamp.json"), limit)
		if errors.Is(err, trust.ErrNoMetadata) {
			continue
		}
		if err != nil {
			return err
		}
		s.layout = place.layout
		if s.remember != nil {
			return s.remember(ctx, place.layout)
		}
		return nil
	}
	return nil
}

// ReadRoot reads N.root.json, for a repository that is added by its digest. An
// answer with another digest is trust.MismatchError.
func (s *Source) ReadRoot(ctx context.Context, version int64, want artifact.Digest) ([]byte, error) {
	name := fmt.Sprintf("%d.root.json", version)
	raw, err := s.ReadMetadata(ctx, name, trust.DefaultLimits().Root)
	if err != nil {
		return nil, err
	}
	if got := artifact.DigestOf(want.Algorithm(), raw); got != want {
		return nil, &trust.MismatchError{What: name, Expected: want.String(), Found: got.String()}
	}
	return raw, nil
}

// targetURLs lists where a target's bytes may lie, in the order to try.
func (s *Source) targetURLs(t trust.Target) []string {
	if urls := t.URLs(); len(urls) > 0 {
		return urls
	}
	if !t.Consistent() {
		return []string{s.targetURL(t.Path()).String()}
	}
	dir, name := path.Split(t.Path())
	var urls []string
	for _, digest := range t.Digests() {
		urls = append(urls, s.targetURL(dir+digest.Hex()+"."+name).String())
	}
	return urls
}

func (s *Source) targetURL(target string) *url.URL {
	u := s.targets
	for segment := range strings.SplitSeq(target, "/") {
		if u.Scheme != "file" {
			segment = url.PathEscape(segment)
		}
		u = under(u, segment)
	}
	return u
}

var errTooLong = errors.New("longer than its limit")

// readDocument reads a small file whole: at most limit bytes, in at most
// EngineOptions.Document.
func (e *Engine) readDocument(ctx context.Context, raw string, limit int64) ([]byte, *answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.options.Document, fmt.Errorf("%w: not whole after %s", trust.ErrNoAnswer, e.options.Document))
	defer cancel()
	a, err := e.open(ctx, raw)
	if err != nil {
		return nil, nil, e.explain(raw, err)
	}
	defer a.body.Close()
	data, err := io.ReadAll(io.LimitReader(a.body, limit+1))
	if err != nil {
		return nil, nil, a.broken(err)
	}
	if int64(len(data)) > limit {
		return nil, nil, errTooLong
	}
	return data, a, nil
}

// explain names the URL in an error that is only a cause of giving up.
func (e *Engine) explain(raw string, err error) error {
	if errors.Is(err, ErrSource) || errors.Is(err, context.Canceled) {
		return err
	}
	u, parseErr := url.Parse(raw)
	if parseErr != nil {
		return err
	}
	return &SourceError{URL: u.Redacted(), Detail: "given up", Err: err}
}

// broken explains an answer that ended early.
func (a *answer) broken(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "the answer broke off", Err: err}
}
