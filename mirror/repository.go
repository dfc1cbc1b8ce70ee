package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"assay/artifact"
	"assay/mirror/counters"
	"assay/mirror/storage"
)

// repository is one upstream and what is served of it.
type repository struct {
	m        *Mirror
	settings Settings
	upstream Upstream
	serving  atomic.Pointer[serving]
	flights  flights
	proofs   proofs

	runs sync.Mutex // held by the one run that is under way

	mu                sync.Mutex // guards what follows; nothing is fetched under it
	session           Session    // what serving was made of; nil: not known since the start
	quarantine        []Quarantined
	quarantineVersion storage.Version
	version           storage.Version // of the pointer
	last              *Run
	confirmed         time.Time
	good              bool      // the last run was done
	since             time.Time // since when runs are, or are not
	next              time.Time
	answer            *Answer // never changed, but replaced
	running           *running
	retired           bool // another one has taken its place

	// For the run under way:
	known map[artifact.Digest]*leaf // manifests that were read
	clean bool                      // the last time, every document could be read
}

// serving is a generation, ready to be asked. Nothing in it changes but the tally.
type serving struct {
	generation  *generation
	digest      artifact.Digest // of the generation
	listing     *listing
	metadata    map[string]metadataFile
	retained    map[string]retained
	quarantined []Quarantined
	roots       []string // names of the root files, the newest last

	held  *atomic.Int64 // targets that are held, and their bytes
	bytes *atomic.Int64
	tally Tally
}

func newServing(digest artifact.Digest, g *generation, l *listing, quarantined []Quarantined) *serving {
	s := &serving{
		generation: g, digest: digest, listing: l, metadata: make(map[string]metadataFile, len(g.Files)), retained: map[string]retained{},
		quarantined: quarantined, held: &atomic.Int64{}, bytes: &atomic.Int64{}, tally: l.tally(),
	}
	for _, f := range g.Files {
		s.metadata[f.Name] = f
		if f.Role == "root" {
			s.roots = append(s.roots, f.Name)
		}
	}
	for _, old := range g.Retained {
		s.retained[old.Name] = old
	}
	return s
}

// with is the same generation with another quarantine.
func (s *serving) with(quarantined []Quarantined) *serving {
	other := *s
	other.quarantined = quarantined
	return &other
}

// count is a counter of this repository.
func (r *repository) count(name string, labels ...string) *counters.Counter {
	return r.m.counters.Counter("assay_mirror_"+name, append([]string{"repository", r.settings.Name}, labels...)...)
}

// load brings back what was published, for the start. What does not read as a
// generation is told, and made anew by the next run: the memory of trust is
// elsewhere.
func (r *repository) load(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.readQuarantine(ctx); err != nil {
		return err
	}
	p, version, err := readPointer(ctx, r.m.storage, r.settings.Name)
	r.version = version
	if err != nil || p == nil {
		return r.unreadable(err)
	}
	data, err := r.object(ctx, p.Generation, maxGeneration)
	if err != nil {
		return r.unreadable(err)
	}
	g, err := decodeGeneration(data, r.settings.Name)
	if err != nil {
		return r.unreadable(err)
	}
	if data, err = r.object(ctx, g.Listing, maxListing); err != nil {
		return r.unreadable(err)
	}
	l, err := decodeListing(data, r.settings.Name)
	if err != nil {
		return r.unreadable(err)
	}
	now := newServing(p.Generation, g, l, r.quarantine)
	if err := r.recount(ctx, now); err != nil {
		return err
	}
	r.serving.Store(now)
	if s, err := r.upstream.Held(ctx); err == nil { // else the next run tells
		r.session, r.confirmed = s, s.View().Checked()
	}
	return nil
}

// unreadable passes an error on that a new run does not heal, and tells of others.
func (r *repository) unreadable(err error) error {
	if err == nil || r.m.fatal(err) {
		return err
	}
	r.m.log.Warn("nothing is served until the next run: what was published can't be read", "repository", r.settings.Name, "error", err.Error())
	return nil
}

// object reads an object whole and compares its digest.
func (r *repository) object(ctx context.Context, digest artifact.Digest, limit int64) ([]byte, error) {
	return readObject(ctx, r.m.storage, digest, limit)
}

func readObject(ctx context.Context, s objects, digest artifact.Digest, limit int64) ([]byte, error) {
	f, err := s.Open(ctx, digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", storage.ErrDisk, err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%w: %s: expected at most %d bytes, found more", ErrDamaged, digest, limit)
	case artifact.DigestOf(digest.Algorithm(), data) != digest:
		return nil, fmt.Errorf("%w: %s: found other bytes", ErrDamaged, digest)
	}
	return data, nil
}

// recount finds out which targets are held.
func (r *repository) recount(ctx context.Context, s *serving) error {
	var held, bytes int64
	for _, t := range s.listing.targets {
		if !t.carried {
			continue
		}
		_, err := r.m.storage.Stat(ctx, t.key())
		switch {
		case err == nil:
			held++
			bytes += t.length
		case !errors.Is(err, storage.ErrMissing):
			return err
		}
	}
	s.held.Store(held)
	s.bytes.Store(bytes)
	return nil
}

// counted is the tally of what is served now.
func (s *serving) counted() Tally {
	t := s.tally
	t.Held, t.Bytes = int(s.held.Load()), s.bytes.Load()
	for _, q := range s.quarantined {
		if i, found := s.listing.index(q.Path); found && s.listing.targets[i].carried && s.listing.targets[i].key() == q.Digest {
			t.Quarantined++
		}
	}
	if s.generation.Mode != Lazy {
		t.Missing = max(0, t.Carried-t.Held-t.Quarantined)
	}
	return t
}

// status is how the repository stands.
func (r *repository) status() Status {
	now := r.serving.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	st := Status{
		Schema: StatusSchema, Repository: r.settings.Name, Mode: r.settings.Mode, State: Empty,
		Confirmed: r.confirmed, Next: r.next, Upstream: r.answer,
	}
	if r.last != nil {
		last := *r.last
		last.Faults = slices.Clone(last.Faults)
		st.LastRun = &last
	}
	st.Since = r.since
	if now == nil {
		return st
	}
	st.State, st.Serving = Fresh, true
	st.Generation, st.Published, st.Roles = now.generation.Number, now.generation.Made, now.generation.standing()
	st.Expires, _ = now.generation.expires()
	if !st.Expires.After(r.m.now()) {
		st.State, st.Serving = Expired, r.settings.ServeExpired
	}
	st.Good = r.good
	if r.good && st.State == Expired {
		st.Good, st.Since = false, st.Expires
	}
	st.Targets = now.counted()
	return st
}
