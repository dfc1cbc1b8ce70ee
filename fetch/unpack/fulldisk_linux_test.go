package unpack

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk: nothing is left of what did not fit, and the space is free again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	target := filepath.Join(dir, "out")
	large := tarOf(t, tarFile("a/small", "x"), tarFile("a/large", string(noise(1<<20))))
	for range 2 {
		_, err := Into(t.Context(), fileOf(large), Tar, target, Options{})
		if wantError(t, err, ErrDisk, "free some space"); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("expected %v, found %v", syscall.ENOSPC, err)
		}
		if found := namesIn(t, dir); len(found) != 0 {
			t.Errorf("expected nothing left, found %q", found)
		}
	}
	if _, err := Into(t.Context(), fileOf(tarOf(t, tarFile("f", strings.Repeat("x", 300<<10)))), Tar, target, Options{}); err != nil {
		t.Errorf("expected what fits to be unpacked, found %v", err)
	}
}

// TestReadOnly: a disk that can't be written says so.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("needs a tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	_, err := Into(t.Context(), fileOf(tarOf(t)), Tar, filepath.Join(dir, "out"), Options{})
	wantError(t, err, ErrDisk, "check the permissions")
}
