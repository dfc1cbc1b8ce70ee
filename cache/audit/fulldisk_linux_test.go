package audit

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk: the entry that finds no room is not there, and the log goes on
// when there is room again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	l := open(t, dir)
	var err error
	kept := uint64(0)
	for err == nil && kept < 1000 {
		if _, err = l.Append(t.Context(), Entry{Action: Get, Detail: strings.Repeat("x", maxDetail)}); err == nil {
			kept++
		}
	}
	if !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("expected %v for want of space, found %v", ErrDisk, err)
	}
	if r, err := open(t, dir).Verify(t.Context(), Head{}); err != nil || r.FirstBroken != nil || r.Entries != kept {
		t.Errorf("expected %d entries that hold, found %+v, %v", kept, r, err)
	}
	if err := syscall.Mount("assay", dir, "tmpfs", syscall.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	if e := add(t, l, Entry{Action: Get}); e.Seq != kept+1 {
		t.Errorf("expected entry %d, found %d", kept+1, e.Seq)
	}
}
