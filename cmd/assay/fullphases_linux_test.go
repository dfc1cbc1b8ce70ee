package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFullInEachPhaseOfGet has a disk of 8 MiB, which holds the cache, the
// state and the output, fill up at one step of a get after the other. Each ends
// with exit code 40 and nothing under a final name that is not whole; with room
// the same command succeeds.
func TestDiskFullInEachPhaseOfGet(t *testing.T) {
	const size = 600 << 10
	disk := smallDisk(t, "size=8m")
	m := newMachine(t, size)
	state := filepath.Join(m.home, "state")
	m.env = []string{"XDG_CACHE_HOME=" + filepath.Join(disk, "cache"), "XDG_STATE_HOME=" + filepath.Join(disk, "state")}
	out := filepath.Join(disk, "out")
	failed, done := 0, 0
	room := 0
	for ; done < 2; room += step(room) {
		if room > 4<<20 {
			t.Fatal("expected success with so much room")
		}
		if err := os.CopyFS(filepath.Join(disk, "state"), os.DirFS(state)); err != nil {
			t.Fatal(err)
		}
		fill := filepath.Join(disk, "fill")
		fillBut(t, disk, fill, room)
		code, output := m.try("get", "acme", bigTarget, "-o", out)
		switch {
		case code == 0:
			done++
		case code == 40 && strings.Contains(output, "no space left"):
			failed, done = failed+1, 0
			if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("with %d KiB: expected no output, found one, %v", room>>10, err)
			}
		default:
			t.Errorf("with %d KiB: expected exit 40, found %d: %s", room>>10, code, output)
		}
		blobs, _ := filepath.Glob(filepath.Join(disk, "cache/assay/blobs/*/*/*"))
		for _, blob := range blobs {
			if info, err := os.Lstat(blob); err != nil || info.Size() != size {
				t.Errorf("with %d KiB: expected the whole blob, found %v, %v", room>>10, info, err)
			}
		}
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		m.expect(0, "", "get", "acme", bigTarget, "-o", out)
		m.expect(0, "", "cache", "verify")
		if hidden, _ := filepath.Glob(filepath.Join(disk, ".*.tmp")); len(hidden) > 0 {
			t.Errorf("with %d KiB: left behind: %q", room>>10, hidden)
		}
		for _, name := range []string{"cache", "state", "out"} {
			if err := os.RemoveAll(filepath.Join(disk, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d gets failed; with %d KiB they succeeded", failed, room>>10)
	if failed < 10 {
		t.Errorf("expected the disk to fill up at many steps, found %d", failed)
	}
}

// step goes slowly where small files are written, and fast where a large one is.
func step(room int) int {
	if room < 100<<10 {
		return 8 << 10
	}
	return 120 << 10
}

// fillBut leaves so many bytes of room on a disk.
func fillBut(t *testing.T, disk, path string, room int) {
	t.Helper()
	var free syscall.Statfs_t
	if err := syscall.Statfs(disk, &free); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, int(free.Bavail)*int(free.Bsize)-room), 0o600); err != nil {
		t.Fatal(err)
	}
}
