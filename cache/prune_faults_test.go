package cache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// TestPruneLeavesStrays: what is no blob is for Verify.
func TestPruneLeavesStrays(t *testing.T) {
	a := newAged(t)
	blob, replaced := a.add(t, 2, 10), a.add(t, 1, 10)
	stray, folder := filepath.Join(a.blobsDir(), "sha256", "aa", "stray"), a.path(sum("folder"))
	err := errors.Join(os.MkdirAll(filepath.Dir(stray), 0o700), os.WriteFile(stray, nil, 0o600), os.MkdirAll(folder, 0o700))
	if err != nil {
		t.Fatal(err)
	}
	p := &pruner{store: a.Store, opts: within(0), now: a.now}
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(p.blobs) != 2 || p.report.Held != 20 {
		t.Errorf("expected two blobs, found %d, %+v", len(p.blobs), p.report)
	}
	// One that becomes something else meanwhile stays as well.
	if err := errors.Join(os.Remove(replaced.Path()), os.Mkdir(replaced.Path(), 0o700), os.Chtimes(replaced.Path(), time.Unix(1, 0), time.Unix(1, 0))); err != nil {
		t.Fatal(err)
	}
	if err := p.collect(t.Context()); err != nil || len(p.report.Removed) != 1 || p.report.Removed[0].Digest != blob.Digest() {
		t.Errorf("expected the blob alone to go, found %+v, %v", p.report, err)
	}
	for _, path := range []string{stray, folder, replaced.Path()} {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}

// TestPruneMeetsDamage: an entry that breaks after Prune looked around is healed,
// and each blob is told once.
func TestPruneMeetsDamage(t *testing.T) {
	a := newAged(t)
	first, second := a.add(t, 2, 10), a.add(t, 1, 10)
	p := &pruner{store: a.Store, opts: within(0), now: a.now}
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := a.update(t.Context(), func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketBlobs).Put([]byte(second.Digest().String()), []byte("garbage"))
	})
	if err != nil {
		t.Fatal(err)
	}
	a.resetTime(t, first)
	a.resetTime(t, second)
	if err := p.collect(t.Context()); err != nil || len(p.report.Removed) != 2 || p.report.Freed != 20 || p.report.Held != 0 {
		t.Errorf("expected both to go, once, found %+v, %v", p.report, err)
	}
	if aside, _ := filepath.Glob(a.index.path + ".damaged-*"); len(aside) != 1 {
		t.Errorf("expected the index to be set aside, found %q", aside)
	}
	a.wantHeld(t)
}

// TestPruneAndLocks: the lock's file of a dead process is in nobody's way, and what
// can't be a lock is an error.
func TestPruneAndLocks(t *testing.T) {
	a := newAged(t)
	blob := a.add(t, 1, 10)
	lock := a.stagingBase(blob.Digest()) + lockSuffix
	dry := within(0)
	dry.DryRun = true
	if err := os.Mkdir(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []PruneOptions{dry, within(0)} {
		if report, err := a.Prune(t.Context(), opts); !errors.Is(err, ErrDisk) || len(report.Removed) != 0 {
			t.Errorf("expected %v, found %+v, %v", ErrDisk, report, err)
		}
	}
	if err := errors.Join(os.Remove(lock), os.WriteFile(lock, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []PruneOptions{dry, within(0)} {
		if report := a.prune(t, opts); len(report.Removed) != 1 {
			t.Errorf("expected the blob to go, found %+v", report)
		}
	}
	a.wantHeld(t)
}

// TestDryRunTakesNoLock: it can look while another prunes.
func TestDryRunTakesNoLock(t *testing.T) {
	a := newAged(t)
	a.add(t, 1, 10)
	if err := a.Keep(t.Context(), KindLock, "l", "/no/such/assay.lock", sum("x")); err != nil {
		t.Fatal(err)
	}
	a.lockWait = 20 * time.Millisecond
	err := a.withReferences(t.Context(), func() error {
		dry := within(0)
		dry.DryRun = true
		if report := a.prune(t, dry); len(report.Removed) != 1 || len(report.Stale) != 1 {
			t.Errorf("expected one blob and the reference, found %+v", report)
		}
		if report, err := a.Prune(t.Context(), within(0)); !errors.Is(err, ErrBusy) || len(report.Removed) != 0 {
			t.Errorf("expected %v, found %+v, %v", ErrBusy, report, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A reference that breaks meanwhile keeps the stale ones, too.
	p := &pruner{store: a.Store, opts: within(0), now: a.now}
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.refPath(KindLock, "broken"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.dropStale(t.Context()); !errors.Is(err, ErrReference) {
		t.Errorf("expected %v, found %v", ErrReference, err)
	}
	if _, err := os.Lstat(a.refPath(KindLock, "l")); err != nil {
		t.Error(err)
	}
}

// TestForgetLostFacts: facts about what neither the index nor the disk knows.
func TestForgetLostFacts(t *testing.T) {
	a := newAged(t)
	held, lost := a.add(t, 1, 10), a.add(t, 2, 10)
	for _, blob := range []Blob{held, lost} {
		if err := a.Describe(t.Context(), Facts{Digest: blob.Digest()}); err != nil {
			t.Fatal(err)
		}
	}
	err := a.update(t.Context(), func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketBlobs).Delete([]byte(lost.Digest().String()))
	})
	if err := errors.Join(err, os.Remove(lost.Path()), a.forgetAbsent(t.Context())); err != nil {
		t.Fatal(err)
	}
	left, err := a.Undescribed(t.Context(), []artifact.Digest{held.Digest(), lost.Digest()})
	if err != nil || len(left) != 1 || left[0] != lost.Digest() {
		t.Errorf("expected the facts of the lost one to go, found none of %v, %v", left, err)
	}
}
