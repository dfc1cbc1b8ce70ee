package trust_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// Large metadata lies in several values. Whatever becomes of one of them, the
// whole is fetched again, and what is left of the others is not in the way.
func TestTornPieces(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("takes half a minute with the race detector, and runs nothing at once")
	}
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Forge("targets", testrepo.Forgery{Bytes: padded}))
	b.publish()
	b.mustRefresh()
	entries := b.store.Entries()
	pieces := slices.DeleteFunc(slices.Sorted(maps.Keys(entries)), func(key string) bool {
		return !strings.HasPrefix(key, prefixMeta) || !strings.Contains(strings.TrimPrefix(key, prefixMeta), "/")
	})
	if len(pieces) != 2 {
		t.Fatalf("expected two pieces, found %q", pieces)
	}
	first, second := pieces[0], pieces[1]
	for name, damage := range map[string]func(state map[string][]byte){
		"the first is gone":   func(state map[string][]byte) { delete(state, first) },
		"the last is gone":    func(state map[string][]byte) { delete(state, second) },
		"both are gone":       func(state map[string][]byte) { delete(state, first); delete(state, second) },
		"the first is empty":  func(state map[string][]byte) { state[first] = nil },
		"the last is cut":     func(state map[string][]byte) { state[second] = state[second][:10] },
		"the last has more":   func(state map[string][]byte) { state[second] = append(bytes.Clone(state[second]), ' ') },
		"a byte of the first": func(state map[string][]byte) { state[first] = flipped(state[first]) },
		"the first lies there by": func(state map[string][]byte) {
			state[first[:strings.LastIndex(first, "/")]] = state[first]
			state[first] = nil
		},
		"they changed places": func(state map[string][]byte) { state[first], state[second] = state[second], state[first] },
	} {
		t.Run(name, func(t *testing.T) {
			state := maps.Clone(entries)
			damage(state)
			store := copyOf(t, state)
			_, err := b.with(store).Offline(t.Context())
			if !errors.Is(err, trust.ErrNotHeld) {
				t.Errorf("offline: expected ErrNotHeld, found %v", err)
			}
			b.remote.requests()
			_, err = b.with(newPolice(t, store)).Refresh(t.Context())
			must(t, err)
			if asked := b.remote.requests(); !slices.Contains(asked, "2.targets.json") {
				t.Errorf("expected the targets to be fetched again, found %q", asked)
			}
			view, err := b.with(store).Offline(t.Context())
			if err != nil {
				t.Fatalf("expected it to heal, found %v", err)
			}
			promisedBy(t, view, "a.txt", "targets")
		})
	}
}
