package cache

import (
	"errors"
	"os"
	"testing"

	"assay/artifact"
)

// TestPartialFileThatGrows: bytes that somebody else appends were hashed by nobody,
// and get no name.
func TestPartialFileThatGrows(t *testing.T) {
	t.Parallel()
	data := random(70, 300<<10)
	g := stageOf(t, open(t, t.TempDir()), data)
	put(t, g, data, 0, int64(len(data)), 0)
	file, err := os.OpenFile(g.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString("more")
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Commit(t.Context()); !errors.Is(err, ErrMismatch) {
		t.Errorf("expected %v, found %v", ErrMismatch, err)
	}
	if left := files(t, g.store.dir); len(left) != 0 {
		t.Errorf("expected nothing left, found %q", left)
	}
}

// TestGapInWhatHasNoLength: where nobody promised a length, the right bytes up to a
// gap are not the blob while others lie behind it.
func TestGapInWhatHasNoLength(t *testing.T) {
	t.Parallel()
	data := random(71, 200<<10)
	begin := data[:100<<10]
	g, err := open(t, t.TempDir()).StageAny(t.Context(), artifact.Digests(digests(begin)))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Abort()
	put(t, g, data, 0, int64(len(begin)), 0)
	put(t, g, data, 150<<10, 160<<10, 0)
	if err := g.Prove(t.Context()); !errors.Is(err, ErrMismatch) {
		t.Errorf("expected %v, found %v", ErrMismatch, err)
	}
	g.Discard(150<<10, 160<<10)
	if err := g.Prove(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestEndedStage: to end a stage again does nothing, also not to the next one of
// the same digest.
func TestEndedStage(t *testing.T) {
	t.Parallel()
	data := random(72, 700<<10)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 0, int64(len(data)), 0)
	commit(t, g)
	next := stageOf(t, s, data)
	put(t, next, data, 0, 300<<10, 0)
	before := files(t, s.stagingDir())
	if err := errors.Join(g.Keep(), g.Abort()); err != nil {
		t.Error(err)
	}
	if _, err := g.Commit(t.Context()); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	if after := files(t, s.stagingDir()); len(after) != 2 || len(before) != 2 {
		t.Errorf("expected the partial file and its lock before and after, found %q and %q", before, after)
	}
	if err := next.Abort(); err != nil {
		t.Error(err)
	}
}
