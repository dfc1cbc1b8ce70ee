package state

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	db := open(t, dir)
	put(t, db, "a", "k", "old")
	err := db.Trust("a").Update(t.Context(), func(tx Tx) error {
		return errors.Join(tx.Put("k", []byte("new")), tx.Put("large", make([]byte, 1<<20)))
	})
	if !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("expected %v for want of space, found %v", ErrDisk, err)
	}
	if value := get(t, db, "a", "k"); value != "old" {
		t.Errorf("expected the old value, found %q", value)
	}
	put(t, db, "a", "k", "new")
}
