package mirror_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/storage"
	"assay/mirror/upstream"
	"assay/trust"
)

// faultsVariable chooses how much the tests of faults try: "soak" more, "none"
// nothing, as where mutants run, which shorter tests must find.
const faultsVariable = "ASSAY_FAULTS"

// childVariable has the test's program mirror a repository until it is killed:
// folder|URL|n|side, where it kills itself before or after (side) the n-th change of
// the storage, or of its documents alone where n is below 0; 0: somebody else does.
const childVariable = "ASSAY_MIRROR_CHILD"

// TestMain is also the other process.
func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		fmt.Fprintln(os.Stderr, mirrorForEver(strings.Split(job, "|")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// suicidal is a storage whose process dies at the n-th change.
type suicidal struct {
	storage.Storage
	left  atomic.Int64
	after bool
	only  bool // documents count, nothing else
}

func (s *suicidal) step(document bool, do func()) {
	last := (document || !s.only) && s.left.Add(-1) == 0
	if last && !s.after {
		die()
	}
	do()
	if last {
		die()
	}
}

func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	fmt.Fprintln(os.Stderr, err)
	select {}
}

func (s *suicidal) Put(ctx context.Context, data []byte) (digest artifact.Digest, err error) {
	s.step(false, func() { digest, err = s.Storage.Put(ctx, data) })
	return digest, err
}

func (s *suicidal) Adopt(ctx context.Context, blob cache.Blob) (err error) {
	s.step(false, func() { err = s.Storage.Adopt(ctx, blob) })
	return err
}

func (s *suicidal) Replace(ctx context.Context, name string, old storage.Version, data []byte) (v storage.Version, err error) {
	s.step(true, func() { v, err = s.Storage.Replace(ctx, name, old, data) })
	return v, err
}

func (s *suicidal) Delete(ctx context.Context, digest artifact.Digest) (err error) {
	s.step(false, func() { err = s.Storage.Delete(ctx, digest) })
	return err
}

// mirrorForEver syncs and collects, and says a line after each run.
func mirrorForEver(job []string) error {
	dir, url := job[0], job[1]
	n, err := strconv.ParseInt(job[2], 10, 64)
	if err != nil {
		return err
	}
	folder, err := storage.Open(filepath.Join(dir, "storage"), storage.Options{})
	if err != nil {
		return err
	}
	root, err := os.ReadFile(filepath.Join(dir, "root.json"))
	if err != nil {
		return err
	}
	from, err := plainUpstream(dir, url, root, folder)
	if err != nil {
		return err
	}
	deadly := &suicidal{Storage: folder, after: job[3] == "after"}
	deadly.left.Store(max(n, -n))
	deadly.only = n < 0
	m, err := mirror.Open(context.Background(), mirror.Config{Storage: deadly, Repositories: []mirror.Mirrored{{
		Settings: mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour}, Upstream: from,
	}}})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		run, err := m.Sync(context.Background(), "acme")
		if err != nil {
			return err
		}
		if _, _, err := m.Collect(context.Background()); err != nil {
			return err
		}
		fmt.Println(run.Outcome, run.Reason)
	}
}

// plainUpstream is an upstream by URL, without any policy.
func plainUpstream(dir, url string, root []byte, folder *storage.Folder) (*upstream.Upstream, error) {
	db, err := state.Open(filepath.Join(dir, "state"), state.Options{})
	if err != nil {
		return nil, err
	}
	engine := wire.New(wire.Options{Pause: time.Millisecond, Retries: -1, Answer: 5 * time.Second, Idle: 5 * time.Second, Document: 10 * time.Second})
	connect := func() (*fetch.Repository, error) {
		source, err := fetch.NewSource(engine, fetch.SourceConfig{URL: url, Layout: fetch.LayoutBase, Now: time.Now, Patience: time.Second})
		if err != nil {
			return nil, err
		}
		known, err := trust.Open(trust.Config{Name: "acme", Root: root, Store: db.Trust("acme"), Remote: source})
		return &fetch.Repository{Trust: known, Source: source}, err
	}
	first, err := connect()
	if err != nil {
		return nil, err
	}
	return upstream.New(upstream.Config{Name: "acme", Trust: first.Trust, Client: func(context.Context) (*fetch.Client, error) {
		one, err := connect()
		if err != nil {
			return nil, err
		}
		return fetch.NewClient(fetch.Config{
			Repositories: []*fetch.Repository{one}, Cache: folder.Cache(), Engine: engine, Now: time.Now,
			Transfer: transfer.Options{Pause: time.Millisecond, Retries: -1},
		})
	}}), nil
}

