package trust_test

import (
	"errors"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// TestNoRoot: a repository that trust has not begun in tells so, and nothing is
// asked or stored.
func TestNoRoot(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.config.Root = nil
	_, online := b.refresh()
	_, offline := b.open().Offline(t.Context())
	for name, err := range map[string]error{"refresh": online, "offline": offline} {
		// ErrNotHeld as well: offline, a root that is still to be fetched is
		// what a run with the network brings.
		if !errors.Is(err, trust.ErrNoRoot) || !errors.Is(err, trust.ErrNotHeld) {
			t.Errorf("%s: expected %v, found %v", name, trust.ErrNoRoot, err)
		}
	}
	if entries := b.store.Entries(); len(entries) > 0 {
		t.Errorf("expected nothing stored, found %d entries", len(entries))
	}
}
