package boltfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCutWhileMapped is the memory fault: the file loses its pages under a
// running transaction. The mapping stays, the lock does not.
func TestCutWhileMapped(t *testing.T) {
	for _, writable := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "db")
		put(t, path, strings.Repeat("one", 9999))
		s, err := Begin(t.Context(), path, writable, soon())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		err = s.Guard(func() error { s.Tx().Bucket(bucketTest).Get([]byte("key")); return nil })
		if wantKind(t, err, ErrDamaged, path); !errors.Is(err, ErrPanic) {
			t.Errorf("expected %v, found %v", ErrPanic, err)
		}
		again, err := Create(t.Context(), path, soon())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(write(again, "two"), again.Commit()); err != nil {
			t.Error(err)
		}
		again.Close()
		s.Close()
		wantValue(t, path, "two")
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	path := filepath.Join(dir, "db")
	put(t, path, "one")
	s, err := Begin(t.Context(), path, true, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := write(s, strings.Repeat("two", 1<<20)); err != nil {
		t.Fatal(err)
	}
	err = s.Commit()
	if wantKind(t, err, ErrDisk, path); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected %v, found %v", syscall.ENOSPC, err)
	}
	s.Close()
	wantValue(t, path, "one")
}
