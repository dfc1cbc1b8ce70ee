package fetch_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// bench is a publisher, a mirror and one client machine.
type bench struct {
	t       *testing.T
	now     time.Time
	repo    *testrepo.Repo
	server  *testrepo.Server
	dir     string // the client's cache
	store   *trust.MemStore
	machine [16]byte
	offline bool
	engine  wire.Options
	more    []*fetch.Repository
	grace   time.Duration
	warn    func(string)
	agree   *trust.Map
}

func newBench(t *testing.T, options testrepo.Options) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now(), dir: t.TempDir(), store: &trust.MemStore{}}
	options.Now = func() time.Time { return b.now }
	repo, server, err := testrepo.ServeSample(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	b.repo, b.server = repo, server
	// Generous, as other tests run at the same time; impatient makes them short.
	b.engine = wire.Options{Pause: time.Millisecond, Connect: 10 * time.Second, Answer: 20 * time.Second, Idle: 20 * time.Second, Document: 40 * time.Second}
	return b
}

// impatient is for sources that are slow on purpose. It returns how to undo it.
func (b *bench) impatient() func() {
	before := b.engine
	b.engine.Answer, b.engine.Idle, b.engine.Document = 300*time.Millisecond, 300*time.Millisecond, 600*time.Millisecond
	return func() { b.engine = before }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) repository(name string) *fetch.Repository {
	b.t.Helper()
	source, err := fetch.NewSource(wire.New(b.engine), fetch.SourceConfig{URL: b.server.URL, Layout: fetch.LayoutBase})
	must(b.t, err)
	r, err := trust.Open(trust.Config{Name: name, Root: b.repo.Root(), Store: b.store, Remote: source, Grace: b.grace, Now: func() time.Time { return b.now }})
	must(b.t, err)
	return &fetch.Repository{Trust: r, Source: source}
}

// client is a new run of the program on the same machine.
func (b *bench) client() *fetch.Client {
	b.t.Helper()
	store, err := cache.Open(b.dir, cache.Options{})
	must(b.t, err)
	client, err := fetch.NewClient(fetch.Config{
		Repositories: append([]*fetch.Repository{b.repository("acme")}, b.more...),
		Cache:        store, Engine: wire.New(b.engine), Transfer: transfer.Options{Pause: time.Millisecond}, Now: func() time.Time { return b.now }, Offline: b.offline,
		MachineID: func(context.Context) ([16]byte, error) { return b.machine, nil },
		Warn:      b.warn, Map: b.agree,
	})
	must(b.t, err)
	return client
}

func request(t *testing.T, ref string) fetch.Request {
	t.Helper()
	parsed, err := artifact.ParseRef(ref)
	must(t, err)
	return fetch.Request{Ref: parsed, Platform: artifact.Platform{OS: "linux", Arch: "amd64"}}
}

func (b *bench) get(ref string) (fetch.Held, error) {
	b.t.Helper()
	return b.client().Get(b.t.Context(), request(b.t, ref))
}

func (b *bench) mustGet(ref string) fetch.Held {
	b.t.Helper()
	held, err := b.get(ref)
	if err != nil {
		b.t.Fatalf("get %s: %v", ref, err)
	}
	return held
}

// blobs lists what the cache holds under a final name.
func (b *bench) blobs() map[string]bool {
	b.t.Helper()
	found := map[string]bool{}
	must(b.t, filepath.WalkDir(filepath.Join(b.dir, "blobs"), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.Type().IsRegular() {
			found[entry.Name()] = true
		}
		return err
	}))
	return found
}

// nothingStaged checks that no partial file is left.
func (b *bench) nothingStaged() {
	b.t.Helper()
	left, _ := filepath.Glob(filepath.Join(b.dir, "staging", "*.part"))
	if len(left) > 0 {
		b.t.Errorf("left behind: %v", left)
	}
}

// refuses expects a get to fail with kind and to leave the artifact unheld.
func (b *bench) refuses(ref string, kind error) error {
	b.t.Helper()
	before := b.blobs()
	_, err := b.get(ref)
	if !errors.Is(err, kind) {
		b.t.Fatalf("get %s: expected %v, found %v", ref, kind, err)
	}
	b.nothingStaged()
	for name := range before {
		if !b.blobs()[name] {
			b.t.Errorf("a refusal lost the held blob %s", name)
		}
	}
	for name := range b.blobs() {
		data, err := os.ReadFile(filepath.Join(b.dir, "blobs", "sha256", name[:2], name))
		must(b.t, err)
		if artifact.DigestOf(artifact.SHA256, data).Hex() != name {
			b.t.Errorf("unproven bytes under the final name %s", name)
		}
	}
	return err
}

// inParallel runs fn n times at once.
func inParallel(n int, fn func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { fn(i) })
	}
	all.Wait()
}
