package trust_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// tornBench holds generation 2 of a repository with two roots and a delegated
// role; generation 1 below it is signed by the same keys.
type tornBench struct {
	*bench
	book    *casebook
	look    []string
	entries map[string][]byte // the whole state
	floors  map[string]any
}

func newTornBench(t *testing.T) tornBench {
	t.Helper()
	b := newBench(t, testrepo.Options{Quorum: map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}}})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	must(t, b.repo.PublishRoot())
	b.publish()
	b.remote.serve(b.repo.Generation())
	old := b.repo.Generation()
	b.add("team/b", "team")
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	b.remote.serve(0)
	torn := tornBench{bench: b, book: &casebook{}, look: []string{"b.txt", "team/b"}}
	err, _ := b.process(b.open(), torn.look)
	must(t, err)
	torn.entries = b.store.Entries()
	torn.floors, err = floors(readOnly(torn.entries))
	must(t, err)
	if _, err := b.with(copyOf(t, nil)).Refresh(t.Context()); err != nil || old != 3 {
		t.Fatalf("generation %d, %v", old, err)
	}
	return torn
}

// damaged is a state in which one value is another.
func (b tornBench) damaged(key string, value []byte) *trust.MemStore {
	entries := maps.Clone(b.entries)
	entries[key] = value
	return copyOf(b.t, entries)
}

// heals expects the next refresh to make the damage good, or to say that it
// can't be; and a mirror that serves what is old to gain nothing by it.
func (b tornBench) heals(what, key string, value []byte, old bool) {
	b.t.Helper()
	store := b.damaged(key, value)
	damage := store.Entries()
	process := b.with(newPolice(b.t, store, b.book))
	if old {
		b.remote.serve(3)
		defer b.remote.serve(0)
		err, _ := b.process(process, nil)
		if !errors.Is(err, trust.ErrRollback) && !errors.Is(err, trust.ErrState) {
			b.t.Errorf("%s: what is old was served: expected ErrRollback or ErrState, found %v", what, err)
		}
		return
	}
	err, _ := b.process(process, b.look)
	if lost(key) {
		if !errors.Is(err, trust.ErrState) {
			b.t.Errorf("%s: expected ErrState, found %v", what, err)
		}
		if diff := differ(store.Entries(), damage); len(diff) > 0 {
			b.t.Errorf("%s: a refused refresh changed %q", what, diff)
		}
		return
	}
	if err != nil {
		b.t.Errorf("%s: expected it to heal, found %v", what, err)
	} else if diff := differ(store.Entries(), b.entries); len(diff) > 0 {
		b.t.Errorf("%s: expected the state to be whole again, found other values of %q", what, diff)
	}
}

// Every stored value is cut at every byte, and has every byte flipped: all of
// them in the records and in the timestamp, some of them in other metadata, whose
// digest covers all bytes alike.
func TestTornStateAtEveryByte(t *testing.T) {
	t.Parallel()
	b := newTornBench(t)
	for _, key := range slices.Sorted(maps.Keys(b.entries)) {
		value := b.entries[key]
		step := 1
		if testing.Short() || raceDetector {
			step = 17
		}
		if !isRecord(key) && !bytes.Contains(value, []byte(`"_type": "timestamp"`)) {
			step = 211
		}
		if raceDetector { // which has nothing to find here
			step *= 5
		}
		for i := 0; i < len(value); i += step {
			b.heals(fmt.Sprintf("%s cut to %d bytes", key, i), key, value[:i:i], false)
			flipped := bytes.Clone(value)
			flipped[i] ^= 1 << (i % 8)
			b.heals(fmt.Sprintf("%s with byte %d flipped", key, i), key, flipped, false)
		}
		for _, i := range []int{0, len(value) / 2, len(value) - 1} {
			b.heals(fmt.Sprintf("%s cut to %d bytes", key, i), key, value[:i:i], true)
		}
		if i := bytes.IndexAny(value, "\t\n "); i >= 0 { // still signed, and no longer what was published
			spaced := bytes.Clone(value)
			spaced[i] = '\r'
			b.heals(fmt.Sprintf("%s with other white space at byte %d", key, i), key, spaced, false)
		}
		b.heals(key+" with a byte more", key, append(bytes.Clone(value), ' '), !isRecord(key))
	}
}
