//go:build unix

package fetch_test

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"assay/fetch"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// Opening a pipe waits for somebody to write: neither a repository in a folder
// nor a file to be identified may hang on one.
func TestPipesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(dir, "2.root.json"), 0o644))
	b := newBench(t, testrepo.Options{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if _, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: "file://" + filepath.ToSlash(dir)}); !errors.Is(err, trust.ErrNoMetadata) {
			t.Errorf("as metadata: expected ErrNoMetadata, found %v", err)
		}
		if _, err := b.client().Identify(t.Context(), filepath.Join(dir, "2.root.json")); !errors.Is(err, fetch.ErrInput) {
			t.Errorf("as a file: expected ErrUnknown, found %v", err)
		}
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("still waiting for a writer")
	}
}
