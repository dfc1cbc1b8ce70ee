//go:build !windows

package install

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipe: what is no file is damage, and is not read.
func TestPipe(t *testing.T) {
	b := newBench(t)
	g := b.installs("1.0.0").Generation
	if err := syscall.Mkfifo(filepath.Join(g.Tree(), "pipe"), 0o644); err != nil {
		t.Skip(err)
	}
	err := b.Check(t.Context(), g)
	wantError(t, err, ErrDamaged, "pipe", "expected a file, a folder or a link")
	if errors.Is(err, ErrDisk) {
		t.Errorf("expected no failure of the disk, found %v", err)
	}
}

// TestUmask: whatever it is, those who may read a program may execute it, and nobody
// else.
func TestUmask(t *testing.T) {
	for mask, want := range map[int]os.FileMode{0o077: 0o500, 0: 0o555, 0o027: 0o550} {
		b := newBench(t)
		r, data := version("1.0.0", entry{path: "tool", text: script("tool")})
		r.Executables[0].Path = "tool"
		blob := b.blob(data)
		before := syscall.Umask(mask)
		done, err := b.Install(t.Context(), r, blob, Options{})
		syscall.Umask(before)
		if err != nil {
			t.Fatal(err)
		}
		b.runs("hello", "tool")
		if info, err := os.Stat(filepath.Join(done.Tree(), "tool")); err != nil || info.Mode().Perm() != want {
			t.Errorf("%03o: expected %v, found %v, %v", mask, want, info.Mode(), err)
		}
		if err := b.Verify(t.Context(), done.Generation, blob); err != nil {
			t.Errorf("%03o: expected it found whole by another umask: %v", mask, err)
		}
	}
}
