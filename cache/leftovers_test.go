package cache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// TestClearingFails: what can't be removed is told, what is gone is not.
func TestClearingFails(t *testing.T) {
	a := newAged(t)
	p := &pruner{store: a.Store, now: a.now}
	none, impossible := filepath.Join(a.dir, "none"), filepath.Join(a.dir, "\x00")
	if err := errors.Join(removeIfThere(none), p.clearOne(none)); err != nil || p.report.Damaged != 0 {
		t.Errorf("expected nothing to do, found %+v, %v", p.report, err)
	}
	for what, err := range map[string]error{"file": removeIfThere(impossible), "aside": p.clearOne(impossible)} {
		if !errors.Is(err, ErrDisk) || p.report.Damaged != 0 {
			t.Errorf("%s: expected %v, found %+v, %v", what, ErrDisk, p.report, err)
		}
	}
	if err := os.WriteFile(a.damagedDir(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Prune(t.Context(), within(0)); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
}

// TestTemporaryFolderStays: only files in the making are swept, and old ones.
func TestTemporaryFolderStays(t *testing.T) {
	a := newAged(t)
	folder, fresh := filepath.Join(a.dir, ".a.tmp"), filepath.Join(a.dir, ".b.tmp")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(fresh, nil, 0o600), os.Chtimes(fresh, a.now, a.now)); err != nil {
		t.Fatal(err)
	}
	a.prune(t, within(0))
	for _, path := range []string{folder, fresh} {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("expected %s to stay, found %v", path, err)
		}
	}
}

// TestForgetMeetsDamage: damage that only clearing up meets is healed as any other.
func TestForgetMeetsDamage(t *testing.T) {
	a := newAged(t)
	blob := a.add(t, 1, 10)
	if err := a.Describe(t.Context(), Facts{Digest: blob.Digest()}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		index  *indexFile
		bucket []byte
	}{{a.index, bucketBlobs}, {a.facts, bucketDigests}} {
		err := test.index.run(t.Context(), true, func(tx *bbolt.Tx) error { return tx.Bucket(test.bucket).Put([]byte("no digest"), []byte("x")) })
		if err != nil {
			t.Fatal(err)
		}
		if err := a.forgetAbsent(t.Context()); err != nil {
			t.Error(err)
		}
		if aside, _ := filepath.Glob(test.index.path + ".damaged-*"); len(aside) != 1 {
			t.Errorf("%s: expected it to be set aside, found %q", test.index.path, aside)
		}
	}
	a.wantHeld(t, blob)
	for _, path := range []string{a.index.path, a.facts.path} {
		if _, err := os.Lstat(path); err != nil {
			continue
		}
		holder, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		a.lockWait = 20 * time.Millisecond
		if err := a.forgetAbsent(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: expected %v, found %v", path, ErrBusy, err)
		}
		if _, err := a.Prune(t.Context(), within(0)); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: expected %v, found %v", path, ErrBusy, err)
		}
		if err := holder.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
