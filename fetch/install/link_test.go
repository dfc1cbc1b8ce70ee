package install

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLink: a link counts as the product's where it is that, and nothing else does.
func TestLink(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	g := b.installs("1.0.0").Generation
	path := filepath.Join(b.Bin, "hello")
	if found, is := b.Link(g, "hello"); found != path || !is {
		t.Errorf("expected %s, found %s, %v", path, found, is)
	}
	if _, is := b.Link(Generation{Release: Release{Repository: "other", Product: "hello"}}, "hello"); is {
		t.Error("expected the link of another product not to count")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if found, is := b.Link(g, "hello"); found != path || is {
		t.Errorf("expected %s, and nothing there, found %s, %v", path, found, is)
	}
	// Without a folder of links nothing can be told, and nothing counts.
	if err := os.RemoveAll(b.Bin); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, b.Bin, "a file")
	if _, is := b.Link(Generation{}, "hello"); is {
		t.Error("expected nothing of a folder that is none")
	}
}
