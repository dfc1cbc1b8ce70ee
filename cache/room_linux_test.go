package cache

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestRoomIsTakenBeforehand: for what is long enough to be kept. What no disk has room
// for is found out before a byte comes, and leaves nothing.
func TestRoomIsTakenBeforehand(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if !takesRoom(t, s.dir) {
		t.Skip("no room can be taken beforehand on this file system")
	}
	for _, length := range []int64{KeepBytes - 1, KeepBytes} {
		data := random(uint64(length), int(length))
		g := stageOf(t, s, data)
		if info, err := os.Stat(g.path); err != nil || blocks(info) >= KeepBytes != (length >= KeepBytes) || info.Size() != 0 {
			t.Errorf("expected an empty file and room from %d bytes on, found %d bytes in %d of blocks for %d, %v", KeepBytes, info.Size(), blocks(info), length, err)
		}
		put(t, g, data, 0, length, 0)
		commit(t, g)
	}
	d := digests([]byte("far too large"))
	if _, err := s.Stage(t.Context(), d, 1<<62); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.EFBIG) && !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected %v, as there is no such room, found %v", ErrDisk, err)
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
}

// takesRoom reports whether the file system does what this is about.
func takesRoom(t *testing.T, dir string) bool {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "try"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = preallocate(file, KeepBytes)
	info, statErr := file.Stat()
	if err := errors.Join(err, statErr, os.Remove(file.Name())); err != nil {
		t.Fatal(err)
	}
	return blocks(info) >= KeepBytes
}
