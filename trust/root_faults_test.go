package trust_test

import (
	"bytes"
	"errors"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// Two processes add one name at once, each with its own root: the second to
// write finds out, and does not replace what the first one begins with.
func TestTwoRootsGivenAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	first := b.open()
	stranger := newBench(t, testrepo.Options{})
	config := stranger.config
	config.Store = &meddler{Store: b.config.Store, before: func(update int) error {
		if update > 1 {
			return nil
		}
		_, err := first.Refresh(t.Context())
		return err
	}}
	second, err := trust.Open(config)
	must(t, err)
	if _, err := second.Refresh(t.Context()); !errors.Is(err, trust.ErrRootConflict) {
		t.Errorf("expected ErrRootConflict, found %v", err)
	}
	if !bytes.Equal(b.store.Entries()["root/1"], b.repo.Root()) {
		t.Error("the root that came first was replaced")
	}
	promisedBy(t, mustOffline(t, b), "a.txt", "targets")
}

// A root that changes nobody's keys touches no floor but its own.
func TestRootWithoutNewKeysTouchesNoFloor(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.PublishRoot())
	b.remote.fail("timestamp.json", nil, errServer)
	before := b.store.Entries()
	counter := &broken{Store: b.config.Store, kind: opPut, under: "floor/timestamp", at: -1, state: b.store.Entries}
	if _, err := b.with(counter).Refresh(t.Context()); !errors.Is(err, errServer) || counter.count != 0 {
		t.Errorf("expected the floor to be left alone, found it written %d times, %v", counter.count, err)
	}
	if diff := differ(before, b.store.Entries()); len(diff) != 2 {
		t.Errorf("expected root 2 and the floor of root to be written, found %q", diff)
	}
}
