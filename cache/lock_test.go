package cache

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestLockHasOneHolder: a holder removes the file that others have open and
// wait for, and still there never are two.
func TestLockHasOneHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var holders, overlaps atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 300 {
				held, err := tryAcquire(path)
				if err != nil {
					t.Error(err)
					return
				}
				if held == nil {
					continue
				}
				if holders.Add(1) != 1 {
					overlaps.Add(1)
				}
				// Room for another to come between.
				_, statErr := os.Stat(path)
				holders.Add(-1)
				if err := errors.Join(statErr, held.release()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := overlaps.Load(); n != 0 {
		t.Errorf("two held the lock at once, %d times", n)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("expected the file gone, found %v", err)
	}
}

func TestLockOnALink(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "lock")
	if err := errors.Join(os.WriteFile(victim, []byte("x"), 0o600), os.Symlink(victim, path)); err != nil {
		t.Fatal(err)
	}
	if _, err := acquire(t.Context(), path); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
}
