package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"assay/cache/state"
	"assay/internal/testrepo"
)

// What a refresh that was not bound to its registration, or a declaration that
// is gone, left of a repository is in the way of its name until it is removed.
func TestRemoveWhatWasLeft(t *testing.T) {
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	m := &machine{t: t, home: t.TempDir(), server: server}
	db, err := state.Open(filepath.Join(m.home, "state", "assay"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Trust("y").Update(t.Context(), func(tx state.Tx) error {
		entries, err := tx.Keys("")
		return errors.Join(err, tx.Put("given", []byte(fmt.Sprint("left ", len(entries)))))
	})
	if err != nil {
		t.Fatal(err)
	}
	m.expect(2, "trust remove y", "trust", "add", "y", server.URL, "--root-sha256", repo.RootSHA256())
	m.expect(0, "removed", "trust", "remove", "y")
	m.expect(3, "y", "trust", "remove", "y")
	m.expect(0, "added", "trust", "add", "y", server.URL, "--root-sha256", repo.RootSHA256())
}

// An emptied state.db must not count as never used: the version floors were in it.
func TestEmptiedStateIsDamaged(t *testing.T) {
	m := newMachine(t, 1<<10)
	path := filepath.Join(m.home, "state", "assay", "state.db")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	m.expect(41, path, "trust", "list")
	m.expect(41, path, "trust", "refresh", "acme")
	m.expect(41, path, "trust", "add", "acme", m.server.URL, "--root-sha256", m.rootSHA256)
	m.expect(41, path, "trust", "remove", "acme")
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the emptied file was written to: %v, %v", info, err)
	}
}

func TestStateExits(t *testing.T) {
	for _, err := range []error{state.ErrRemoved, state.ErrNoTrust} {
		if got := codeOf(fmt.Errorf("somewhere: %w", err)); got != 3 {
			t.Errorf("%v: expected exit 3, found %d", err, got)
		}
	}
}
