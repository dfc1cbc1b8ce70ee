package archive

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
)

// TestHeldBlobIsNotWaitedFor: what is held is passed by, also while another makes the
// same blob once more.
func TestHeldBlobIsNotWaitedFor(t *testing.T) {
	entries, m := honest(t)
	s := open(t, t.TempDir())
	for i, b := range m.Blobs {
		put(t, s, artifact.SHA256, entries[i+1].text)
		stage, err := s.Stage(t.Context(), artifact.Digests{b.Digest}, b.Length)
		if err != nil {
			t.Fatal(err)
		}
		defer stage.Abort()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	imported, err := Read(ctx, bytes.NewReader(pack(t, entries)), s, Options{Quota: 1000})
	if err != nil || len(imported) != 2 || !imported[0].Held || !imported[1].Held {
		t.Errorf("expected both to be held, found %+v, %v", imported, err)
	}
}

// TestMadeMeanwhile: a blob that another makes after it was found missing is passed
// by as a held one.
func TestMadeMeanwhile(t *testing.T) {
	entries, m := honest(t)
	dir := t.TempDir()
	other := open(t, dir)
	var once sync.Once
	s, err := cache.Open(dir, cache.Options{LockWait: time.Minute, Now: func() time.Time {
		// The clock is asked when the stage begins, before its lock is there.
		once.Do(func() { put(t, other, artifact.SHA256, entries[1].text) })
		return time.Now()
	}})
	if err != nil {
		t.Fatal(err)
	}
	// What a sweep finds has it ask the clock.
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "staging"), 0o700), os.WriteFile(filepath.Join(dir, "staging", "sha256-left.part"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	imported, err := Read(t.Context(), bytes.NewReader(pack(t, entries)), s, Options{Quota: 1000})
	if err != nil || len(imported) != 2 || imported[0].Digest != m.Blobs[0].Digest || !imported[0].Held || imported[1].Held {
		t.Errorf("expected the first one to be held, found %+v, %v", imported, err)
	}
	wantWhole(t, s)
}

// TestGrownMeanwhile: a blob that has another length when its turn comes ends the
// archive before its entry begins.
func TestGrownMeanwhile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, artifact.SHA256, []byte("one"))
	last := put(t, s, artifact.SHA512, []byte("two")) // the last by its digest
	var once sync.Once
	grow := func(int64, int64) {
		once.Do(func() {
			blob, err := s.Get(last)
			if err != nil {
				t.Fatal(err)
			}
			// Without the index nobody knows which length is right.
			err = errors.Join(os.Chmod(blob.Path(), 0o600), os.WriteFile(blob.Path(), []byte("more"), 0o600), os.Remove(filepath.Join(dir, "index.db")))
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	var b bytes.Buffer
	err := Write(t.Context(), &b, s, items(t, s), grow)
	if !errors.Is(err, cache.ErrMissing) || !strings.Contains(err.Error(), "expected 3 bytes, found 4") {
		t.Errorf("expected %v with both lengths, found %v", cache.ErrMissing, err)
	}
	imported, err := Read(t.Context(), &b, open(t, t.TempDir()), Options{Quota: 1000})
	if !errors.Is(err, ErrArchive) || len(imported) != 1 {
		t.Errorf("expected %v behind one blob, found %+v, %v", ErrArchive, imported, err)
	}
}

// TestNamelessBlobIsNotNoted: a blob that has no names in the archive counts as never
// noted.
func TestNamelessBlobIsNotNoted(t *testing.T) {
	from, list := sample(t)
	s := open(t, t.TempDir())
	if _, err := Read(t.Context(), bytes.NewReader(export(t, from, list)), s, Options{Quota: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	for _, item := range items(t, s) {
		if e := item.Entry; e.Noted.IsZero() != (len(e.Names) == 0) {
			t.Errorf("%v: expected to be noted with names, and never without, found %v and %v", e.Digest, e.Names, e.Noted)
		}
	}
}
