package airgap

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/storage"
	"assay/mirror/upstream"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// gap is a publisher, a mirror of it with a network, and one without.
type gap struct {
	t    testing.TB
	now  time.Time
	repo *testrepo.Repo
	url  string
	dir  string
}

func newGap(t testing.TB, options testrepo.Options) *gap {
	t.Helper()
	g := &gap{t: t, now: time.Now(), dir: t.TempDir()}
	options.Now = func() time.Time { return g.now }
	repo, server, err := testrepo.ServeSample(options)
	must(t, err)
	t.Cleanup(func() { server.Close() })
	g.repo, g.url = repo, server.URL
	return g
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// node is a mirror.
type node struct {
	dir    string
	root   []byte
	now    func() time.Time
	source fetch.SourceConfig
	offset time.Duration // of its clock
	brings bool          // it imports
	change func(*mirror.Settings)

	folder *storage.Folder
}

func (g *gap) near() *node {
	return &node{
		dir: filepath.Join(g.dir, "near"), root: g.repo.RootBytes(1), now: func() time.Time { return g.now },
		source: fetch.SourceConfig{URL: g.url, Layout: fetch.LayoutBase},
	}
}

func (g *gap) far() *node {
	return farNode(filepath.Join(g.dir, "far"), g.repo.RootBytes(1), func() time.Time { return g.now })
}

func farNode(dir string, root []byte, now func() time.Time) *node {
	base, metadata := Places(ReadyFolder(filepath.Join(dir, "import"), "acme"))
	file := func(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }
	return &node{dir: dir, root: root, now: now, brings: true, source: fetch.SourceConfig{URL: file(base), MetadataURL: file(metadata), ByDigest: true}}
}

// run opens the mirror as a process of its own would, and syncs once.
func (n *node) run(ctx context.Context) (run mirror.Run, err error) {
	folder, err := storage.Open(filepath.Join(n.dir, "storage"), storage.Options{})
	if err != nil {
		return run, err
	}
	defer folder.Close()
	n.folder = folder
	from, err := n.upstream()
	if err != nil {
		return run, err
	}
	settings := mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour, Imported: n.brings}
	if n.change != nil {
		n.change(&settings)
	}
	m, err := mirror.Open(ctx, mirror.Config{Storage: folder, Now: n.clock, Repositories: []mirror.Mirrored{{Settings: settings, Upstream: from}}})
	if err != nil {
		return run, err
	}
	defer m.Close()
	run, err = m.Sync(ctx, "acme")
	if err == nil {
		err = run.Err
	}
	return run, err
}

func (n *node) clock() time.Time { return n.now().Add(n.offset) }

func (n *node) upstream() (mirror.Upstream, error) {
	db, err := state.Open(filepath.Join(n.dir, "state"), state.Options{})
	if err != nil {
		return nil, err
	}
	engine := wire.New(wire.Options{Pause: time.Millisecond, Retries: -1, Answer: 5 * time.Second})
	connect := func() (*fetch.Repository, error) {
		c := n.source
		c.Now = n.clock
		source, err := fetch.NewSource(engine, c)
		if err != nil {
			return nil, err
		}
		known, err := trust.Open(trust.Config{Name: "acme", Root: n.root, Store: db.Trust("acme"), Remote: source, Now: n.clock})
		return &fetch.Repository{Trust: known, Source: source}, err
	}
	first, err := connect()
	if err != nil {
		return nil, err
	}
	var from mirror.Upstream = upstream.New(upstream.Config{Name: "acme", Trust: first.Trust, Client: func(context.Context) (*fetch.Client, error) {
		one, err := connect()
		if err != nil {
			return nil, err
		}
		rules, err := policy.New(nil, nil)
		if err != nil {
			return nil, err
		}
		prover, err := proof.New(proof.Config{Policy: rules, Memory: db.Proofs(), Now: n.clock})
		if err != nil {
			return nil, err
		}
		return fetch.NewClient(fetch.Config{
			Repositories: []*fetch.Repository{one}, Cache: n.folder.Cache(), Engine: engine, Prover: prover, Now: n.clock,
			Transfer: transfer.Options{Pause: time.Millisecond, Retries: -1},
		})
	}})
	if n.brings {
		from = Upstream(from, ReadyFolder(filepath.Join(n.dir, "import"), "acme"))
	}
	return from, nil
}

