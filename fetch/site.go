package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"assay/fetch/mirrors"
	"assay/fetch/wire"
	"assay/trust"
)

// site is one place where a repository lies: its own, or a mirror's.
type site struct {
	mirrors.Mirror // of its own place only the URL
	source         *Source
	origin         bool // the repository's own
	base           *url.URL
	metadata       *url.URL // nil: by layout
	targets        *url.URL
	byDigest       bool // targets are named by their digests alone
	reach          wire.Reach
	remember       func(context.Context, string) error // may be nil

	mu     sync.Mutex // held while the layout is found out
	layout string
	bare   bool // a mirror that has no metadata: it was looked for in this run
}

// newMirror makes the site of a mirror, with what was learnt of its layout.
func (s *Source) newMirror(m mirrors.Mirror, base *url.URL, reach wire.Reach) *site {
	m.URL = siteURL(base)
	known := s.memory.Record(m.URL).Layout
	if known != LayoutBase && known != LayoutMetadata {
		known = ""
	}
	return &site{
		Mirror: m, source: s, base: base, reach: reach, targets: under(base, "targets"), layout: known,
		remember: func(_ context.Context, layout string) error {
			s.memory.SetLayout(m.URL, layout)
			return nil
		},
	}
}

// siteURL is how a site is shown, and what is learnt of it remembered.
func siteURL(base *url.URL) string { return strings.TrimRight(wire.Shown(base), "/") }

// name is how messages call a site.
func (t *site) name() string {
	if t.origin {
		return "the repository's own " + t.URL
	}
	return "the mirror " + t.URL
}

// read reads a file of metadata.
func (t *site) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	base, err := t.metadataBase(ctx)
	if err != nil {
		return nil, err
	}
	if base == nil {
		return nil, fmt.Errorf("%w: %s carries no metadata", trust.ErrNoMetadata, t.name())
	}
	raw, err := t.document(ctx, under(base, name), limit)
	if name == "timestamp.json" && errors.Is(err, trust.ErrNoMetadata) && t.forget(base) {
		moved, again := t.metadataBase(ctx)
		if again != nil {
			return nil, again
		}
		if moved != nil && *moved != *base {
			return t.document(ctx, under(moved, name), limit)
		}
	}
	return raw, err
}

// forget drops a layout that an earlier run learnt, as the timestamp is not
// there: the repository was moved, or something that only looked like it, a
// portal for one, had answered then.
func (t *site) forget(base *url.URL) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.metadata != nil || t.layout == "" || *t.place(t.layout) != *base {
		return false
	}
	t.layout = ""
	return true
}

// document asks for one file of metadata, and has what it took remembered.
func (t *site) document(ctx context.Context, u *url.URL, limit int64) ([]byte, error) {
	begun := t.source.now()
	raw, a, err := t.source.engine.ReadDocument(ctx, u, t.reach, limit)
	if err == nil {
		err = checkMetadata(a, raw)
	}
	t.source.learn(t, eventOf(len(raw), t.source.now().Sub(begun)), err)
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
	return raw, nil
}

// eventOf is what a document of so many bytes says of a site: a small one its
// latency, a large one its rate.
func eventOf(length int, took time.Duration) mirrors.Event {
	if length <= smallDocument {
		return mirrors.Event{Latency: took}
	}
	return mirrors.Event{Bytes: int64(length), Took: took}
}

// smallDocument is up to how many bytes of a document its latency matters more
// than the rate.
const smallDocument = 64 << 10

// checkMetadata finds out the web pages that proxies and portals answer with.
func checkMetadata(a *wire.Answer, raw []byte) error {
	text := bytes.TrimLeft(raw, " \t\r\n\ufeff")
	html := strings.HasPrefix(strings.ToLower(a.ContentType), "text/html") && !bytes.HasPrefix(text, []byte("{"))
	if html || bytes.HasPrefix(text, []byte("<")) {
		return &wire.SourceError{URL: a.URL, Proxy: a.Proxy, Detail: "expected metadata, found a web page (is there a login page or a proxy in between?)"}
	}
	return nil
}

// metadataBase is where metadata lies; nil: a mirror has none. Where that is not
// known it is found out by asking for the timestamp in both places; an answer is
// remembered.
func (t *site) metadataBase(ctx context.Context) (*url.URL, error) {
	if t.metadata != nil {
		return t.metadata, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.layout == "" && !t.bare {
		if err := t.probe(ctx); err != nil {
			return nil, err
		}
		t.bare = t.layout == "" && !t.origin
	}
	if t.bare {
		return nil, nil
	}
	return t.place(t.layout), nil
}

// place is where metadata lies in a layout; in none that is known, at the base.
func (t *site) place(layout string) *url.URL {
	if layout == LayoutMetadata {
		return under(t.base, "metadata")
	}
	return t.base
}

func (t *site) probe(ctx context.Context) error {
	for _, layout := range []string{LayoutBase, LayoutMetadata} {
		_, err := t.document(ctx, under(t.place(layout), "timestamp.json"), t.source.limits.Timestamp)
		if errors.Is(err, trust.ErrNoMetadata) {
			continue
		}
		if err != nil {
			return tooLarge("timestamp", err)
		}
		t.layout = layout
		if t.remember != nil {
			return t.remember(ctx, layout)
		}
		return nil
	}
	return nil
}

// targetURLs are where a target of the repository may lie at a site, one behind
// the other.
func (t *site) targetURLs(target trust.Target) []*url.URL {
	if t.byDigest {
		var urls []*url.URL
		for _, digest := range target.Digests() {
			urls = append(urls, t.targetURL(string(digest.Algorithm())+"/"+digest.Hex()))
		}
		return urls
	}
	if !target.Consistent() {
		return []*url.URL{t.targetURL(target.Path())}
	}
	dir, name := path.Split(target.Path())
	var urls []*url.URL
	for _, digest := range target.Digests() {
		urls = append(urls, t.targetURL(dir+digest.Hex()+"."+name))
	}
	return urls
}

func (t *site) targetURL(target string) *url.URL {
	u := t.targets
	for segment := range strings.SplitSeq(target, "/") {
		if u.Scheme != "file" {
			segment = url.PathEscape(segment)
		}
		u = under(u, segment)
	}
	return u
}
