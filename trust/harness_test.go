package trust_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

// start is the time at which every test begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is one repository, one client state, and the remote in between.
type bench struct {
	t      *testing.T
	now    time.Time
	repo   *testrepo.Repo
	store  *trust.MemStore
	remote *remote
	config trust.Config
}

func newBench(t *testing.T, options testrepo.Options) *bench {
	t.Helper()
	b := &bench{t: t, now: start, store: &trust.MemStore{}}
	options.Now = func() time.Time { return b.now }
	repo, err := testrepo.New(options)
	if err != nil {
		t.Fatal(err)
	}
	b.repo = repo
	b.remote = &remote{repo: repo}
	must(t, repo.AddTarget("a.txt", []byte("alpha")))
	must(t, repo.Publish())
	b.config = trust.Config{
		Name: "acme", Root: repo.Root(), Store: newPolice(t, b.store), Remote: b.remote,
		Now: func() time.Time { return b.now },
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) open() *trust.Repository {
	b.t.Helper()
	r, err := trust.Open(b.config)
	must(b.t, err)
	return r
}

// refresh runs one refresh as a new process would.
func (b *bench) refresh() (*trust.View, error) {
	b.t.Helper()
	return b.open().Refresh(b.t.Context())
}

func (b *bench) mustRefresh() *trust.View {
	b.t.Helper()
	view, err := b.refresh()
	must(b.t, err)
	return view
}

// refuses expects a refresh to fail with kind, and to leave the versions that
// are held as they were.
func (b *bench) refuses(kind error) error {
	b.t.Helper()
	before := b.heldVersions()
	_, err := b.refresh()
	if !errors.Is(err, kind) {
		b.t.Fatalf("refresh: expected %v, found %v", kind, err)
	}
	if after := b.heldVersions(); !maps.Equal(before, after) {
		b.t.Fatalf("a refused refresh moved the held set: from %v to %v", before, after)
	}
	return err
}

// fails expects a refresh to fail with kind, where the held set may rightly be
// lost because a root was accepted that revokes its keys.
func (b *bench) fails(kind error) error {
	b.t.Helper()
	_, err := b.refresh()
	if !errors.Is(err, kind) {
		b.t.Fatalf("refresh: expected %v, found %v", kind, err)
	}
	return err
}

// heldVersions are the versions of the last complete set, below root: a root
// that was accepted before something else failed is rightly kept.
func (b *bench) heldVersions() map[string]int64 {
	b.t.Helper()
	view, err := b.open().Offline(b.t.Context())
	if errors.Is(err, trust.ErrNotHeld) {
		return nil
	}
	must(b.t, err)
	versions := map[string]int64{}
	for _, role := range view.Roles()[1:] {
		versions[role.Role] = role.Version
	}
	return versions
}

func (b *bench) publish() {
	b.t.Helper()
	must(b.t, b.repo.Publish())
}

func version(view *trust.View, role string) int64 {
	for _, r := range view.Roles() {
		if r.Role == role {
			return r.Version
		}
	}
	return 0
}

// remote serves a generation of a repository and counts what it is asked for.
type remote struct {
	repo *testrepo.Repo

	mu         sync.Mutex
	generation int                               // 0: the newest
	answer     map[string]func() ([]byte, error) // overrides by name
	asked      []string
	limits     map[string]int64 // the last limit that each name was asked for with
}

func (r *remote) ReadMetadata(_ context.Context, name string, limit int64) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, name)
	if r.limits == nil {
		r.limits = map[string]int64{}
	}
	r.limits[name] = limit
	data, ok := r.repo.Files(r.generation)[name]
	if answer, override := r.answer[name]; override {
		var err error
		if data, err = answer(); err != nil {
			return nil, err
		}
	} else if !ok {
		return nil, fmt.Errorf("%s: %w", name, trust.ErrNoMetadata)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: %w", name, trust.ErrTooLarge)
	}
	return data, nil
}

// serve pins the generation that is served; 0 is the newest.
func (r *remote) serve(generation int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation = generation
}

func (r *remote) replace(name string, data []byte) {
	r.fail(name, data, nil)
}

func (r *remote) fail(name string, data []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answer == nil {
		r.answer = map[string]func() ([]byte, error){}
	}
	r.answer[name] = func() ([]byte, error) { return data, err }
}

func (r *remote) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer, r.asked = nil, nil
}

func (r *remote) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}