// oddRole is a delegated role whose metadata has an escape in its name.
const oddRole = "teams/ö b"

// busy is a publisher that has something new all the time.
type busy struct {
	repo *testrepo.Repo
	mu   sync.Mutex
	n    int
}

func newBusy(options testrepo.Options) (*busy, error) {
	repo, err := testrepo.New(options)
	if err != nil {
		return nil, err
	}
	b := &busy{repo: repo}
	err = repo.Delegate("targets", testrepo.DelegatedRole{Name: oddRole, Paths: []string{"team/*"}})
	for i := range 4 {
		err = errors.Join(err, repo.AddTarget(fmt.Sprintf("files/%d", i), []byte{byte(i)}))
	}
	return b, errors.Join(err, b.change())
}

// change publishes the next generation: targets added, replaced and removed, roles
// changed, and at times other keys.
func (b *busy) change() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
	text := fmt.Appendf(nil, "generation %d", b.n)
	err := errors.Join(
		b.repo.AddTarget("replaced", text),
		b.repo.AddTarget(fmt.Sprintf("files/%d", b.n%4), append(text, "in turn"...)),
		b.repo.AddTarget(fmt.Sprintf("team/%d", b.n), append(text, "of the team"...), oddRole),
	)
	if b.n > 3 {
		err = errors.Join(err, b.repo.RemoveTarget(fmt.Sprintf("team/%d", b.n-3), oddRole))
	}
	switch b.n % 16 {
	case 5:
		err = errors.Join(err, b.repo.RotateRoot())
	case 9:
		err = errors.Join(err, b.repo.RotateKey(oddRole))
	case 13:
		err = errors.Join(err, b.repo.RotateKey("timestamp"))
	}
	return errors.Join(err, b.repo.Publish())
}

// TestKilled: a mirror that syncs from a busy publisher is killed at any moment, and
// at each step of publishing. What is served then, by a process that asks nobody, is
// one whole repository, and no older one than before.
func TestKilled(t *testing.T) {
	rounds := map[string]int{"": 200, "soak": 2000}[os.Getenv(faultsVariable)]
	if rounds == 0 {
		t.Skip("left out by " + faultsVariable)
	}
	if testing.Short() {
		rounds = 20
	}
	const each = 25 // rounds with one publisher, which keeps all that it published
	for i := range (rounds + each - 1) / each {
		plain := i%2 == 1
		t.Run(fmt.Sprintf("%d plain=%v", i, plain), func(t *testing.T) { killRounds(t, min(each, rounds), plain) })
	}
}

func killRounds(t *testing.T, rounds int, plain bool) {
	b, err := newBusy(testrepo.Options{PlainSnapshots: plain})
	must(t, err)
	server, err := testrepo.Serve(b.repo)
	must(t, err)
	defer server.Close()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "root.json"), b.repo.Root(), 0o600))
	client, err := newReader(b.repo.Root(), time.Now)
	must(t, err)
	published := false
	for round := range rounds {
		what := killOne(t, b, dir, server.URL, round)
		served, err := servedBy(t, client, dir, server.URL, !plain)
		switch {
		case err == nil:
			published = true
		case errors.Is(err, mirror.ErrNotReady) && !published:
		default:
			t.Fatalf("round %d, killed %s: expected one whole repository, found %v after %d targets", round, what, err, served)
		}
	}
	if !published {
		t.Error("expected something to be published in so many rounds, found nothing")
	}
}

