package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMirrorOfAnother: root does not write into a mirror that another user keeps, whose
// daemon could not read it.
func TestMirrorOfAnother(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root is let into the folders of others")
	}
	dir := t.TempDir()
	if err := mirrorOwner(dir); err != nil {
		t.Errorf("expected a folder without a mirror to be anybody's, found %v", err)
	}
	store := filepath.Join(dir, mirrorStorage)
	if err := os.Mkdir(store, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mirrorOwner(dir); err != nil {
		t.Errorf("expected root's own to be let in, found %v", err)
	}
	if err := os.Chown(store, 65534, -1); err != nil {
		t.Fatal(err)
	}
	err := mirrorOwner(dir)
	if !errors.Is(err, fs.ErrPermission) || codeOf(err) != 40 || !strings.Contains(err.Error(), "found user 65534") {
		t.Errorf("expected %v and the owner's number, found %v", fs.ErrPermission, err)
	}
	if _, _, hint := describe(err); !strings.Contains(hint, "sudo -u '#65534' assay") {
		t.Errorf("expected to be told who may, found %q", hint)
	}
}
