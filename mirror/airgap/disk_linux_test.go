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
	// An export there leaves no file; a tree stays what it was, and readable.
	fillUp := func(room int64) {
		t.Helper()
		var system syscall.Statfs_t
		must(t, syscall.Statfs(disk, &system))
		must(t, os.WriteFile(fill, make([]byte, int64(system.Bavail)*system.Bsize-room), 0o600))
	}
	fillUp(64 << 10)
	out := filepath.Join(disk, "x.tar")
	if _, err := Export(t.Context(), near.reader(t), "acme", ExportOptions{File: out}); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected a full disk, found %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(disk, "*x.tar*")); len(left) > 0 {
		t.Errorf("expected nothing left, found %q", left)
	}
	must(t, os.Remove(fill))
	www := TreeOptions{Folder: filepath.Join(disk, "www"), Now: near.now, Prune: true}
	fillUp(64 << 10) // room for some of the tree
	if _, err := Publish(t.Context(), near.reader(t), "acme", www); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected a full disk, found %v", err)
	}
	if _, err := os.Stat(filepath.Join(www.Folder, "timestamp.json")); err == nil {
		t.Error("expected no timestamp without what it leads to, found one")
	}
	must(t, os.Remove(fill))
	_, err = Publish(t.Context(), near.reader(t), "acme", www)
	must(t, err)
	before := read(t, filepath.Join(www.Folder, "timestamp.json"))
	must(t, g.repo.SetStatus("hello", "stable", "1.5.0", "revoked", "test", ""))
	must(t, g.repo.Publish())
	_, err = near.run(t.Context())
	must(t, err)
	for _, room := range []int64{0, 8 << 10} {
		fillUp(room)
		if _, err := Publish(t.Context(), near.reader(t), "acme", www); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d bytes: expected a full disk, found %v", room, err)
		}
		must(t, os.Remove(fill))
		if now := read(t, filepath.Join(www.Folder, "timestamp.json")); string(now) != string(before) {
			t.Errorf("%d bytes: expected the timestamp of before, found another", room)
		}
		g.readable(near, "file://"+www.Folder)
	}
	_, err = Publish(t.Context(), near.reader(t), "acme", www)
	must(t, err)
	g.sameAsTree(near, "file://"+www.Folder)
}
