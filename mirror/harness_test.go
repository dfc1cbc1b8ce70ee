package mirror_test

import (
	"context"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/mirrors"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/counters"
	"assay/mirror/storage"
	"assay/mirror/upstream"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// region is a publisher and a mirror of it.
type region struct {
	t           testing.TB
	now         time.Time
	repo        *testrepo.Repo
	server      *testrepo.Server
	dir         string
	settings    mirror.Settings
	quota       int64
	urls        []string // of the upstream; none: upstreamURL
	upstreamURL string   // the server's
	policy      string
	rules       []policy.Rule
	engine      wire.Options

	folder *storage.Folder
	wrap   func(storage.Storage) storage.Storage // nil: the folder as it is
	counts counters.Set
	m      *mirror.Mirror
}

func newRegion(t *testing.T, options testrepo.Options) *region {
	t.Helper()
	r := &region{t: t, now: time.Now(), dir: t.TempDir()}
	options.Now = func() time.Time { return r.now }
	repo, server, err := testrepo.ServeSample(options)
	must(t, err)
	t.Cleanup(func() { server.Close() })
	r.repo, r.server, r.upstreamURL = repo, server, server.URL
	r.settings = mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour}
	r.engine = wire.Options{Pause: time.Millisecond, Retries: -1, Answer: 5 * time.Second, Idle: 5 * time.Second, Document: 10 * time.Second}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open starts the mirror, as a new process would.
func (r *region) open() *mirror.Mirror {
	r.t.Helper()
	r.close()
	folder, err := storage.Open(filepath.Join(r.dir, "storage"), storage.Options{})
	must(r.t, err)
	r.folder = folder
	m, err := mirror.Open(r.t.Context(), r.config())
	must(r.t, err)
	r.m = m
	r.t.Cleanup(r.close)
	return m
}

func (r *region) config() mirror.Config {
	var objects storage.Storage = r.folder
	if r.wrap != nil {
		objects = r.wrap(r.folder)
	}
	return mirror.Config{
		Storage: objects, Counters: &r.counts, Now: func() time.Time { return r.now }, Quota: r.quota,
		Repositories: []mirror.Mirrored{{Settings: r.settings, Upstream: r.upstream()}},
	}
}

func (r *region) close() {
	if r.m != nil {
		r.m.Close()
		must(r.t, r.folder.Close())
		r.m = nil
	}
}

func (r *region) upstream() *upstream.Upstream {
	r.t.Helper()
	db, err := state.Open(filepath.Join(r.dir, "state"), state.Options{})
	must(r.t, err)
	now := func() time.Time { return r.now }
	engine := wire.New(r.engine)
	var list []mirrors.Mirror
	for _, u := range r.urls {
		list = append(list, mirrors.Mirror{URL: u})
	}
	connect := func() (*fetch.Repository, error) {
		source, err := fetch.NewSource(engine, fetch.SourceConfig{
			URL: r.upstreamURL, Layout: fetch.LayoutBase, Now: now, Mirrors: list, MirrorsOnly: len(list) > 0, Patience: time.Second,
		})
		if err != nil {
			return nil, err
		}
		known, err := trust.Open(trust.Config{Name: "acme", Root: r.repo.RootBytes(1), Store: db.Trust("acme"), Remote: source, Now: now})
		return &fetch.Repository{Trust: known, Source: source}, err
	}
	first, err := connect()
	must(r.t, err)
	return upstream.New(upstream.Config{
		Name: "acme", Trust: first.Trust, Policy: r.policy,
		Client: func(context.Context) (*fetch.Client, error) {
			one, err := connect()
			if err != nil {
				return nil, err
			}
			rules, err := policy.New(r.rules, nil)
			if err != nil {
				return nil, err
			}
			prover, err := proof.New(proof.Config{Policy: rules, Memory: db.Proofs(), Now: now})
			if err != nil {
				return nil, err
			}
			return fetch.NewClient(fetch.Config{
				Repositories: []*fetch.Repository{one}, Cache: r.folder.Cache(), Engine: engine, Prover: prover, Now: now,
				Transfer: transfer.Options{Pause: time.Millisecond, Retries: -1},
			})
		},
	})
}

// sync runs once, and expects the outcome.
func (r *region) sync(want mirror.Outcome) mirror.Run {
	r.t.Helper()
	if r.m == nil {
		r.open()
	}
	run, err := r.m.Sync(r.t.Context(), "acme")
	must(r.t, err)
	if run.Outcome != want {
		r.t.Fatalf("sync: expected it to be %s, found %s: %v %+v", want, run.Outcome, run.Err, run.Faults)
	}
	return run
}

// get reads what is served under a name.
func (r *region) get(name string) ([]byte, error) {
	f, err := r.m.Find("acme", name)
	if err != nil {
		return nil, err
	}
	object, err := r.m.Open(r.t.Context(), f)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	data, err := io.ReadAll(object)
	if err == nil && int64(len(data)) != f.Length {
		r.t.Errorf("%s: expected %d bytes, found %d", name, f.Length, len(data))
	}
	return data, err
}

// sameAsUpstream expects every file of the publisher's newest generation to be served
// byte for byte, but for those that except names. It tells how many were.
func (r *region) sameAsUpstream(except func(name string) bool) (served int) {
	r.t.Helper()
	for name, want := range r.repo.Files(r.repo.Generation()) {
		if except != nil && except(name) || strings.HasPrefix(name, "elsewhere/") || !r.current(name) {
			continue
		}
		got, err := r.get(name)
		if err != nil {
			r.t.Errorf("%s: expected the upstream's file, found %v", name, err)
			continue
		}
		if string(got) != string(want) {
			r.t.Errorf("%s: expected the upstream's %d bytes, found %d others", name, len(want), len(got))
		}
		served++
	}
	return served
}

// current reports whether the newest metadata leads to a file, of which the publisher
// keeps earlier ones, too.
func (r *region) current(name string) bool {
	if path, ok := strings.CutPrefix(name, "targets/"); ok {
		dir, base := "", path
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			dir, base = path[:i+1], path[i+1:]
		}
		if prefix, rest, found := strings.Cut(base, "."); found && len(prefix) == 64 {
			data, ok := r.repo.Target(dir + rest)
			return ok && artifact.DigestOf(artifact.SHA256, data).Hex() == prefix
		}
		_, ok := r.repo.Target(path)
		return ok
	}
	version, role, found := strings.Cut(strings.TrimSuffix(name, ".json"), ".")
	if !found || strings.Trim(version, "0123456789") != "" || role == "root" {
		return true
	}
	role, err := url.PathUnescape(role)
	must(r.t, err)
	return strconv.FormatInt(r.repo.Version(role), 10) == version
}

// refused expects a name not to be served, and why.
func (r *region) refused(name string, why error) {
	r.t.Helper()
	if _, err := r.get(name); !errors.Is(err, why) {
		r.t.Errorf("%s: expected %v, found %v", name, why, err)
	}
}

// hashed is the name of a target with its digest.
func (r *region) hashed(path string) string {
	r.t.Helper()
	data, ok := r.repo.Target(path)
	if !ok {
		r.t.Fatalf("no target %s", path)
	}
	dir, base := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, base = path[:i+1], path[i+1:]
	}
	return "targets/" + dir + artifact.DigestOf(artifact.SHA256, data).Hex() + "." + base
}
