package archive

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"assay/artifact"
	"assay/cache"
)

// TestDiskFullInEachPhaseOfImport imports onto a disk of 8 MiB that fills up at one
// step after the other. What was held stays, what came is whole, and with room the
// import succeeds.
func TestDiskFullInEachPhaseOfImport(t *testing.T) {
	disk := smallDisk(t, "size=8m")
	from, list := sample(t)
	text := export(t, from, list)
	failed := 0
	for room := 0; ; room += 12 << 10 {
		dir, fill := filepath.Join(disk, "cache"), filepath.Join(disk, "fill")
		s := open(t, dir)
		held := put(t, s, artifact.SHA256, []byte("held"))
		var free syscall.Statfs_t
		if err := syscall.Statfs(disk, &free); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(fill, make([]byte, int(free.Bavail)*int(free.Bsize)-room), 0o600); err != nil {
			t.Fatal(err)
		}
		imported, err := Read(t.Context(), bytes.NewReader(text), s, Options{Quota: 1 << 30})
		if err != nil && (!errors.Is(err, cache.ErrDisk) || !errors.Is(err, syscall.ENOSPC)) {
			t.Errorf("with %d KiB: expected %v for want of space, found %v", room>>10, cache.ErrDisk, err)
		}
		if got := files(t, filepath.Join(dir, "blobs")); len(got) != len(imported)+1 {
			t.Errorf("with %d KiB: expected the held one and %v, found %q", room>>10, imported, got)
		}
		if left := files(t, filepath.Join(dir, "staging")); len(left) != 0 {
			t.Errorf("with %d KiB: expected nothing staged, found %q", room>>10, left)
		}
		wantWhole(t, s)
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(held); err != nil {
			t.Errorf("with %d KiB: %v", room>>10, err)
		}
		if all, err := Read(t.Context(), bytes.NewReader(text), s, Options{Quota: 1 << 30}); err != nil || len(all) != len(list) {
			t.Errorf("with %d KiB, then more: expected all, found %v, %v", room>>10, all, err)
		}
		wantWhole(t, s)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			break
		}
		failed++
	}
	if failed < 10 {
		t.Errorf("expected many sizes to be too small, found %d", failed)
	}
}
