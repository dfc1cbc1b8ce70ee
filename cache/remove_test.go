package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

func (s *Store) wantUnknown(t *testing.T, d artifact.Digest) {
	t.Helper()
	if _, found, err := s.lookup(t.Context(), d); err != nil || found {
		t.Errorf("expected no entry of %v, found %v, %v", d, found, err)
	}
	if _, found, err := s.Facts(t.Context(), d); err != nil || found {
		t.Errorf("expected no facts of %v, found %v, %v", d, found, err)
	}
}

func TestRemove(t *testing.T) {
	a := newAged(t)
	a.now = time.Now() // just come, and removed all the same
	blob, other := a.add(t, 0, 10), a.add(t, 1, 20)
	if err := a.Describe(t.Context(), Facts{Digest: blob.Digest(), Product: "p", Components: []Component{{Name: "c"}}}); err != nil {
		t.Fatal(err)
	}
	file, err := blob.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for i, want := range []bool{true, false} {
		if removed, err := a.Remove(t.Context(), blob.Digest()); err != nil || removed != want {
			t.Errorf("%d: expected %v, found %v, %v", i, want, removed, err)
		}
		a.wantHeld(t, other)
		a.wantUnknown(t, blob.Digest())
	}
	if text, err := io.ReadAll(file); err != nil || len(text) != 10 {
		t.Errorf("expected the open file to read on, found %q, %v", text, err)
	}
	if _, err := a.Look(blob.Digest()); !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, found %v", ErrMissing, err)
	}
	if _, err := blob.File(); !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, found %v", ErrMissing, err)
	}
	if _, err := a.Remove(t.Context(), artifact.Digest{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	again := a.add(t, 0, 10)
	a.wantHeld(t, again, other)
}

// TestRemoveOnNothing makes nothing, either.
func TestRemoveOnNothing(t *testing.T) {
	s := open(t, t.TempDir())
	if removed, err := s.Remove(t.Context(), sum("x")); err != nil || removed {
		t.Errorf("expected nothing to remove, found %v, %v", removed, err)
	}
	if left := files(t, s.dir); len(left) != 0 {
		t.Errorf("expected no file, found %q", left)
	}
}

func TestRemoveWhatIsInUse(t *testing.T) {
	a := newAged(t)
	blob := a.add(t, 1, 10)
	refuses := func(what string, references int, says string) {
		t.Helper()
		removed, err := a.Remove(t.Context(), blob.Digest())
		var inUse *InUseError
		if removed || !errors.Is(err, ErrInUse) || !errors.As(err, &inUse) || inUse.Digest != blob.Digest() || len(inUse.References) != references || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%s: expected %v, found %v, %v", what, ErrInUse, removed, err)
		}
		if err := blob.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := a.Keep(t.Context(), KindMirror, "eu", "", blob.Digest()); err != nil {
		t.Fatal(err)
	}
	refuses("held by a reference", 1, "mirror eu")
	if _, err := a.Release(t.Context(), KindMirror, "eu"); err != nil {
		t.Fatal(err)
	}
	stage, err := a.Stage(t.Context(), artifact.Digests{blob.Digest()}, 10)
	if err != nil {
		t.Fatal(err)
	}
	refuses("staged", 0, "being staged")
	if err := stage.Abort(); err != nil {
		t.Fatal(err)
	}
	// Whom a reference holds that can't be read nobody knows.
	keep(t, a.Store, "broken", sum("another"))
	if err := os.WriteFile(a.refPath(KindPin, "broken"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if removed, err := a.Remove(t.Context(), blob.Digest()); removed || !errors.Is(err, ErrReference) {
		t.Errorf("expected %v, found %v, %v", ErrReference, removed, err)
	}
	a.wantHeld(t, blob)
	if err := os.Remove(a.refPath(KindPin, "broken")); err != nil {
		t.Fatal(err)
	}
	gaveUp, cancel := context.WithCancel(t.Context())
	cancel()
	if removed, err := a.Remove(gaveUp, blob.Digest()); removed || !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v, %v", context.Canceled, removed, err)
	}
	a.wantHeld(t, blob)
	if removed, err := a.Remove(t.Context(), blob.Digest()); err != nil || !removed {
		t.Errorf("expected it to go at last, found %v, %v", removed, err)
	}
	a.wantHeld(t)
}

// TestRemoveAfterACrash: the next one finishes what was begun.
func TestRemoveAfterACrash(t *testing.T) {
	a := newAged(t)
	for what, crash := range map[string]func(Blob) error{
		"the file is gone": func(b Blob) error { return os.Remove(b.Path()) },
		"the entry, too": func(b Blob) error {
			return a.update(t.Context(), func(tx *bbolt.Tx) error {
				_, err := a.removeFile(tx, b.Digest(), func(record, bool, os.FileInfo) bool { return false })
				return err
			})
		},
		"a folder in its place": func(b Blob) error { return errors.Join(os.Remove(b.Path()), os.Mkdir(b.Path(), 0o700)) },
	} {
		blob := a.add(t, 1, 10)
		if err := a.Describe(t.Context(), Facts{Digest: blob.Digest(), Product: "p"}); err != nil {
			t.Fatal(err)
		}
		if err := crash(blob); err != nil {
			t.Fatal(err)
		}
		if removed, err := a.Remove(t.Context(), blob.Digest()); err != nil || removed {
			t.Errorf("%s: expected nothing more to remove, found %v, %v", what, removed, err)
		}
		a.wantUnknown(t, blob.Digest())
		a.wantHeld(t)
	}
	// What is back since is not forgotten.
	blob := a.add(t, 1, 10)
	if err := a.forgetOne(t.Context(), blob.Digest()); err != nil {
		t.Fatal(err)
	}
	if _, found, err := a.lookup(t.Context(), blob.Digest()); err != nil || !found {
		t.Errorf("expected the entry to stay, found %v, %v", found, err)
	}
}

// TestRemoveWithADamagedIndex: which is made anew while it runs.
func TestRemoveWithADamagedIndex(t *testing.T) {
	a := newAged(t)
	blob, other := a.add(t, 1, 10), a.add(t, 2, 10)
	damage(t, a.index.path, []byte(strings.Repeat("?", 64<<10)))
	if removed, err := a.Remove(t.Context(), blob.Digest()); err != nil || !removed {
		t.Errorf("expected it to go, found %v, %v", removed, err)
	}
	a.wantHeld(t, other)
}

// TestLook: what is there is found without an index, and none is made.
func TestLook(t *testing.T) {
	a := newAged(t)
	blob, other := a.add(t, 1, 10), a.add(t, 2, 20)
	if err := os.Remove(a.index.path); err != nil {
		t.Fatal(err)
	}
	found, err := a.Look(blob.Digest())
	if err != nil || found != blob || found.Check(t.Context()) != nil {
		t.Errorf("expected %v, found %v, %v", blob, found, err)
	}
	var all []artifact.Digest
	for entry, err := range a.Files(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, entry.Digest); entry.Length != 10 && entry.Length != 20 || entry.Added.IsZero() || entry.Path != a.path(entry.Digest) {
			t.Errorf("expected a file of 10 or 20 bytes, found %+v", entry)
		}
	}
	if want := sortedDigests([]artifact.Digest{blob.Digest(), other.Digest()}); !slices.Equal(all, want) {
		t.Errorf("expected %v, found %v", want, all)
	}
	for _, err := range a.Files(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	gaveUp, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, last = range a.Files(gaveUp) {
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, last)
	}
	if _, err := os.Lstat(a.index.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("expected no index, found %v", err)
	}
	if err := errors.Join(os.Remove(blob.Path()), os.Symlink(other.Path(), blob.Path())); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.File(); !errors.Is(err, ErrDamaged) {
		t.Errorf("a link: expected %v, found %v", ErrDamaged, err)
	}
	if err := os.Symlink(other.Path(), blob.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Look(blob.Digest()); !errors.Is(err, ErrDamaged) || !errors.Is(err, ErrMissing) {
		t.Errorf("a link: expected %v, found %v", ErrDamaged, err)
	}
	if _, err := a.Look(artifact.Digest{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
}
