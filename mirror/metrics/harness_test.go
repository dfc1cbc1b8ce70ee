package metrics_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/admin"
	"assay/mirror/counters"
	"assay/mirror/metrics"
	"assay/mirror/storage"
	"assay/mirror/upstream"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// site is a publisher, a mirror of it, and the mirror's administrator's side on TCP.
type site struct {
	t      *testing.T
	behind atomic.Int64 // nanoseconds that the clock of both is behind
	repo   *testrepo.Repo
	server *testrepo.Server
	dir    string // of the mirror
	counts counters.Set
	m      *mirror.Mirror

	address, token string
	closeAdmin     func()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) now() time.Time { return time.Now().Add(-time.Duration(s.behind.Load())) }

func newSite(t *testing.T, dir string, behind time.Duration) *site {
	t.Helper()
	s := &site{t: t, dir: dir, token: "0123456789abcdef0123456789abcdef"}
	s.behind.Store(int64(behind))
	var err error
	s.repo, s.server, err = testrepo.ServeSample(testrepo.Options{Now: s.now})
	must(t, err)
	t.Cleanup(func() { s.server.Close() })
	folder, err := storage.Open(filepath.Join(dir, "storage"), storage.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, folder.Close()) })
	s.m, err = mirror.Open(t.Context(), mirror.Config{
		Storage: folder, Counters: &s.counts, Now: s.now,
		Repositories: []mirror.Mirrored{{Settings: mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour}, Upstream: s.upstream(folder)}},
	})
	must(t, err)
	t.Cleanup(s.m.Close)
	s.serveAdmin()
	return s
}

func (s *site) upstream(folder *storage.Folder) *upstream.Upstream {
	db, err := state.Open(filepath.Join(s.dir, "state"), state.Options{})
	must(s.t, err)
	engine := wire.New(wire.Options{Pause: time.Millisecond, Retries: -1, Answer: 5 * time.Second})
	connect := func() (*fetch.Repository, error) {
		source, err := fetch.NewSource(engine, fetch.SourceConfig{URL: s.server.URL, Layout: fetch.LayoutBase, Now: s.now, Patience: time.Second})
		if err != nil {
			return nil, err
		}
		known, err := trust.Open(trust.Config{Name: "acme", Root: s.repo.RootBytes(1), Store: db.Trust("acme"), Remote: source, Now: s.now})
		return &fetch.Repository{Trust: known, Source: source}, err
	}
	first, err := connect()
	must(s.t, err)
	return upstream.New(upstream.Config{
		Name: "acme", Trust: first.Trust, Counters: &s.counts,
		Client: func(context.Context) (*fetch.Client, error) {
			one, err := connect()
			if err != nil {
				return nil, err
			}
			rules, err := policy.New(nil, nil)
			if err != nil {
				return nil, err
			}
			prover, err := proof.New(proof.Config{Policy: rules, Memory: db.Proofs(), Now: s.now})
			if err != nil {
				return nil, err
			}
			return fetch.NewClient(fetch.Config{
				Repositories: []*fetch.Repository{one}, Cache: folder.Cache(), Engine: engine, Prover: prover, Now: s.now,
				Transfer: transfer.Options{Pause: time.Millisecond, Retries: -1},
			})
		},
	})
}

// serveAdmin serves the administrator's side, until closeAdmin.
func (s *site) serveAdmin() {
	sum := sha256.Sum256([]byte(s.token))
	tokens := filepath.Join(s.t.TempDir(), "tokens")
	must(s.t, os.WriteFile(tokens, []byte("prometheus sha256:"+hex.EncodeToString(sum[:])+"\n"), 0o600))
	handler, err := metrics.Handler(metrics.Config{Mirror: s.m, Counters: &s.counts, Version: "1.2.3"})
	must(s.t, err)
	side, err := admin.New(admin.Config{Mirror: s.m, Counters: &s.counts, Metrics: handler, TokenFile: tokens})
	must(s.t, err)
	listener, err := admin.Listen("127.0.0.1:0")
	must(s.t, err)
	s.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- side.Serve(ctx, listener) }()
	closed := false
	s.closeAdmin = func() {
		if cancel(); !closed {
			closed = true
			must(s.t, <-ended)
		}
	}
	s.t.Cleanup(func() { s.closeAdmin() })
}

func (s *site) sync(want mirror.Outcome) {
	s.t.Helper()
	run, err := s.m.Sync(s.t.Context(), "acme")
	must(s.t, err)
	if run.Outcome != want {
		s.t.Fatalf("sync: expected it to be %s, found %s: %v", want, run.Outcome, run.Err)
	}
}

// scrape asks for the metrics.
func (s *site) scrape(token, accept string) (status int, kind, text string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.address+"/metrics", nil)
	must(s.t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	request.Header.Set("Accept", accept)
	answer, err := http.DefaultClient.Do(request)
	must(s.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	must(s.t, err)
	return answer.StatusCode, answer.Header.Get("Content-Type"), string(body)
}
