package fetch_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"assay/cache"
	"assay/internal/testrepo"
)

// sharing is a folder on a file system that can share bytes between files.
func sharing(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"mkfs.btrfs", "mount"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s: %v", program, err)
		}
	}
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 160<<20))
	if output, err := exec.Command("mkfs.btrfs", "-q", image).CombinedOutput(); err != nil {
		t.Skipf("mkfs.btrfs: %v: %s", err, output)
	}
	mounted := filepath.Join(dir, "mounted")
	must(t, os.Mkdir(mounted, 0o700))
	if output, err := exec.Command("mount", "-o", "loop", image, mounted).CombinedOutput(); err != nil {
		t.Skipf("needs a loop device: %v: %s", err, output)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(mounted, syscall.MNT_DETACH)) })
	return mounted
}

func free(t *testing.T, dir string) int64 {
	t.Helper()
	var fs syscall.Statfs_t
	folder, err := os.Open(dir)
	must(t, err)
	must(t, folder.Sync())
	must(t, folder.Close())
	must(t, syscall.Statfs(dir, &fs))
	return int64(fs.Bfree) * fs.Bsize
}

// Where the file system can, an output shares its bytes with the blob: fetched or
// held, it takes no room of its own, and what is written to it stays its own.
func TestOutputSharesBytes(t *testing.T) {
	dir := sharing(t)
	b := newBench(t, testrepo.Options{})
	b.dir = filepath.Join(dir, "cache")
	selection := b.large("large.bin", 24<<20)
	before := free(t, dir)
	held := mustGetInto(t, b, selection, filepath.Join(dir, "fetched"))
	second := mustGetInto(t, b, selection, filepath.Join(dir, "held"))
	if _, err := b.client().Save(t.Context(), second, filepath.Join(dir, "saved"), false); err != nil {
		t.Error(err)
	}
	if used := before - free(t, dir); used > 40<<20 {
		t.Errorf("expected three outputs and the blob to share 24 MiB, found %d used", used)
	}
	for _, name := range []string{"fetched", "held", "saved"} {
		path := filepath.Join(dir, name)
		sameContent(t, path, held.Blob.Path())
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(t, err)
		_, err = file.WriteAt([]byte("changed"), 1<<20)
		must(t, err)
		must(t, file.Close())
	}
	store, err := cache.Open(b.dir, cache.Options{})
	must(t, err)
	blob, err := store.Get(held.Blob.Digest())
	must(t, err)
	must(t, blob.Check(t.Context()))
}
