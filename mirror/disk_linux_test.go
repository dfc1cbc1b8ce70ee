package mirror_test

import (
	"assay/mirror"
	"assay/mirror/storage"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk: a mirror whose disk is full serves what it has, says so, and goes on
// when there is room.
func TestFullDisk(t *testing.T) {
	if os.Getenv(faultsVariable) == "none" {
		t.Skip("left out by " + faultsVariable)
	}
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	x := newBench(t, dir)
	must(t, x.open(0, false))
	x.disk.endless = true // what is seen of the device beforehand may be wrong
	if run := x.sync(); run.Outcome != mirror.Done {
		t.Fatalf("expected it to fit, found %+v", run)
	}
	had := x.whole("at first")
	fill, err := os.Create(filepath.Join(dir, "fill"))
	must(t, err)
	defer fill.Close()
	for err == nil {
		_, err = fill.Write(bytes.Repeat([]byte("x"), 4096))
	}
	must(t, x.b.change())
	run := x.sync()
	if run.Outcome != mirror.Failed || !errors.Is(run.Err, syscall.ENOSPC) {
		t.Errorf("full: expected a run that failed by %v, found %+v", syscall.ENOSPC, run)
	}
	if n := x.whole("full"); n != had {
		t.Errorf("full: expected the %d targets of before, found %d", had, n)
	}
	must(t, x.open(0, false))
	x.whole("full, reopened")
	must(t, x.b.repo.AddTarget("more", []byte(strings.Repeat("more", 1000))))
	must(t, x.b.repo.Publish())
	if run := x.sync(); run.Outcome != mirror.Failed || !errors.Is(run.Err, mirror.ErrQuota) && !errors.Is(run.Err, storage.ErrDisk) {
		t.Errorf("full, and seen: expected %v, found %+v", mirror.ErrQuota, run)
	}
	must(t, fill.Truncate(0))
	x.disk.endless = true
	if run := x.sync(); run.Outcome != mirror.Done {
		t.Errorf("room again: expected it to heal, found %+v", run)
	}
	x.whole("room again")
}