func (n *node) reader(t testing.TB) *storage.Reader {
	t.Helper()
	r, err := storage.OpenReader(filepath.Join(n.dir, "storage"))
	must(t, err)
	return r
}

// export has the near mirror fetch what is new, and exports it.
func (g *gap) export(n *node, opts ExportOptions) Exported {
	g.t.Helper()
	_, err := n.run(g.t.Context())
	must(g.t, err)
	if opts.Folder == "" && opts.File == "" {
		opts.Folder = filepath.Join(g.dir, "out")
		must(g.t, os.MkdirAll(opts.Folder, 0o755))
	}
	out, err := Export(g.t.Context(), n.reader(g.t), "acme", opts)
	must(g.t, err)
	return out
}

func takeOptions() TakeOptions {
	return TakeOptions{Accept: func(name string) error {
		if name != "acme" {
			return mirror.ErrNoRepository
		}
		return nil
	}, Free: func() (int64, error) { return -1, nil }}
}

// bring imports volumes as the command does.
func (n *node) bring(ctx context.Context, paths ...string) (run mirror.Run, err error) {
	return n.bringBy(ctx, takeOptions(), func(string) {}, paths...)
}

// bringBy tells each step when it is done.
func (n *node) bringBy(ctx context.Context, opts TakeOptions, step func(string), paths ...string) (run mirror.Run, err error) {
	inbox, err := OpenInbox(filepath.Join(n.dir, "import"))
	if err != nil {
		return run, err
	}
	defer inbox.Close()
	var head Head
	for _, path := range paths {
		if head, err = inbox.Take(ctx, path, opts); err != nil {
			return run, err
		}
		step("take")
	}
	held, err := storage.OpenReader(filepath.Join(n.dir, "storage"))
	if err != nil {
		return run, err
	}
	if err := inbox.Complete(ctx, head, held); err != nil {
		return run, err
	}
	step("complete")
	if run, err = n.run(ctx); err != nil && run.Outcome != mirror.Partial {
		return run, errorsJoin(err, inbox.Done(head))
	}
	step("run")
	return run, errorsJoin(err, inbox.Done(head))
}

// holds expects the far mirror to publish all that the near one does.
func (g *gap) holds(near, far *node) {
	g.t.Helper()
	var lists [2]bytes.Buffer
	for i, n := range []*node{near, far} {
		inv, err := TakeInventory(g.t.Context(), n.reader(g.t), []string{"acme"}, io.Discard)
		must(g.t, err)
		p, err := mirror.ReadPublished(g.t.Context(), n.reader(g.t), "acme")
		must(g.t, err)
		list, _ := objectsOf(p)
		lists[i].Write(encodeList(list))
		if inv.Objects == 0 {
			g.t.Errorf("expected objects in %s, found none", n.dir)
		}
		for _, o := range list {
			if !inv.held[o.digest] {
				g.t.Errorf("%s: expected %s to be held, found it missing", n.dir, o.name)
			}
		}
	}
	if lists[0].String() != lists[1].String() {
		g.t.Errorf("expected both to publish the same, found\n%s\nand\n%s", lists[0].String(), lists[1].String())
	}
}

// untouched expects nothing of an import to be left, and a generation to be served; 0:
// none.
func (g *gap) untouched(far *node, generation int64) {
	g.t.Helper()
	if entries, err := os.ReadDir(filepath.Join(far.dir, "import", "acme")); err == nil {
		g.t.Errorf("expected nothing left of the import, found %v", entries)
	}
	p, err := mirror.ReadPublished(g.t.Context(), far.reader(g.t), "acme")
	if generation == 0 && p == nil {
		return
	}
	must(g.t, err)
	if p.Number != generation {
		g.t.Errorf("expected generation %d, found %d", generation, p.Number)
	}
}
