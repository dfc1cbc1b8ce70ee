package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"assay/artifact"
	"assay/mirror/counters"
	"assay/mirror/storage"
)

// remembered is how long a failure to fetch a target answers those who ask for it, too:
// a thousand readers must not ask a broken upstream a thousand times.
const remembered = 5 * time.Second

// flights are the fetches on demand that are under way, one for each target: the same
// bytes under another path have a proof of their own.
type flights struct {
	mu  sync.Mutex
	now map[wanted]*flight
}

// wanted is a target, with the bytes that it has.
type wanted struct {
	path string
	key  artifact.Digest
}

// flight is one of them.
type flight struct {
	done  chan struct{}
	ended time.Time
	err   error
}

// demand has a target fetched that the storage does not have, once however many ask
// for it, and waits. Who gives up leaves the others waiting.
func (r *repository) demand(ctx context.Context, path string, key artifact.Digest) error {
	w := wanted{path, key}
	f := r.flights.join(w, r.m.now, func(f *flight) bool {
		return r.m.spawn(func() { r.flights.end(w, f, r.m.now, r.obtain(r.m.tracer.Join(r.m.life, ctx), path, key)) })
	})
	if f == nil {
		return ErrStopped
	}
	r.count("waiters").Add(1)
	defer r.count("waiters").Add(-1)
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join finds the flight of an object, or begins one; nil: it can't begin.
func (fs *flights) join(key wanted, now func() time.Time, begin func(*flight) bool) *flight {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.now[key]
	if f != nil && f.answers(now()) {
		return f
	}
	if fs.now == nil {
		fs.now = map[wanted]*flight{}
	}
	for other, old := range fs.now { // those that answered long enough
		if !old.answers(now()) {
			delete(fs.now, other)
		}
	}
	if f = (&flight{done: make(chan struct{})}); !begin(f) {
		return nil
	}
	fs.now[key] = f
	return f
}

// answers reports whether a flight is under way, or its failure is remembered. A clock
// that was set back forgets it.
func (f *flight) answers(now time.Time) bool {
	since := now.Sub(f.ended)
	return f.ended.IsZero() || since >= 0 && since < remembered
}

// end tells those who wait. A success is not remembered: the storage has it.
func (fs *flights) end(key wanted, f *flight, now func() time.Time, err error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.err, f.ended = err, now()
	if err == nil {
		delete(fs.now, key)
	}
	close(f.done)
}

// obtain fetches and proves one target of what is served. ctx is the life of the
// mirror: it is not for one reader alone.
func (r *repository) obtain(ctx context.Context, path string, key artifact.Digest) error {
	r.m.writing.RLock()
	defer r.m.writing.RUnlock()
	_, missing := r.m.storage.Stat(ctx, key)
	if missing == nil && !r.unproven(ctx, path, key) {
		return nil // another flight, or a run, has brought it
	}
	s, err := r.held(ctx)
	if err != nil {
		return err
	}
	target, err := s.View().Target(ctx, path)
	if err != nil {
		return err
	}
	if target.Digests().Primary() != key {
		return fmt.Errorf("%s: %w: the upstream promises other bytes by now", path, ErrAbsent)
	}
	room := target.Length()
	if missing == nil {
		room = 0 // only its proof is wanted
	}
	release, err := r.m.reserve(ctx, r.settings.Name, room)
	if err != nil {
		return err
	}
	t := promise{path: path, digests: target.Digests(), length: target.Length(), carried: true, target: target}
	moved, err := r.bring(ctx, s, t, isJudged(path))
	if err != nil {
		release(fetchedSum{})
		r.count("demands_total", counters.LabelResult, "failed").Add(1)
		r.m.log.Warn("not fetched", "repository", r.settings.Name, "target", path, "error", err.Error())
		return errors.Join(err, r.isolate(ctx, t, err))
	}
	if missing == nil {
		return nil
	}
	release(fetchedSum{1, t.length})
	if now := r.serving.Load(); now != nil {
		now.held.Add(1)
		now.bytes.Add(t.length)
	}
	r.count("demands_total", counters.LabelResult, "fetched").Add(1)
	r.m.log.Info("fetched on demand", "repository", r.settings.Name, "target", path, "bytes", moved)
	return nil
}

// isolate puts a target aside whose proof failed.
func (r *repository) isolate(ctx context.Context, t promise, err error) error {
	if !errors.Is(err, ErrRefused) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, found := isolated(r.quarantine, t.path, t.key()); found {
		return nil
	}
	return r.setQuarantine(ctx, append(r.quarantine[:len(r.quarantine):len(r.quarantine)], Quarantined{
		Repository: r.settings.Name, Path: t.path, Digest: t.key(), Reason: clipReason(err.Error()), Since: r.m.now().UTC(),
	}))
}

// held is the session of what is served; after a start that of what was verified
// last.
func (r *repository) held(ctx context.Context) (Session, error) {
	r.mu.Lock()
	s := r.session
	r.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := r.upstream.Held(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session == nil {
		r.session = s
	}
	return r.session, nil
}

// looked counts whether a file was held when it was asked for.
func (r *repository) looked(held bool) {
	result := "hit"
	if !held {
		result = "miss"
	}
	r.m.counters.Counter(counters.Lookups, counters.LabelRepository, r.settings.Name, counters.LabelResult, result).Add(1)
}

// Open opens a file. What is carried and not held is fetched first, and whoever
// asks for it waits: at most as long as the upstream takes. ErrAbsent says that it
// can't be had just now.
func (m *Mirror) Open(ctx context.Context, f File) (storage.Object, error) {
	key := f.Digests.Primary()
	r, unknown := m.repository(f.Repository)
	if unknown == nil && f.path != "" && r.unproven(ctx, f.path, key) {
		// The bytes may be here, for another repository or another path.
		if err := r.demand(ctx, f.path, key); err != nil {
			return nil, notHad(ctx, f, err)
		}
	}
	object, err := m.storage.Open(ctx, key)
	if unknown == nil && f.Target && r.settings.Mode == Lazy {
		m.use(key)
	}
	if unknown == nil {
		r.looked(err == nil)
	}
	if !errors.Is(err, storage.ErrMissing) {
		return object, err
	}
	if unknown != nil || f.path == "" {
		return nil, fmt.Errorf("%s: %w", f.Name, ErrAbsent)
	}
	if err := r.demand(ctx, f.path, key); err != nil {
		return nil, notHad(ctx, f, err)
	}
	return m.storage.Open(ctx, key)
}

// notHad tells that a file can't be had just now, or that whoever asked is gone.
func notHad(ctx context.Context, f File, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s: %w: %w", f.Name, ErrAbsent, err)
}
