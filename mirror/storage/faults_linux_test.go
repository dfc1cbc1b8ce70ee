package storage_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"assay/artifact"
	"assay/mirror/storage"
)

// mount mounts a file system of a test's own, or skips the test.
func mount(t *testing.T, options string) string {
	t.Helper()
	disk := t.TempDir()
	if err := syscall.Mount("assay", disk, "tmpfs", 0, options); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	return disk
}

// TestFullDisk: what is there stays, is read, and can be made less.
func TestFullDisk(t *testing.T) {
	dir := filepath.Join(mount(t, "size=2m"), "mirror")
	f := open(t, dir)
	held := put(t, f, []byte("held"))
	large := put(t, f, bytes.Repeat([]byte("x"), 400<<10))
	version, err := f.Replace(t.Context(), "d", "", []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := f.Free(t.Context())
	if err != nil || before <= 0 || before > 2<<20 {
		t.Errorf("expected less than the disk, found %d, %v", before, err)
	}
	// All but nothing: each page, then each byte.
	fill, err := os.Create(filepath.Join(filepath.Dir(dir), "fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for err == nil {
		_, err = fill.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("expected a full disk, found %v", err)
	}
	if free, err := f.Free(t.Context()); err != nil || free != 0 {
		t.Errorf("expected no room, found %d, %v", free, err)
	}
	wantFull := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, storage.ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: expected %v for want of space, found %v", what, storage.ErrDisk, err)
		}
	}
	for _, length := range []int{1, 300 << 10} {
		data := bytes.Repeat([]byte("y"), length)
		digest, err := f.Put(t.Context(), data)
		wantFull("put", err)
		if !digest.IsZero() {
			t.Errorf("expected no digest beside an error, found %v", digest)
		}
		if _, err := f.Stat(t.Context(), artifact.DigestOf(artifact.SHA256, data)); !errors.Is(err, storage.ErrMissing) {
			t.Errorf("expected %v, found %v", storage.ErrMissing, err)
		}
	}
	_, err = f.Replace(t.Context(), "d", version, []byte("new"))
	wantFull("replace", err)
	_, err = f.Replace(t.Context(), "e", "", []byte("new"))
	wantFull("a new document", err)
	if data, found, err := f.Document(t.Context(), "d"); err != nil || found != version || string(data) != "old" {
		t.Errorf("expected the old text, found %q, %v", data, err)
	}
	if left := files(t, filepath.Join(dir, "documents")); !slices.Equal(left, []string{"d"}) {
		t.Errorf("expected the document alone, found %q", left)
	}
	if left := files(t, filepath.Join(dir, "objects", "staging")); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
	if digest := put(t, f, []byte("held")); digest != held { // it is there already
		t.Errorf("expected %v, found %v", held, digest)
	}
	for _, digest := range []artifact.Digest{held, large} {
		if err := f.Check(t.Context(), digest, 0); err != nil {
			t.Error(err)
		}
	}
	if err := f.Delete(t.Context(), large); err != nil {
		t.Errorf("to make room there must be enough: %v", err)
	}
	put(t, f, []byte("new"))
	if _, err := f.Replace(t.Context(), "d", version, []byte("new")); err != nil {
		t.Error(err)
	}
}

// TestReadOnly: a disk that went bad is read, and every change is refused.
func TestReadOnly(t *testing.T) {
	disk := mount(t, "size=4m")
	dir := filepath.Join(disk, "mirror")
	f := open(t, dir)
	held := put(t, f, []byte("held"))
	version, err := f.Replace(t.Context(), "d", "", []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("assay", disk, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Skipf("needs a remount: %v", err)
		}
	}
	// The index stays open for a moment after the last change, which keeps the disk
	// from being made read-only: no later than that it is closed.
	for syscall.Mount("assay", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "") == syscall.EBUSY {
		if _, err := f.Stat(t.Context(), held); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	defer remount(0)
	_, putErr := f.Put(t.Context(), []byte("new"))
	_, replaceErr := f.Replace(t.Context(), "d", version, []byte("new"))
	_, removeErr := f.Replace(t.Context(), "d", version, nil)
	for what, err := range map[string]error{"put": putErr, "replace": replaceErr, "remove": removeErr, "delete": f.Delete(t.Context(), held)} {
		if !errors.Is(err, storage.ErrDisk) || !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: expected %v, as it is read-only, found %v", what, storage.ErrDisk, err)
		}
	}
	put(t, f, []byte("held")) // it is there already
	if err := f.Check(t.Context(), held, 0); err != nil {
		t.Error(err)
	}
	if data, found, err := f.Document(t.Context(), "d"); err != nil || found != version || string(data) != "old" {
		t.Errorf("expected the old text, found %q, %v", data, err)
	}
	if other, err := storage.Open(filepath.Join(disk, "another"), storage.Options{}); other != nil || !errors.Is(err, storage.ErrDisk) || !errors.Is(err, syscall.EROFS) {
		t.Errorf("a new folder: expected %v, found %v", storage.ErrDisk, err)
	}
}
