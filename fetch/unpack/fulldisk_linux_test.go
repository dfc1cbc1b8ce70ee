package unpack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// faultsVariable leaves out the tests of faults where it is "none", as where mutants
// run.
const faultsVariable = "ASSAY_FAULTS"

// smallDisk is a file system of its own. A process that is killed leaves it
// mounted, so where mutants run there is none.
func smallDisk(t *testing.T, flags uintptr, options string) string {
	t.Helper()
	if os.Getenv(faultsVariable) == "none" {
		t.Skip("left out by " + faultsVariable)
	}
	disk := t.TempDir()
	if err := syscall.Mount("assay", disk, "tmpfs", flags, options); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, 0) })
	return disk
}

// TestFullDisk: nothing is left of what did not fit, and the space is free again.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, 0, "size=512k")
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
	dir := smallDisk(t, syscall.MS_RDONLY, "")
	_, err := Into(t.Context(), fileOf(tarOf(t)), Tar, filepath.Join(dir, "out"), Options{})
	wantError(t, err, ErrDisk, "check the permissions")
}
