package cache

import (
	"errors"
	"path/filepath"
	"testing"
)

// TestNoIndex: a store that keeps no notes holds, gives and removes blobs, writes no
// file for notes, and says so to who asks for them.
func TestNoIndex(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir, Options{NoIndex: true})
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("without a note")
	g, err := s.Stage(t.Context(), digests(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	put(t, g, data, 0, int64(len(data)), 0)
	blob, err := g.Commit(t.Context(), Name{File: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(blob.Digest()); err != nil || got.Path() != blob.Path() {
		t.Errorf("expected the blob, found %v, %v", got, err)
	}
	if err := errors.Join(blob.Check(t.Context()), s.Note(t.Context(), blob.Digest(), Name{File: "x"}), s.Describe(t.Context(), Facts{Digest: blob.Digest()})); err != nil {
		t.Errorf("expected all of it to be done, found %v", err)
	}
	if described, err := s.Described(t.Context(), blob.Digest()); err != nil || !described {
		t.Errorf("expected that nobody need describe it, found %v, %v", described, err)
	}
	if report, err := s.Verify(t.Context(), nil); err != nil || report.Checked != 1 || len(report.Damaged) > 0 {
		t.Errorf("expected one blob to be checked, found %+v, %v", report, err)
	}
	wantInvalid := func(what string, err error) {
		if t.Helper(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: expected %v, found %v", what, ErrInvalid, err)
		}
	}
	_, err = s.List(t.Context())
	wantInvalid("List", err)
	_, err = s.Prune(t.Context(), PruneOptions{})
	wantInvalid("Prune", err)
	err = nil
	for _, err = range s.Find(t.Context(), Query{}) {
		break
	}
	wantInvalid("Find", err)
	if found, err := filepath.Glob(filepath.Join(dir, "*.db")); err != nil || len(found) > 0 {
		t.Errorf("expected no index, found %q, %v", found, err)
	}
	if gone, err := s.Remove(t.Context(), blob.Digest()); err != nil || !gone {
		t.Errorf("expected it to be removed, found %v, %v", gone, err)
	}
	if _, err := s.Get(blob.Digest()); !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, found %v", ErrMissing, err)
	}
	if gone, err := s.Remove(t.Context(), blob.Digest()); err != nil || gone {
		t.Errorf("expected nothing to be there, found %v, %v", gone, err)
	}
}
