package cache

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDiskFullInEachPhase runs everything on a file system of 8 MiB with so much
// room left, from none to enough, and then with so many files left. What has no
// room says so; what is held stays; nothing unproven has a name; and with room
// everything succeeds.
func TestDiskFullInEachPhase(t *testing.T) {
	disk := smallDisk(t, "size=8m,nr_inodes=200")
	failed := map[string]int{}
	var notices []string
	for _, template := range fullTemplates(t) {
		try := func(when string, fill func(folder string) error) {
			notices = append(notices, onFullDisk(t, template, disk, when, failed, fill)...)
		}
		for room := 0; room < 3<<20; {
			try(fmt.Sprintf("with %d KiB", room>>10), func(folder string) error { return fillBytes(disk, folder, room) })
			if room < 80<<10 {
				room += 8 << 10
			} else {
				room += 136 << 10
			}
		}
		for files := range 10 {
			try(fmt.Sprintf("with %d files", files), func(folder string) error { return fillFiles(disk, folder, files) })
		}
	}
	t.Logf("times that each step failed: %v", failed)
	for _, step := range []string{"fetch", "fetch a small one", "fetch one of a length that is not told", "begin", "note", "describe", "refer"} {
		if failed[step] == 0 {
			t.Errorf("expected %q to fail for want of room at least once", step)
		}
	}
	if !slices.ContainsFunc(notices, func(text string) bool { return strings.Contains(text, "could not be entered") }) {
		t.Errorf("expected a commit to have room for the blob and none for the index, found %q", notices)
	}
}

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
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	return disk
}

// fullTemplates are caches to begin with: one whose index has no free pages, one
// with many of them, and one whose index was lost.
func fullTemplates(t *testing.T) (templates []string) {
	t.Helper()
	for _, name := range []string{"full index", "free pages", "no index"} {
		dir := filepath.Join(t.TempDir(), "cache")
		switch name {
		case "free pages":
			prepareEverything(t, dir, maxNames)
		default:
			prepareEverything(t, dir, 0)
		}
		if name == "no index" {
			if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
				t.Fatal(err)
			}
		}
		templates = append(templates, dir)
	}
	return templates
}

// onFullDisk runs everything after fill, counts the steps that failed, and gives
// what was noticed.
func onFullDisk(t *testing.T, template, disk, when string, failed map[string]int, fill func(folder string) error) (notices []string) {
	t.Helper()
	dir, filler := filepath.Join(disk, "cache"), filepath.Join(disk, "fill")
	err := errors.Join(os.CopyFS(dir, os.DirFS(template)), os.Mkdir(filler, 0o700))
	if err == nil {
		err = fill(filler)
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := openEverything(dir, 10*time.Second, func(text string) { notices = append(notices, text) })
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]bool{}
	for _, step := range e.steps() {
		err := step.run(t.Context())
		switch {
		case err == nil:
			done[step.name] = true
		case !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space"):
			if !errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) || done["fetch"] {
				t.Errorf("%s: %s: expected %v for want of space, with a hint, found %v", when, step.name, ErrDisk, err)
			}
		default:
			failed[step.name]++
		}
	}
	err = errors.Join(heldAll(dir), os.RemoveAll(filler))
	if err == nil {
		err = afterFault(t.Context(), dir, done)
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		t.Errorf("%s: %v", when, err)
	}
	return notices
}

// fillBytes leaves so much room.
func fillBytes(disk, folder string, room int) error {
	var free syscall.Statfs_t
	if err := syscall.Statfs(disk, &free); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "bytes"), bytes.Repeat([]byte("x"), int(free.Bavail)*int(free.Bsize)-room), 0o600)
}

// fillFiles leaves room for so many files.
func fillFiles(disk, folder string, files int) error {
	var free syscall.Statfs_t
	if err := syscall.Statfs(disk, &free); err != nil {
		return err
	}
	for i := range int(free.Ffree) - files {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), nil, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// TestPruneWithTwoFilesLeft: where no more files can be made than the lock of the
// references and that of one blob, Prune goes on as it makes room.
func TestPruneWithTwoFilesLeft(t *testing.T) {
	disk := smallDisk(t, "size=8m,nr_inodes=200")
	e, err := openEverything(filepath.Join(disk, "cache"), time.Second, func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	for i := range byte(30) {
		store(t, e.Store, []byte{i})
	}
	filler := filepath.Join(disk, "fill")
	if err := errors.Join(os.Mkdir(filler, 0o700), fillFiles(disk, filler, 2)); err != nil {
		t.Fatal(err)
	}
	report, err := e.hasty.Prune(t.Context(), within(0))
	if err != nil || len(report.Removed) != 30 || len(report.Kept) != 0 {
		t.Errorf("expected all 30 to go, found %d gone and %d kept, %v", len(report.Removed), len(report.Kept), err)
	}
	// With none at all it says what is wrong.
	store(t, e.Store, []byte("more"))
	if err := errors.Join(os.RemoveAll(filler), os.Mkdir(filler, 0o700), fillFiles(disk, filler, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.hasty.Prune(t.Context(), within(0)); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected %v for want of files, found %v", ErrDisk, err)
	}
}
