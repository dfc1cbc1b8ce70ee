package fetch_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"assay/cache"
	"assay/fetch"
	"assay/internal/testrepo"
)

// large publishes a target and selects it.
func (b *bench) large(path string, size int64) fetch.Selection {
	b.t.Helper()
	must(b.t, b.repo.AddLarge(path, size, 7))
	must(b.t, b.repo.Publish())
	selection, err := b.client().SelectTarget(b.t.Context(), "acme", path)
	must(b.t, err)
	return selection
}

func sameContent(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	must(t, err)
	y, err := os.ReadFile(b)
	must(t, err)
	if !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ", a, b)
	}
}

// An output is written as the bytes come, those of an earlier run too, and from
// what is held.
func TestGetInto(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	selection := b.large("large.bin", 3<<20)
	dir := t.TempDir()
	for i, name := range []string{"fetched", "held", "held"} {
		path := filepath.Join(dir, name)
		held, changed, err := b.client().GetInto(t.Context(), selection, path, false)
		must(t, err)
		if changed != (i < 2) || (held.Moved > 0) != (i == 0) {
			t.Errorf("%d: found changed %v, %d bytes moved", i, changed, held.Moved)
		}
		sameContent(t, path, held.Blob.Path())
	}
	// Never a hard link: what is written to the output must not reach the store.
	blob, err := os.Stat(mustGetInto(t, b, selection, filepath.Join(dir, "apart")).Blob.Path())
	must(t, err)
	if out, err := os.Stat(filepath.Join(dir, "apart")); err != nil || os.SameFile(blob, out) {
		t.Errorf("the output is the blob itself: %v", err)
	}
}

func mustGetInto(t *testing.T, b *bench, selection fetch.Selection, path string) fetch.Held {
	t.Helper()
	held, _, err := b.client().GetInto(t.Context(), selection, path, false)
	must(t, err)
	return held
}

// Unproven bytes never have the output's name, and what is in the way is an error
// before anything is asked for.
func TestGetIntoRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	selection := b.large("large.bin", 3<<20)
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	b.server.FlipByte("large.bin")
	if _, _, err := b.client().GetInto(t.Context(), selection, path, false); !errors.Is(err, cache.ErrMismatch) {
		t.Errorf("expected %v, found %v", cache.ErrMismatch, err)
	}
	empty(t, dir)
	b.nothingStaged()
	b.server.Clear()

	must(t, os.WriteFile(path, []byte("mine"), 0o644))
	b.server.ResetCounters()
	if _, _, err := b.client().GetInto(t.Context(), selection, path, false); !errors.Is(err, fetch.ErrExists) {
		t.Errorf("expected %v, found %v", fetch.ErrExists, err)
	}
	if asked := b.server.Requests(); len(asked) > 0 {
		t.Errorf("expected no request, found %q", asked)
	}
	held, changed, err := b.client().GetInto(t.Context(), selection, path, true)
	if must(t, err); !changed {
		t.Error("expected it to be replaced")
	}
	sameContent(t, path, held.Blob.Path())

	// A held blob that is damaged is no output either; it is fetched again.
	must(t, os.Remove(path))
	must(t, os.Chmod(held.Blob.Path(), 0o644))
	file, err := os.OpenFile(held.Blob.Path(), os.O_WRONLY, 0)
	must(t, err)
	_, err = file.WriteAt([]byte("damage"), 2<<20)
	must(t, err)
	must(t, file.Close())
	held = mustGetInto(t, b, selection, path)
	sameContent(t, path, held.Blob.Path())
	if held.Moved == 0 {
		t.Error("expected it to be fetched again")
	}
	b.mustGet("hello")
}

func empty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