// killOne lets a process mirror until it is killed, and tells when that was.
func killOne(t *testing.T, b *busy, dir, url string, round int) (what string) {
	t.Helper()
	n, side := 0, "before"
	if round%2 == 0 { // each step in its turn, both sides of it
		if n = 1 + rand.IntN(28); round%4 == 0 {
			n = -1 - rand.IntN(2) // where a generation begins to be served
		}
		if rand.IntN(2) == 0 {
			side = "after"
		}
		what = fmt.Sprintf("%s change %d", side, n)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%d|%s", childVariable, dir, url, n, side))
	var said strings.Builder
	child.Stderr = &said
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	var killing *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if killing == nil && n == 0 {
			wait := time.Duration(rand.IntN(60_000)) * time.Microsecond
			what = wait.String() + " after its start"
			killing = time.AfterFunc(wait, func() { child.Process.Kill() })
		}
		must(t, b.change())
		if rand.IntN(2) == 0 { // in the middle of the next run
			time.AfterFunc(time.Duration(rand.IntN(10_000))*time.Microsecond, func() { _ = b.change() })
		}
	}
	child.Wait()
	if killing != nil {
		killing.Stop()
	}
	if said.Len() > 0 {
		t.Fatalf("the process ended by itself: %s", said.String())
	}
	return what
}

// servedBy opens the folder as the next process would, and has the client read all.
func servedBy(t *testing.T, client *reader, dir, url string, hashed bool) (int, error) {
	t.Helper()
	folder, err := storage.Open(filepath.Join(dir, "storage"), storage.Options{})
	must(t, err)
	defer folder.Close()
	m, err := mirror.Open(t.Context(), mirror.Config{Storage: folder, Repositories: []mirror.Mirrored{{
		Settings: mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour}, Upstream: nobody{},
	}}})
	must(t, err)
	defer m.Close()
	client.m = m
	return client.whole(t.Context(), hashed)
}

// nobody is an upstream that must not be asked.
type nobody struct{}

var errNobody = errors.New("nobody is to be asked")

func (nobody) Refresh(context.Context) (mirror.Session, error) { return nil, errNobody }
func (nobody) Held(context.Context) (mirror.Session, error)    { return nil, errNobody }

// TestReadersSeeOneRepository: while a mirror publishes one generation after another,
// clients that begin at any moment read to the end what they began with.
func TestReadersSeeOneRepository(t *testing.T) {
	b, err := newBusy(testrepo.Options{})
	must(t, err)
	server, err := testrepo.Serve(b.repo)
	must(t, err)
	defer server.Close()
	folder, err := storage.Open(filepath.Join(t.TempDir(), "storage"), storage.Options{})
	must(t, err)
	defer folder.Close()
	from, err := plainUpstream(t.TempDir(), server.URL, b.repo.Root(), folder)
	must(t, err)
	m, err := mirror.Open(t.Context(), mirror.Config{Storage: folder, Repositories: []mirror.Mirrored{{
		Settings: mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour}, Upstream: from,
	}}})
	must(t, err)
	defer m.Close()
	sync1 := func() {
		if run, err := m.Sync(t.Context(), "acme"); err != nil || run.Outcome != mirror.Done || !run.Changed {
			t.Errorf("expected a new generation, found %+v, %v", run, err)
		}
	}
	sync1()
	var wait sync.WaitGroup
	begin, reads := make(chan bool, 2), atomic.Int64{}
	for range 2 {
		client, err := newReader(b.repo.Root(), time.Now)
		must(t, err)
		client.m = m
		wait.Go(func() {
			for range begin {
				if n, err := client.whole(t.Context(), true); err != nil {
					t.Errorf("expected one whole repository, found %v after %d targets", err, n)
					return
				}
				reads.Add(1)
			}
		})
	}
	for range 50 {
		must(t, b.change())
		select {
		case begin <- true:
		default: // both are at work
		}
		sync1()
		if _, _, err := m.Collect(t.Context()); err != nil {
			t.Errorf("collect: %v", err)
		}
	}
	close(begin)
	wait.Wait()
	if reads.Load() < 10 {
		t.Errorf("expected clients to read meanwhile, found %d reads", reads.Load())
	}
}
