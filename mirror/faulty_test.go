package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/storage"
)

// faulty is a storage whose n-th call fails, after its work or without it.
type faulty struct {
	storage.Storage
	left      atomic.Int64
	persisted bool
	fired     atomic.Pointer[string]
	endless   bool // nobody knows how much is free
}

func (s *faulty) call(what string, do func() error) error {
	if s.left.Add(-1) != 0 {
		return do()
	}
	s.fired.Store(&what)
	if s.persisted {
		_ = do() // whose error is hidden by the disk's
	}
	return fmt.Errorf("%w: %s: %w", storage.ErrDisk, what, syscall.EIO)
}

func (s *faulty) Put(ctx context.Context, data []byte) (digest artifact.Digest, err error) {
	return digest, s.call("put", func() error { digest, err = s.Storage.Put(ctx, data); return err })
}

func (s *faulty) Adopt(ctx context.Context, blob cache.Blob) error {
	return s.call("adopt", func() error { return s.Storage.Adopt(ctx, blob) })
}

func (s *faulty) Open(ctx context.Context, digest artifact.Digest) (o storage.Object, err error) {
	err = s.call("open", func() error { o, err = s.Storage.Open(ctx, digest); return err })
	if err != nil && o != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, err
}

func (s *faulty) Stat(ctx context.Context, digest artifact.Digest) (n int64, err error) {
	return n, s.call("stat", func() error { n, err = s.Storage.Stat(ctx, digest); return err })
}

func (s *faulty) Delete(ctx context.Context, digest artifact.Digest) error {
	return s.call("delete", func() error { return s.Storage.Delete(ctx, digest) })
}

func (s *faulty) Document(ctx context.Context, name string) (data []byte, v storage.Version, err error) {
	err = s.call("document", func() error { data, v, err = s.Storage.Document(ctx, name); return err })
	if err != nil {
		return nil, "", err
	}
	return data, v, nil
}

func (s *faulty) Replace(ctx context.Context, name string, old storage.Version, data []byte) (v storage.Version, err error) {
	err = s.call("replace "+name, func() error { v, err = s.Storage.Replace(ctx, name, old, data); return err })
	if err != nil {
		return "", err
	}
	return v, nil
}

func (s *faulty) Free(ctx context.Context) (n int64, err error) {
	if s.endless {
		return -1, nil
	}
	return n, s.call("free", func() error { n, err = s.Storage.Free(ctx); return err })
}

// bench is a mirror of a busy publisher, whose storage may fail.
type bench struct {
	t      *testing.T
	b      *busy
	server *testrepo.Server
	dir    string
	folder *storage.Folder
	disk   *faulty
	client *reader
	m      *mirror.Mirror
}

func newBench(t *testing.T, dir string) *bench {
	b, err := newBusy(testrepo.Options{})
	must(t, err)
	server, err := testrepo.Serve(b.repo)
	must(t, err)
	t.Cleanup(func() { server.Close() })
	client, err := newReader(b.repo.Root(), time.Now)
	must(t, err)
	x := &bench{t: t, b: b, server: server, dir: dir, client: client}
	t.Cleanup(x.close)
	return x
}

func (x *bench) close() {
	if x.m != nil {
		x.m.Close()
	}
	if x.folder != nil {
		must(x.t, x.folder.Close())
	}
	x.m, x.folder = nil, nil
}

// open opens the mirror, with the n-th call to fail; 0: none.
func (x *bench) open(n int64, persisted bool) error {
	x.t.Helper()
	x.close()
	var err error
	x.folder, err = storage.Open(filepath.Join(x.dir, "storage"), storage.Options{})
	must(x.t, err)
	from, err := plainUpstream(x.t.TempDir(), x.server.URL, x.b.repo.Root(), x.folder)
	must(x.t, err)
	x.disk = &faulty{Storage: x.folder, persisted: persisted}
	x.disk.left.Store(n)
	x.m, err = mirror.Open(x.t.Context(), mirror.Config{Storage: x.disk, Repositories: []mirror.Mirrored{{
		Settings: mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour}, Upstream: from,
	}}})
	x.client.m = x.m
	return err
}

func (x *bench) sync() mirror.Run {
	x.t.Helper()
	run, err := x.m.Sync(x.t.Context(), "acme")
	must(x.t, err)
	return run
}

// whole expects the client to find one whole repository, and tells how many targets.
func (x *bench) whole(what string) int {
	x.t.Helper()
	n, err := x.client.whole(x.t.Context(), true)
	if err != nil {
		x.t.Errorf("%s: expected one whole repository, found %v after %d targets", what, err, n)
	}
	return n
}

// TestEachStorageCallFails: each call of a run fails in its turn, whether or not its
// work was done. Serving goes on, what the disk has is whole, and the next run heals
// all, in the same process as in the next.
func TestEachStorageCallFails(t *testing.T) {
	for _, persisted := range []bool{false, true} {
		t.Run(fmt.Sprintf("persisted=%v", persisted), func(t *testing.T) {
			x := newBench(t, t.TempDir())
			must(t, x.open(0, false))
			x.sync()
			x.whole("at first")
			seen := map[string]bool{}
			for n := int64(1); ; n++ {
				must(t, x.b.change())
				x.disk.persisted = persisted
				x.disk.left.Store(n)
				run := x.sync()
				fired := x.disk.fired.Swap(nil)
				if fired == nil {
					if n < 20 || run.Outcome != mirror.Done {
						t.Errorf("the last: expected dozens of calls, found %d; %+v", n, run)
					}
					break
				}
				x.disk.left.Store(0)
				what := fmt.Sprintf("call %d, %s", n, *fired)
				seen[*fired] = true
				if run.Outcome != mirror.Failed || !errors.Is(run.Err, storage.ErrDisk) || run.Changed {
					t.Errorf("%s: expected a run that failed with %v, found %+v", what, storage.ErrDisk, run)
				}
				x.whole(what + ", goes on")
				if n%2 == 0 {
					must(t, x.open(0, false))
					x.whole(what + ", reopened")
				}
				if run := x.sync(); run.Outcome != mirror.Done {
					t.Fatalf("%s: expected the next run to heal it, found %+v", what, run)
				}
				x.whole(what + ", healed")
			}
			for _, what := range []string{"put", "adopt", "stat", "free", "replace current/acme"} {
				if !seen[what] {
					t.Errorf("expected %q to have failed, found %v", what, seen)
				}
			}
		})
	}
}

// TestEachStorageCallFailsAtTheStart: nobody takes a disk that can't be read for an
// empty one.
func TestEachStorageCallFailsAtTheStart(t *testing.T) {
	x := newBench(t, t.TempDir())
	must(t, x.open(0, false))
	x.sync()
	fired := 0
	for n := int64(1); ; n++ {
		err := x.open(n, false)
		if x.disk.fired.Load() == nil {
			must(t, err)
			x.disk.left.Store(0)
			break
		}
		if fired++; !errors.Is(err, storage.ErrDisk) {
			t.Errorf("call %d, %s: expected %v, found %v", n, *x.disk.fired.Load(), storage.ErrDisk, err)
		}
		x.m = nil
	}
	if fired < 4 {
		t.Errorf("expected documents, objects and targets to be read, found %d calls", fired)
	}
	x.whole("at the end")
}
