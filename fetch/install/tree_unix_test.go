//go:build !windows

package install

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestPipe: what is no file is damage, and is not read; what can't be read is a failure
// of the disk.
func TestPipe(t *testing.T) {
	b := newBench(t)
	g := b.installs("1.0.0").Generation
	if err := syscall.Mkfifo(filepath.Join(g.Tree(), "a pipe"), 0o644); err != nil {
		t.Skip(err)
	}
	err := b.Check(t.Context(), g)
	wantError(t, err, ErrDamaged, "pipe", "expected a file, a folder or a link")
	if errors.Is(err, ErrDisk) {
		t.Errorf("expected no failure of the disk, found %v", err)
	}
	_, data := version("1.0.0")
	wantError(t, b.Verify(t.Context(), g, b.blob(data)), ErrDamaged, "pipe", "expected a file, a folder or a link")
	loop := filepath.Join(b.Dir, "loop")
	mustLink(t, "loop", loop)
	_, err = sum(t.Context(), filepath.Join(loop, treeName))
	wantError(t, err, ErrDisk, loop)
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

// TestOddFolders: folders may have any name, and be reached by several.
func TestOddFolders(t *testing.T) {
	b := newBench(t)
	home := filepath.Dir(b.Dir)
	b.Dir, b.Bin = filepath.Join(home, "da ta %d$HOME'\"\n"), filepath.Join(home, "b i n%")
	b.installs("1.0.0")
	b.runs("hello", "1.0.0")
	mustLink(t, filepath.Base(b.Dir), filepath.Join(home, "data link"))
	mustLink(t, filepath.Base(b.Bin), filepath.Join(home, "bin link"))
	real := b.Bin
	b.Dir, b.Bin = filepath.Join(home, "data link"), filepath.Join(home, "bin link")
	if done := b.installs("1.1.0"); done.Before.Version != "1.0.0" || !slices.Equal(done.Links, []string{filepath.Join(b.Bin, "hello")}) {
		t.Errorf("found %+v", done)
	}
	b.runs("hello", "1.1.0")
	if _, err := b.Uninstall(t.Context(), hello); err != nil {
		t.Error(err)
	}
	if names, _ := readDir(real); len(names) != 0 {
		t.Errorf("expected no links left, found %v", names)
	}
	// As they are read here, relative ones are of nobody.
	t.Chdir(home)
	if b.isProducts("data link/products") || !b.isProducts(filepath.Join(home, "data link", "products")) {
		t.Error("expected a folder of products by an absolute name alone")
	}
}
