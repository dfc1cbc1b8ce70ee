package fetch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"

	"assay/artifact"
	"assay/fetch/transfer"
	"assay/fetch/wire"
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
	// Limits are those of trust.Config, for what is read before any repository
	// is opened: the timestamp that tells the layout, and the first root.
	Limits trust.Limits
}

// Source is one repository's place. It implements trust.Remote. It is safe for
// several goroutines.
type Source struct {
	engine   *wire.Engine
	base     *url.URL
	metadata *url.URL // nil: by layout
	targets  *url.URL
	remember func(context.Context, string) error
	limits   trust.Limits // only Root and Timestamp count

	mu     sync.Mutex
	layout string
}

// NewSource checks the URLs. It asks nothing yet.
func NewSource(engine *wire.Engine, c SourceConfig) (*Source, error) {
	s := &Source{engine: engine, layout: c.Layout, remember: c.Remember, limits: c.Limits}
	defaults := trust.DefaultLimits()
	s.limits.Root, s.limits.Timestamp = cmp.Or(c.Limits.Root, defaults.Root), cmp.Or(c.Limits.Timestamp, defaults.Timestamp)
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
		return nil, fmt.Errorf("expected a URL that begins with https://, http:// or file://, found %.80q", wire.Shown(u))
	case u.Scheme != "file" && u.Host == "":
		return nil, fmt.Errorf("expected a URL with a host, found %.80q", wire.Shown(u))
	case u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return nil, fmt.Errorf("expected a URL without query and fragment, found %.80q", wire.Shown(u))
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
	raw, err := s.readMetadata(ctx, under(base, name), limit)
	if name == "timestamp.json" && errors.Is(err, trust.ErrNoMetadata) && s.forget(base) {
		if moved, err := s.metadataBase(ctx); err != nil || *moved != *base {
			if err != nil {
				return nil, err
			}
			return s.readMetadata(ctx, under(moved, name), limit)
		}
	}
	return raw, err
}

// forget drops a layout that an earlier run learnt, as the timestamp is not
// there: the repository was moved, or something that only looked like it, a
// portal for one, had answered then.
func (s *Source) forget(base *url.URL) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.metadata != nil || s.layout == "" || *s.place(s.layout) != *base {
		return false
	}
	s.layout = ""
	return true
}

func (s *Source) readMetadata(ctx context.Context, u *url.URL, limit int64) ([]byte, error) {
	raw, a, err := s.engine.ReadDocument(ctx, u, wire.ReachOf(s.base), limit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", trust.ErrNoMetadata, err)
	case errors.Is(err, wire.ErrTooLong):
		if err := checkMetadata(a, raw); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w: expected at most %d bytes, found more", wire.Shown(u), trust.ErrTooLarge, limit)
	case err != nil:
		return nil, err
	}
	return raw, checkMetadata(a, raw)
}

// checkMetadata finds out the web pages that proxies and portals answer with.
func checkMetadata(a *wire.Answer, raw []byte) error {
	text := bytes.TrimLeft(raw, " \t\r\n\ufeff")
	html := strings.HasPrefix(strings.ToLower(a.ContentType), "text/html") && !bytes.HasPrefix(text, []byte("{"))
	if html || bytes.HasPrefix(text, []byte("<")) {
		return &wire.SourceError{URL: a.URL, Proxy: a.Proxy, Detail: "expected metadata, found a web page (is there a login page or a proxy in between?)"}
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
	return s.place(s.layout), nil
}

// place is where metadata lies in a layout; in none that is known, at the base.
func (s *Source) place(layout string) *url.URL {
	if layout == LayoutMetadata {
		return under(s.base, "metadata")
	}
	return s.base
}

func (s *Source) probe(ctx context.Context) error {
	for _, layout := range []string{LayoutBase, LayoutMetadata} {
		_, err := s.readMetadata(ctx, under(s.place(layout), "timestamp.json"), s.limits.Timestamp)
		if errors.Is(err, trust.ErrNoMetadata) {
			continue
		}
		if err != nil {
			return tooLarge("timestamp", err)
		}
		s.layout = layout
		if s.remember != nil {
			return s.remember(ctx, layout)
		}
		return nil
	}
	return nil
}

// ReadRoot reads N.root.json, for a repository that is added by its digest. An
// answer with another digest is trust.MismatchError.
func (s *Source) ReadRoot(ctx context.Context, version int64, want artifact.Digest) ([]byte, error) {
	name := fmt.Sprintf("%d.root.json", version)
	raw, err := s.ReadMetadata(ctx, name, s.limits.Root)
	if err != nil {
		return nil, tooLarge("root", err)
	}
	if got := artifact.DigestOf(want.Algorithm(), raw); got != want {
		return nil, &trust.MismatchError{What: name, Expected: want.String(), Found: got.String()}
	}
	return raw, nil
}

// tooLarge names the limit that an answer is above, unless it is named already.
func tooLarge(limit string, err error) error {
	var named *trust.LimitError
	if !errors.Is(err, trust.ErrTooLarge) || errors.As(err, &named) {
		return err
	}
	return &trust.LimitError{Limit: limit, Err: err}
}

// places lists where a target's bytes may lie, in the order to try.
func (s *Source) places(t trust.Target) ([]transfer.Place, error) {
	urls, allowed, err := s.targetURLs(t)
	if err != nil {
		return nil, err
	}
	var places []transfer.Place
	for _, u := range urls {
		places = append(places, transfer.Place{URL: u, Reach: allowed})
	}
	return places, nil
}

// targetURLs lists where a target's bytes may lie, in the order to try, and what
// may be reached there.
func (s *Source) targetURLs(t trust.Target) ([]*url.URL, wire.Reach, error) {
	if len(t.URLs()) > 0 {
		return s.elsewhere(t)
	}
	if !t.Consistent() {
		return []*url.URL{s.targetURL(t.Path())}, wire.ReachOf(s.targets), nil
	}
	dir, name := path.Split(t.Path())
	var urls []*url.URL
	for _, digest := range t.Digests() {
		urls = append(urls, s.targetURL(dir+digest.Hex()+"."+name))
	}
	return urls, wire.ReachOf(s.targets), nil
}

// elsewhere lists the URLs that a manifest gives. They are the publisher's
// words, not the configuration's: a repository that is not on this machine may
// point at hosts elsewhere only, and none at a file.
func (s *Source) elsewhere(t trust.Target) ([]*url.URL, wire.Reach, error) {
	var urls []*url.URL
	for _, raw := range t.URLs() {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return nil, wire.Reach{}, &wire.SourceError{URL: wire.Clip(t.Manifest(), 500), Detail: fmt.Sprintf("expected an http or https URL for %s, found another", t.Name())}
		}
		urls = append(urls, u)
	}
	return urls, wire.Reach{Local: wire.ReachOf(s.base).Local}, nil
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
