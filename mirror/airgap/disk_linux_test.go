package airgap

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"assay/internal/testrepo"
	"assay/mirror"
)

// TestFullDisk: an import that the disk does not take leaves what is served, and goes
// on once there is room.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("assay", disk, "tmpfs", 0, "size=96m"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	g := newGap(t, testrepo.Options{})
	near := g.near()
	far := farNode(filepath.Join(disk, "far"), g.repo.RootBytes(1), g.far().now)
	whole := g.export(near, ExportOptions{})
	must(t, os.MkdirAll(far.dir, 0o700))
	fill := filepath.Join(disk, "fill")
	// Room for some of the volume, then for it and not for all that is served.
	for _, room := range []int64{100 << 10, 700 << 10} {
		var system syscall.Statfs_t
		must(t, syscall.Statfs(disk, &system))
		must(t, os.WriteFile(fill, make([]byte, int64(system.Bavail)*system.Bsize-room), 0o600))
		_, err := far.bring(t.Context(), whole.Volumes...)
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, mirror.ErrQuota) {
			t.Fatalf("%d bytes: expected a full disk, found %v", room, err)
		}
		must(t, os.Remove(fill))
	}
	_, err := far.bring(t.Context(), whole.Volumes...)
	must(t, err)
	g.holds(near, far)
	g.untouched(far, 1)
	// An export there leaves no file.
	var system syscall.Statfs_t
	must(t, syscall.Statfs(disk, &system))
	must(t, os.WriteFile(fill, make([]byte, int64(system.Bavail)*system.Bsize-(64<<10)), 0o600))
	out := filepath.Join(disk, "x.tar")
	if _, err := Export(t.Context(), near.reader(t), "acme", ExportOptions{File: out}); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected a full disk, found %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(disk, "*x.tar*")); len(left) > 0 {
		t.Errorf("expected nothing left, found %q", left)
	}
}
