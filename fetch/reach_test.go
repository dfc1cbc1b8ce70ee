package fetch

import (
	"context"
	"errors"
	"testing"

	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// folder is a trust.Remote in memory.
type folder map[string][]byte

func (f folder) ReadMetadata(_ context.Context, name string, _ int64) ([]byte, error) {
	if data, ok := f[name]; ok {
		return data, nil
	}
	return nil, trust.ErrNoMetadata
}

// The manifest's urls are a publisher's words: only a repository on this
// machine may name this machine in them.
func TestManifestThatPointsAtThisMachine(t *testing.T) {
	t.Parallel()
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	r, err := trust.Open(trust.Config{Name: "acme", Root: repo.Root(), Store: &trust.MemStore{}, Remote: folder(repo.Files(0))})
	if err != nil {
		t.Fatal(err)
	}
	view, err := r.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := view.Target(t.Context(), "ferry/0.9.0/release.json")
	if err != nil {
		t.Fatal(err)
	}
	data, _ := repo.Target(manifest.Path())
	var target trust.Target
	for i := 0; len(target.URLs()) == 0; i++ {
		if target, err = view.Artifact(t.Context(), manifest, data, i); err != nil {
			t.Fatal(err)
		}
	}
	engine := wire.New(wire.Options{})
	for base, refused := range map[string]bool{"https://repository.example": true, "http://192.0.2.1": true, server.URL: false, "file:///srv": false} {
		source, err := NewSource(engine, SourceConfig{URL: base})
		if err != nil {
			t.Fatal(err)
		}
		places, err := source.Places(t.Context(), target)
		if err != nil || len(places) != 1 {
			t.Fatalf("%s: %v, %v", base, places, err)
		}
		server.ResetCounters()
		a, err := engine.Open(t.Context(), wire.Request{URL: places[0].URL, Reach: places[0].Reach})
		if err == nil {
			a.Body.Close()
		}
		if found := errors.Is(err, wire.ErrSource) && !errors.Is(err, trust.ErrNoAnswer); found != refused || !refused && err != nil {
			t.Errorf("%s: expected it to be refused: %v, found %v", base, refused, err)
		}
		if asked := len(server.Requests()); (asked == 0) != refused {
			t.Errorf("%s: the server on this machine was asked %d times", base, asked)
		}
	}
}
