package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"assay/artifact/release"
	"assay/fetch/mirrors"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

// Places lists where a target's bytes may lie, in the order to try: mirrors by
// choice, then the repository's own place, then what was silent in this run. With
// several digests the names by each follow each other.
func (s *Source) Places(ctx context.Context, target trust.Target) ([]transfer.Place, error) {
	if len(target.URLs()) > 0 {
		return s.elsewhere(target)
	}
	if err := s.probe(ctx); err != nil {
		return nil, err
	}
	var places []transfer.Place
	for _, t := range s.order() {
		notCarried := "promised upstream, not carried by this mirror" // which may have a part only
		if t.origin {
			notCarried = ""
		}
		for _, u := range t.targetURLs(target) {
			places = append(places, transfer.Place{URL: u, Reach: t.reach, IfMissing: notCarried})
		}
	}
	return places, nil
}

// elsewhere lists the URLs that a manifest gives. They are the publisher's
// words, not the configuration's: a repository that is not on this machine may
// point at hosts elsewhere only, and none at a file.
func (s *Source) elsewhere(t trust.Target) ([]transfer.Place, error) {
	if s.mirrorsOnly {
		return nil, &wire.SourceError{URL: wire.Clip(t.Manifest(), 500), Detail: fmt.Sprintf("%s lies outside of the repository, and mirrors_only keeps to the configured mirrors", t.Name())}
	}
	var places []transfer.Place
	for _, raw := range t.URLs() {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return nil, &wire.SourceError{URL: wire.Clip(t.Manifest(), 500), Detail: fmt.Sprintf("expected an http or https URL for %s, found another", t.Name())}
		}
		places = append(places, transfer.Place{URL: u, Reach: wire.Reach{Local: s.origin.reach.Local}})
	}
	return places, nil
}

// probe asks the first few mirrors for their timestamp, all at once, where nothing
// but latency decides between them, and none is remembered. That also tells which
// of them lag.
func (s *Source) probe(ctx context.Context) error {
	var list []*site
	usable, _ := s.sites()
	for _, c := range mirrors.Probe(s.choices(), s.client(), probed) {
		if i := slices.IndexFunc(usable, func(t *site) bool { return t.URL == c.URL }); i >= 0 {
			list = append(list, usable[i])
		}
	}
	if len(list) < 2 {
		return nil
	}
	q := &inquiry{source: s, name: "timestamp.json", limit: s.limits.Timestamp}
	answers, err := q.ask(ctx, list)
	for _, a := range answers {
		if a.err != nil {
			s.noteFailure(a.site, a.err)
			continue
		}
		s.checkLag(a.site, claimedVersion(a.raw))
	}
	return err
}

// Observe remembers what a transfer has shown of a place. It does no input or
// output; what is no place of the repository is passed over.
func (s *Source) Observe(o transfer.Observation) {
	t := s.siteOf(o.URL)
	if t == nil {
		return
	}
	e := mirrors.Event{Latency: o.Latency, Bytes: o.Bytes, Took: o.Took}
	if o.Bytes > 0 && wire.Temporary(o.Err) && !errors.Is(o.Err, trust.ErrNoAnswer) {
		// It broke off, as happens to whoever sends much: once is half a failure.
		s.learn(t, mirrors.Event{}, o.Err)
		s.learn(t, e, nil)
		return
	}
	s.learn(t, e, o.Err)
	s.noteFailure(t, o.Err)
	if errors.Is(o.Err, transfer.ErrWrongBytes) && !t.origin {
		s.mu.Lock()
		s.out[t] = outage{err: o.Err}
		s.mu.Unlock()
	}
}

// siteOf is the site that a target's URL is under; nil: none.
func (s *Source) siteOf(u *url.URL) *site {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range append(slices.Clone(s.mirrors), s.origin) {
		if u.Scheme == t.targets.Scheme && u.Host == t.targets.Host && strings.HasPrefix(u.EscapedPath(), strings.TrimRight(t.targets.EscapedPath(), "/")+"/") {
			return t
		}
	}
	return nil
}

// takeMirrors takes the mirrors that mirrors.json names, and reports whether there
// was a new one. They are hints: https only, to hosts elsewhere, behind what is
// configured.
func (s *Source) takeMirrors(doc *release.Mirrors) bool {
	if s.mirrorsOnly {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]bool{s.origin.URL: true}
	for _, t := range s.mirrors {
		known[t.URL] = true
	}
	added := false
	for _, m := range doc.Mirrors {
		base, err := ParseBaseURL(m.URL)
		if err != nil || base.Scheme != "https" || known[siteURL(base)] {
			continue
		}
		known[siteURL(base)], added = true, true
		s.mirrors = append(s.mirrors, s.newMirror(mirrors.Mirror{
			Region: m.Region, Weight: m.Weight, CIDRs: m.CIDRs, Origin: release.MirrorsPath,
		}, base, wire.Reach{}))
	}
	return added
}
