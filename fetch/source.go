package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"assay/artifact"
	"assay/fetch/mirrors"
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
	// ByDigest: targets lie in blobs/ALGORITHM/HEX under URL, in place of their names.
	ByDigest bool
	// Remember is told what was found out; it may be nil.
	Remember func(ctx context.Context, layout string) error
	// Limits are those of trust.Config, for what is read before any repository
	// is opened: the timestamp that tells the layout, and the first root.
	Limits trust.Limits

	// Mirrors are those that the configuration names: bases like URL, with the
	// same schemes.
	Mirrors []mirrors.Mirror
	// MirrorsOnly keeps to Mirrors: the repository's own URLs are never asked,
	// and no others are learnt of.
	MirrorsOnly bool
	Region      string              // of this machine; empty: not known
	Addresses   func() []netip.Addr // of this machine, asked for once it counts; nil: not known
	Memory      *mirrors.Memory     // what was learnt of mirrors; nil: nothing outlives the Source
	Patience    time.Duration       // 10 s: how long others may take after the first source has answered
	Now         func() time.Time    // nil: time.Now
	Warn        func(string)        // is told of sources that are dropped; nil: nobody
}

// Source is where one repository lies: its own place and its mirrors, none of
// which is believed. It implements trust.Several. It is safe for several
// goroutines.
type Source struct {
	engine      *wire.Engine
	origin      *site
	limits      trust.Limits // only Root and Timestamp count
	mirrorsOnly bool
	client      func() mirrors.Client
	memory      *mirrors.Memory
	patience    time.Duration
	now         func() time.Time
	warn        func(string)

	mu       sync.Mutex // guards what follows; no request is made under it
	mirrors  []*site    // those of the configuration, then those of mirrors.json
	out      map[*site]outage
	winner   *site // that gave the timestamp that counts; nil: none yet
	newest   int64 // version of that timestamp
	timely   map[*site]int64
	refusals []error // of sources that were dropped for what they sent
}

var _ trust.Several = (*Source)(nil)

// NewSource checks the URLs. It asks nothing yet.
func NewSource(engine *wire.Engine, c SourceConfig) (*Source, error) {
	s := &Source{
		engine: engine, limits: c.Limits, mirrorsOnly: c.MirrorsOnly, memory: c.Memory, patience: cmp.Or(c.Patience, 10*time.Second),
		now: c.Now, warn: c.Warn, out: map[*site]outage{}, timely: map[*site]int64{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.warn == nil {
		s.warn = func(string) {}
	}
	if s.memory == nil {
		s.memory = mirrors.NewMemory(mirrors.Options{Now: s.now})
	}
	s.client = sync.OnceValue(func() mirrors.Client {
		client := mirrors.Client{Region: c.Region}
		if c.Addresses != nil {
			client.Addresses = c.Addresses()
		}
		return client
	})
	defaults := trust.DefaultLimits()
	s.limits.Root, s.limits.Timestamp = cmp.Or(c.Limits.Root, defaults.Root), cmp.Or(c.Limits.Timestamp, defaults.Timestamp)
	if err := s.setOrigin(c); err != nil {
		return nil, err
	}
	for _, m := range c.Mirrors {
		base, err := ParseBaseURL(m.URL)
		if err != nil {
			return nil, fmt.Errorf("mirrors: %w", err)
		}
		m.Configured = true
		s.mirrors = append(s.mirrors, s.newMirror(m, base, wire.ReachOf(base)))
	}
	if c.MirrorsOnly && len(c.Mirrors) == 0 {
		return nil, errors.New("mirrors_only: expected mirrors to keep to, found none")
	}
	return s, nil
}

// setOrigin makes the repository's own place.
func (s *Source) setOrigin(c SourceConfig) error {
	base, err := ParseBaseURL(c.URL)
	if err != nil {
		return err
	}
	o := &site{source: s, origin: true, base: base, reach: wire.ReachOf(base), targets: under(base, "targets"), layout: c.Layout, remember: c.Remember}
	if o.byDigest = c.ByDigest; o.byDigest {
		o.targets = under(base, "blobs")
	}
	o.URL = siteURL(base)
	if c.TargetsURL != "" {
		if o.targets, err = ParseBaseURL(c.TargetsURL); err != nil {
			return fmt.Errorf("targets_url: %w", err)
		}
	}
	if c.MetadataURL != "" {
		if o.metadata, err = ParseBaseURL(c.MetadataURL); err != nil {
			return fmt.Errorf("metadata_url: %w", err)
		}
	}
	s.origin = o
	return nil
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

// ReadMetadata implements trust.Remote: of several sources the best that has it.
func (s *Source) ReadMetadata(ctx context.Context, name string, limit int64) ([]byte, error) {
	var found []byte
	err := s.ReadJudged(ctx, name, limit, func(raw []byte) error {
		found = raw
		return nil
	})
	return found, err
}

// ReadJudged implements trust.Several. Where there are no mirrors there is nothing
// to ask on.
func (s *Source) ReadJudged(ctx context.Context, name string, limit int64, judge func(raw []byte) error) error {
	if !s.alone() {
		return s.inquire(ctx, name, limit, judge)
	}
	raw, err := s.origin.read(ctx, name, limit)
	if err != nil {
		s.noteFailure(s.origin, err) // mirrors may be learnt of yet
		return err
	}
	return judge(raw)
}

// alone reports whether there is only the repository's own place.
func (s *Source) alone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mirrors) == 0
}

// ReadRoot reads N.root.json, for a repository that is added by its digest. An
// answer with another digest is trust.MismatchError.
func (s *Source) ReadRoot(ctx context.Context, version int64, want artifact.Digest) ([]byte, error) {
	name := fmt.Sprintf("%d.root.json", version)
	var found []byte
	err := s.ReadJudged(ctx, name, s.limits.Root, func(raw []byte) error {
		if got := artifact.DigestOf(want.Algorithm(), raw); got != want {
			return &trust.MismatchError{What: name, Expected: want.String(), Found: got.String()}
		}
		found = raw
		return nil
	})
	if err != nil {
		return nil, tooLarge("root", err)
	}
	return found, nil
}

// tooLarge names the limit that an answer is above, unless it is named already.
func tooLarge(limit string, err error) error {
	var named *trust.LimitError
	if !errors.Is(err, trust.ErrTooLarge) || errors.As(err, &named) {
		return err
	}
	return &trust.LimitError{Limit: limit, Err: err}
}
