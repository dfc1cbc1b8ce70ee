package archive

import (
	"bytes"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"assay/cache"
)

func TestFullDisk(t *testing.T) {
	from, list := sample(t)
	text := export(t, from, list)
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	s := open(t, dir)
	imported, err := Read(t.Context(), bytes.NewReader(text), s, Options{Quota: 1 << 30})
	if !errors.Is(err, cache.ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected %v for want of space, found %v", cache.ErrDisk, err)
	}
	if left := files(t, filepath.Join(dir, "staging")); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
	if got := files(t, filepath.Join(dir, "blobs")); len(got) != len(imported) {
		t.Errorf("expected %v, found %q", imported, got)
	}
	wantWhole(t, s)
}
