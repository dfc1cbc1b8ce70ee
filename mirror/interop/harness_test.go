// Package interop_test holds a mirror against software that others wrote, and against
// data that others published: each test has a publisher, the mirror with its server
// on loopback, and a client that knows nothing of assay. What a test needs and this
// machine lacks has it skip, and say so.
package interop_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/serve"
	"assay/mirror/storage"
	"assay/mirror/upstream"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// published is what a mirror is made of.
type published struct {
	url  string // where the publisher serves it
	root []byte // that trust begins with
	mode mirror.Mode
	dir  string           // of state and storage; empty: a new one
	now  func() time.Time // nil: the real clock
}

// site is a mirror that serves on loopback until the test ends.
type site struct {
	t    testing.TB
	url  string // of the repository, without a slash at the end
	core *mirror.Mirror
	stop func() // may be called twice
}

// mirrored syncs once, completely, and serves.
func mirrored(t testing.TB, p published) *site {
	t.Helper()
	if p.mode == "" {
		p.mode = mirror.Full
	}
	if p.dir == "" {
		p.dir = t.TempDir()
	}
	if p.now == nil {
		p.now = time.Now
	}
	folder, err := storage.Open(filepath.Join(p.dir, "storage"), storage.Options{Now: p.now})
	must(t, err)
	core, err := mirror.Open(t.Context(), mirror.Config{
		Storage: folder, Now: p.now,
		Repositories: []mirror.Mirrored{{
			Settings: mirror.Settings{Name: "acme", Mode: p.mode, Every: time.Hour}, Upstream: upstreamOf(t, p, folder),
		}},
	})
	must(t, err)
	run, err := core.Sync(t.Context(), "acme")
	must(t, err)
	if run.Outcome != mirror.Done {
		t.Fatalf("sync: expected it to be %s, found %s: %v %+v", mirror.Done, run.Outcome, run.Err, run.Faults)
	}
	server, err := serve.New(serve.Config{Library: core, Now: p.now, Limits: serve.Limits{ConnectionsPerClient: 2048}})
	must(t, err)
	listener, err := serve.Listen(t.Context(), "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	s := &site{t: t, url: "http://" + listener.Addr().String() + "/r/acme", core: core}
	s.stop = func() {
		if s.core == nil {
			return
		}
		s.core = nil
		cancel()
		<-ended
		core.Close()
		must(t, folder.Close())
	}
	t.Cleanup(s.stop)
	return s
}

func upstreamOf(t testing.TB, p published, folder *storage.Folder) *upstream.Upstream {
	t.Helper()
	db, err := state.Open(filepath.Join(p.dir, "state"), state.Options{})
	must(t, err)
	engine := wire.New(wire.Options{})
	connect := func() (*fetch.Repository, error) {
		source, err := fetch.NewSource(engine, fetch.SourceConfig{URL: p.url, Layout: fetch.LayoutBase, Now: p.now})
		if err != nil {
			return nil, err
		}
		known, err := trust.Open(trust.Config{Name: "acme", Root: p.root, Store: db.Trust("acme"), Remote: source, Now: p.now})
		return &fetch.Repository{Trust: known, Source: source}, err
	}
	first, err := connect()
	must(t, err)
	rules, err := policy.New(nil, nil)
	must(t, err)
	prover, err := proof.New(proof.Config{Policy: rules, Memory: db.Proofs(), Now: p.now})
	must(t, err)
	return upstream.New(upstream.Config{
		Name: "acme", Trust: first.Trust,
		Client: func(context.Context) (*fetch.Client, error) {
			one, err := connect()
			if err != nil {
				return nil, err
			}
			return fetch.NewClient(fetch.Config{
				Repositories: []*fetch.Repository{one}, Cache: folder.Cache(), Engine: engine, Prover: prover, Now: p.now, Transfer: transfer.Options{},
			})
		},
	})
}

// ask gets a file by the name that it has at the publisher. That of metadata goes
// into the URL as it is, with its escapes, as every client of TUF does it: the role
// "a/b" lies in a%2Fb.json.
func (s *site) ask(name string) (int, string) {
	s.t.Helper()
	if strings.HasPrefix(name, "targets/") {
		name = (&url.URL{Path: name}).EscapedPath()
	}
	answer, err := http.Get(s.url + "/" + name)
	must(s.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(s.t, err)
	return answer.StatusCode, string(body)
}

// oddRoles are names that a server, a client or a file system may take for another.
var oddRoles = []string{"team one", "a/b", "a%2Fb", "50%", "日本", "dotted.name", "..", "plus+sign", "question?mark", "1.targets"}

// odd is a repository with such delegations, and the paths of its targets. The
// targets' own names are those that the clients can ask for: go-tuf and python-tuf
// put a path into a URL as it is.
func odd(t testing.TB, options testrepo.Options) (*testrepo.Repo, []string) {
	t.Helper()
	repo, err := testrepo.New(options)
	must(t, err)
	var paths []string
	parent := "targets"
	for i, role := range oddRoles {
		folder := "odd" + string(rune('0'+i))
		must(t, repo.Delegate(parent, testrepo.DelegatedRole{Name: role, Paths: []string{folder + "/*", folder + "/*/*", "odd*/*", "odd*/*/*"}}))
		for _, name := range []string{"plain.txt", "with space.txt", "ünï.txt", "per%20cent.txt", "a+b.txt", "..dots..", ".hidden", "sub.dir/x"} {
			path := folder + "/" + name
			must(t, repo.AddTarget(path, []byte(role+" promises "+path), role))
			paths = append(paths, path)
		}
		if i%3 == 1 {
			parent = role // some lie deeper
		}
	}
	must(t, repo.AddTarget("top.txt", []byte("the top"), "targets"))
	must(t, repo.AddTarget("empty", nil, "targets"))
	must(t, repo.Publish())
	return repo, append(paths, "top.txt", "empty")
}

// binned is a repository with hash bins, and the paths of its targets.
func binned(t testing.TB, options testrepo.Options) (*testrepo.Repo, []string) {
	t.Helper()
	repo, err := testrepo.New(options)
	must(t, err)
	bins := testrepo.Bins{Prefix: "bin s", BitLength: 4}
	must(t, repo.DelegateBins("targets", bins))
	var paths []string
	for i := range 40 {
		path := "files/" + strings.Repeat("x", i) + ".txt"
		must(t, repo.AddTarget(path, []byte(path), testrepo.BinOf(bins, path)))
		paths = append(paths, path)
	}
	must(t, repo.Publish())
	return repo, paths
}

// kinds are the repositories that each client has to get through.
var kinds = map[string]struct {
	options testrepo.Options
	make    func(testing.TB, testrepo.Options) (*testrepo.Repo, []string)
}{
	"consistent":      {testrepo.Options{}, odd},
	"plain":           {testrepo.Options{PlainSnapshots: true}, odd},
	"consistent bins": {testrepo.Options{}, binned},
	"plain bins":      {testrepo.Options{PlainSnapshots: true}, binned},
}

// each runs a test with every kind of repository, its mirror and its targets.
func each(t *testing.T, test func(t *testing.T, repo *testrepo.Repo, s *site, paths []string)) {
	t.Helper()
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, paths := kind.make(t, kind.options)
			server, err := testrepo.Serve(repo)
			must(t, err)
			t.Cleanup(func() { server.Close() })
			test(t, repo, mirrored(t, published{url: server.URL, root: repo.RootBytes(1)}), paths)
		})
	}
}
