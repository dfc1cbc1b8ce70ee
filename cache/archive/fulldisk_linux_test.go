package archive

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"assay/cache"
)

// faultsVariable leaves out the tests of faults where it is "none", as where mutants
// run.
const faultsVariable = "ASSAY_FAULTS"

// smallDisk is a file system of its own. A process that is killed leaves it
// mounted, so where mutants run there is none.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	if os.Getenv(faultsVariable) == "none" {
		t.Skip("left out by " + faultsVariable)
	}
	disk := t.TempDir()
	if err := syscall.Mount("assay", disk, "tmpfs", 0, options); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, 0) })
	return disk
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "size=512k")
	from, list := sample(t)
	text := export(t, from, list)
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
