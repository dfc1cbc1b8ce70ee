package trust_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

// A floor that vanished is damage, even where nothing new would be held against
// it: the next change would be.
func TestVanishedFloorWithNothingNew(t *testing.T) {
	t.Parallel()
	for _, gone := range []string{"floor/root", "floor/roles", keyGiven} {
		t.Run(gone, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete(gone) }))
			before := b.store.Entries()
			if err := b.fails(trust.ErrState); !strings.Contains(err.Error(), gone+": expected a record beside") {
				t.Errorf("expected %s to be missed, found %v", gone, err)
			}
			if _, err := b.open().Offline(t.Context()); !errors.Is(err, trust.ErrState) {
				t.Errorf("offline: expected ErrState, found %v", err)
			}
			if diff := differ(before, b.store.Entries()); len(diff) > 0 {
				t.Errorf("a refused refresh changed %q", diff)
			}
		})
	}
}

// Any one floor that is left tells that this is not the first time.
func TestOneFloorIsLeft(t *testing.T) {
	t.Parallel()
	for _, floor := range []string{"floor/root", "floor/timestamp", "floor/snapshot"} {
		t.Run(floor, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			left := []string{floor}
			if floor == "floor/snapshot" {
				left = append(left, "floor/roles") // or it would be damage by itself
			}
			for key := range b.store.Entries() {
				if !slices.Contains(left, key) {
					must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete(key) }))
				}
			}
			b.fails(trust.ErrState)
			if entries := b.store.Entries(); len(entries) != len(left) {
				t.Errorf("expected nothing but %q, found %d values", left, len(entries))
			}
		})
	}
}

// A record that was cut behind its checksum is damaged, and not one that is not
// there, even where the checksum fits nothing at all.
func TestRecordWithoutAnything(t *testing.T) {
	t.Parallel()
	for _, key := range []string{keyClock, "floor/timestamp", "floor/roles"} {
		b := newBench(t, testrepo.Options{})
		b.mustRefresh()
		b.put(key, fmt.Appendf(nil, "%08x", crc32.Checksum([]byte(key), crc32.MakeTable(crc32.Castagnoli))))
		b.fails(trust.ErrState)
	}
}

// A time that JSON can't tell is not stored as half a record: the clock is put
// right, and all goes on.
func TestClockBeyondTheYear9999(t *testing.T) {
	t.Parallel()
	for _, held := range []bool{false, true} {
		t.Run(fmt.Sprintf("held %v", held), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			if held {
				b.mustRefresh()
				must(t, b.repo.PublishRoot())
			}
			before := b.store.Entries()
			b.now = time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)
			var refused *json.MarshalerError
			if _, err := b.refresh(); !errors.As(err, &refused) {
				t.Errorf("expected the year to be refused, found %v", err)
			}
			if diff := differ(before, b.store.Entries()); len(diff) > 0 {
				t.Errorf("a refused refresh stored %q", diff)
			}
			b.now = start
			b.mustRefresh()
		})
	}
}

// A record of which only a part can be read holds nothing back.
func TestRecordOfTheNewestHalfRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	before := b.store.Entries()
	b.config.Store = b.store // the police would take 99 for a version that was held
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error {
		return edit(tx, "role/timestamp", func(fields map[string]any) { fields["version"], fields["sum"] = 99, 5 })
	}))
	b.mustRefresh()
	if diff := differ(before, b.store.Entries()); len(diff) > 0 {
		t.Errorf("expected the state to be whole again, found other values of %q", diff)
	}
}

// New snapshot keys lower what the timestamp says of the snapshot; the timestamp
// that goes on to count raises it again, stored as it is.
func TestTimestampRaisesTheSnapshotItNamesAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	before := b.store.Entries()["floor/timestamp"]
	must(t, b.repo.RotateKey("snapshot"))
	must(t, b.repo.PublishRoot())
	b.fails(trust.ErrSignature) // the snapshot is still the old keys'
	if after := b.store.Entries()["floor/timestamp"]; string(after) != string(before) {
		t.Errorf("expected %q, found %q", before, after)
	}
}
