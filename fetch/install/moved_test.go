package install

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// moves has another folder of links from now on.
func (b *bench) moves(name string) (was, is string) {
	was, b.Bin = b.Bin, filepath.Join(filepath.Dir(b.Bin), name)
	return was, b.Bin
}

func (b *bench) wantLinks(dir string, want ...string) {
	b.t.Helper()
	if names, err := readDir(dir); err != nil || !slices.Equal(names, want) {
		b.t.Errorf("%s: expected the links %v, found %v, %v", dir, want, names, err)
	}
}

// TestBinMoved: where the folder of links is another one, an install of what runs
// makes its links there, says so, and takes away those that are its own in the former.
func TestBinMoved(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	was, is := b.moves("bin2")
	mustLink(t, filepath.Join(b.folder(hello), "current/bin/hello"), filepath.Join(was, "alias")) // the user's
	mustWrite(t, filepath.Join(was, "other"), "x")
	done := b.installs("1.0.0")
	if !done.Changed || !slices.Equal(done.Mended, []string{filepath.Join(is, "hello")}) || !slices.Equal(done.Unlinked, []string{filepath.Join(was, "hello")}) {
		t.Errorf("found %+v", done)
	}
	b.wantLinks(was, "alias", "other")
	b.runs("hello", "1.0.0")
	if done = b.installs("1.0.0"); done.Changed || done.Mended != nil || done.Unlinked != nil || !slices.Equal(done.Bins, []string{is}) {
		t.Errorf("expected nothing to do, found %+v", done)
	}
	// So does another release, and an uninstall.
	was, is = b.moves("bin3")
	if done = b.installs("1.1.0"); done.Mended != nil || !slices.Equal(done.Unlinked, []string{filepath.Join(was, "hello")}) {
		t.Errorf("found %+v", done)
	}
	b.wantLinks(was)
	b.wantLinks(is, "hello")
	b.moves("bin4")
	if _, err := b.Uninstall(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	b.wantLinks(is)
}

// TestBinMovedByLink: a folder by another name is the same one, and its links stay.
func TestBinMovedByLink(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	was, is := b.moves("bin2")
	mustLink(t, was, is)
	if done := b.installs("1.0.0"); done.Changed {
		t.Errorf("expected nothing to do, found %+v", done)
	}
	b.wantLinks(was, "hello")
	b.runs("hello", "1.0.0")
}

// TestBinMovedFails: a former folder that can't be cleared is remembered.
func TestBinMovedFails(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	g := b.installs("1.0.0").Generation
	was, is := b.moves("bin2")
	// What is no folder by now can't be looked at; it may be one again.
	loop := filepath.Join(filepath.Dir(was), "loop")
	if err := errors.Join(os.Rename(was, was+"-"), os.Symlink(loop, was), os.Symlink(was, loop)); err != nil {
		t.Fatal(err)
	}
	b.installs("1.0.0")
	if len(b.notices) != 1 {
		t.Errorf("expected a notice, found %v", b.notices)
	}
	if err := errors.Join(os.Remove(was), os.Rename(was+"-", was)); err != nil {
		t.Fatal(err)
	}
	if now, err := b.Current(hello); err != nil || !slices.Equal(now.Bins, []string{was, is}) {
		t.Errorf("expected both folders of %s, found %v, %v", g.Version, now.Bins, err)
	}
	b.installs("1.0.0")
	b.wantLinks(was)
	b.wantLinks(is, "hello")
}

// TestLost: a link, and the one to what is current, that somebody took away come back.
func TestLost(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0", "1.1.0")
	link := filepath.Join(b.Bin, "hello")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if done := b.installs("1.1.0"); !done.Changed || !slices.Equal(done.Mended, []string{link}) {
		t.Errorf("found %+v", done)
	}
	b.runs("hello", "1.1.0")
	if err := os.Remove(filepath.Join(b.folder(hello), currentName)); err != nil {
		t.Fatal(err)
	}
	if done := b.installs("1.1.0"); !done.Changed || done.Mended != nil || done.Number != 2 {
		t.Errorf("found %+v", done)
	}
	b.runs("hello", "1.1.0")
	if g, err := b.Back(hello, ""); err != nil || g.Version != "1.0.0" {
		t.Errorf("found %+v, %v", g, err)
	}
	b.wantTidy("1", "2")
}
