package backup

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDisk: a backup and a restore that the disk does not take leave nothing, not
// even where the folder is the disk itself.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("assay", disk, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	path, src := made(t)
	to := filepath.Join(disk, "b.tar")
	before, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(to, before, 0o600))
	fill := filepath.Join(disk, "fill")
	for _, room := range []int64{0, 16 << 10, 100 << 10} {
		fillUp(t, disk, fill, room)
		if _, err := Write(t.Context(), to, src); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d bytes: expected a full disk, found %v", room, err)
		}
		must(t, os.Remove(fill))
		if now, err := os.ReadFile(to); err != nil || string(now) != string(before) {
			t.Errorf("%d bytes: expected the backup of before, found another, %v", room, err)
		}
		only(t, disk, "b.tar")
	}
	must(t, os.Remove(to))
	must(t, os.Mkdir(filepath.Join(disk, "lost+found"), 0o700))
	lost := filepath.Join(disk, "lost+found", "fill")
	for _, room := range []int64{0, 16 << 10, 48 << 10} {
		fillUp(t, disk, lost, room)
		if _, err := Restore(t.Context(), path, disk); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d bytes: expected a full disk, found %v", room, err)
		}
		must(t, os.Remove(lost))
		only(t, disk, "lost+found", restoreLock)
	}
	_, err = Restore(t.Context(), path, disk)
	must(t, err)
	whole(t, disk)
}

// fillUp leaves so many bytes on a device.
func fillUp(t *testing.T, disk, fill string, room int64) {
	t.Helper()
	var system syscall.Statfs_t
	must(t, syscall.Statfs(disk, &system))
	must(t, os.WriteFile(fill, make([]byte, int64(system.Bavail)*system.Bsize-room), 0o600))
}

// only expects nothing else in a folder.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		found := false
		for _, name := range names {
			found = found || name == entry.Name()
		}
		if !found {
			t.Errorf("expected only %q, found %s", names, entry.Name())
		}
	}
}
