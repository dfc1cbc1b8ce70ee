package trust_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"assay/trust"
)

// Two values that change places are each whole, and still in the wrong place.
func TestStoredValuesThatChangePlaces(t *testing.T) {
	t.Parallel()
	b := newTornBench(t)
	keys := slices.Sorted(maps.Keys(b.entries))
	for _, one := range keys {
		for _, two := range keys {
			if one >= two || isRecord(one) != isRecord(two) {
				continue
			}
			entries := maps.Clone(b.entries)
			entries[one], entries[two] = entries[two], entries[one]
			b.remote.serve(3)
			_, err := b.with(copyOf(t, entries)).Refresh(t.Context())
			b.remote.serve(0)
			if err == nil {
				t.Errorf("%s and %s changed places: what is old was accepted", one, two)
			}
			store := copyOf(t, entries)
			if err, _ := b.process(b.with(store), b.look); err == nil {
				if diff := differ(store.Entries(), b.entries); len(diff) > 0 {
					t.Errorf("%s and %s changed places: expected the state to be whole again, found other values of %q", one, two, diff)
				}
			} else if !lost(one) && !lost(two) {
				t.Errorf("%s and %s changed places: expected it to heal, found %v", one, two, err)
			}
		}
	}
}

// A process that lives on while the state is damaged under it must not take the
// damage for what it knows, nor put more of it in the place of floors; and the
// next process makes it good.
func TestStateTornUnderALivingProcess(t *testing.T) {
	t.Parallel()
	b := newTornBench(t)
	for _, key := range slices.Sorted(maps.Keys(b.entries)) {
		for name, value := range map[string][]byte{"emptied": {}, "gone": nil, "halved": b.entries[key][:len(b.entries[key])/2]} {
			what := key + " " + name
			store := copyOf(t, b.entries)
			process := b.with(newPolice(t, store, b.book))
			err, _ := b.process(process, b.look)
			must(t, err)
			must(t, store.Update(t.Context(), func(tx trust.Tx) error {
				if value == nil {
					return tx.Delete(key)
				}
				return tx.Put(key, value)
			}))
			err, _ = b.process(process, b.look)
			switch {
			case lost(key) && err == nil && value != nil:
				t.Errorf("%s: expected ErrState, found nothing wrong", what)
			case err != nil && !errors.Is(err, trust.ErrState):
				t.Errorf("%s: expected it to heal or ErrState, found %v", what, err)
			case err != nil && !lost(key):
				t.Errorf("%s: expected it to heal, found %v", what, err)
			}
			if lost(key) {
				continue
			}
			if err, _ := b.process(b.with(newPolice(t, store, b.book)), b.look); err != nil {
				t.Errorf("%s: the next process: %v", what, err)
			} else if diff := differ(store.Entries(), b.entries); len(diff) > 0 {
				t.Errorf("%s: expected the next process to make it good, found other values of %q", what, diff)
			}
		}
	}
}

// A record that vanishes is as good as a damaged one: what is old gains nothing.
func TestVanishedStateIsNotAFirstTime(t *testing.T) {
	t.Parallel()
	b := newTornBench(t)
	for _, key := range slices.Sorted(maps.Keys(b.entries)) {
		entries := maps.Clone(b.entries)
		delete(entries, key)
		b.remote.serve(3)
		_, err := b.with(newPolice(t, copyOf(t, entries), b.book)).Refresh(t.Context())
		b.remote.serve(0)
		if !errors.Is(err, trust.ErrRollback) && !errors.Is(err, trust.ErrState) {
			t.Errorf("%s vanished, and what is old was served: expected ErrRollback or ErrState, found %v", key, err)
		}
	}
}
