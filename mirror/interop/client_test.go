package interop_test

import (
	"bytes"
	"testing"
	"time"

	"assay/cache"
	"assay/fetch"
	"assay/fetch/mirrors"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// machine is assay's own client with folders of its own.
type machine struct {
	t       testing.TB
	root    []byte
	mirrors []string // beside the repository's own place
	now     func() time.Time
	store   *trust.MemStore
	dir     string
}

func newMachine(t testing.TB, root []byte) *machine {
	return &machine{t: t, root: root, now: time.Now, store: &trust.MemStore{}, dir: t.TempDir()}
}

// at is the client with the repository at a URL.
func (m *machine) at(url string) *fetch.Client {
	m.t.Helper()
	engine := wire.New(wire.Options{})
	config := fetch.SourceConfig{URL: url, Now: m.now}
	for _, place := range m.mirrors {
		config.Mirrors = append(config.Mirrors, mirrors.Mirror{URL: place, Configured: true})
	}
	source, err := fetch.NewSource(engine, config)
	must(m.t, err)
	known, err := trust.Open(trust.Config{Name: "acme", Root: m.root, Store: m.store, Remote: source, Now: m.now})
	must(m.t, err)
	blobs, err := cache.Open(m.dir, cache.Options{})
	must(m.t, err)
	client, err := fetch.NewClient(fetch.Config{
		Repositories: []*fetch.Repository{{Trust: known, Source: source}}, Cache: blobs, Engine: engine, Now: m.now,
	})
	must(m.t, err)
	return client
}

// get returns a target's bytes, proven.
func (m *machine) get(client *fetch.Client, path string) []byte {
	m.t.Helper()
	selection, err := client.SelectTarget(m.t.Context(), "acme", path)
	if err != nil {
		m.t.Errorf("%s: expected it to be promised, found %v", path, err)
		return nil
	}
	held, err := client.GetSelected(m.t.Context(), selection)
	if err != nil {
		m.t.Errorf("%s: expected its bytes, found %v", path, err)
		return nil
	}
	var got bytes.Buffer
	must(m.t, client.WriteTo(m.t.Context(), held, &got))
	return got.Bytes()
}

func TestOurClientTakesAllFromTheMirror(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, repo *testrepo.Repo, s *site, paths []string) {
		m := newMachine(t, repo.RootBytes(1))
		client := m.at(s.url)
		for _, path := range paths {
			if want, _ := repo.Target(path); !bytes.Equal(m.get(client, path), want) {
				t.Errorf("%s: expected the publisher's bytes", path)
			}
		}
	})
}
