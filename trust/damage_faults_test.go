package trust_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// A damaged record of a delegated role is in nobody's way: not in that of the
// next change, and the role is fetched again.
func TestDamagedRecordOfADelegatedRole(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	b.publish()
	promisedBy(t, b.mustRefresh(), "team/a", "team")
	b.put("role/team", []byte("{}"))
	if _, err := mustOffline(t, b).Target(t.Context(), "team/a"); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("offline: expected ErrNotHeld, found %v", err)
	}
	must(t, b.repo.PublishTimestamp())
	view := b.mustRefresh()
	b.remote.requests()
	promisedBy(t, view, "team/a", "team")
	if asked := b.remote.requests(); len(asked) != 1 {
		t.Errorf("expected the role to be asked for, found %q", asked)
	}
	promisedBy(t, mustOffline(t, b), "team/a", "team")
}

// meddledStore has something else happen first in each transaction that writes.
type meddledStore struct {
	trust.Store
	first func(trust.Tx) (trust.Tx, error)
}

func (m meddledStore) Update(ctx context.Context, fn func(trust.Tx) error) error {
	return m.Store.Update(ctx, func(tx trust.Tx) error {
		tx, err := m.first(tx)
		if err != nil {
			return err
		}
		return fn(tx)
	})
}

// A piece that another process swept away is written again with the record that
// names it, or neither is.
func TestWriteOfASweptPieceFails(t *testing.T) {
	t.Parallel()
	b := largeBench(t)
	swept := false
	store := meddledStore{Store: b.config.Store, first: func(tx trust.Tx) (trust.Tx, error) {
		keys, err := tx.Keys(prefixMeta)
		keys = slices.DeleteFunc(keys, func(key string) bool { return strings.Count(key, "/") != 2 })
		if err != nil || len(keys) < 2 {
			return tx, err
		}
		swept = true
		return brokenTx{tx, &broken{kind: opPut, under: prefixMeta}}, tx.Delete(keys[0])
	}}
	if _, err := b.with(store).Refresh(t.Context()); !errors.Is(err, errDisk) || !swept {
		t.Fatalf("expected the error of the disk, found %v, swept %v", err, swept)
	}
	for key := range b.store.Entries() {
		if key == keyComplete || strings.HasPrefix(key, prefixRole+"targets") {
			t.Errorf("%s was stored", key)
		}
	}
	b.mustRefresh()
}

// A stored timestamp that is not the one of the floor does not go on to count in
// the place of a twin.
func TestTwinBesideAnOlderStoredTimestamp(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	old := b.store.Entries()
	must(t, b.repo.PublishTimestamp())
	b.mustRefresh()
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if key == "role/timestamp" || strings.HasPrefix(key, prefixMeta) {
			b.put(key, old[key])
		}
	}
	b.remote.replace("timestamp.json", forgedTimestamp(t, b, func(s *metadata.TimestampType) {
		s.Expires = s.Expires.Add(time.Hour)
	}))
	var rollback *trust.RollbackError
	if err := b.fails(trust.ErrRollback); !errors.As(err, &rollback) || rollback.Role != "timestamp" || rollback.Offered != 2 || rollback.Detail == "" {
		t.Errorf("expected another timestamp 2 to be refused, found %v", err)
	}
}

// White space that changed in a piece leaves the signatures right, and is still
// not what was accepted.
func TestPieceWithOtherWhiteSpace(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{NoMetaHashes: true})
	must(t, b.repo.Forge("targets", testrepo.Forgery{Bytes: padded}))
	b.publish()
	b.mustRefresh()
	before := b.store.Entries()
	keys := b.pieces()
	slices.Sort(keys)
	last := slices.Clone(before[keys[1]])
	last[len(last)-1] = '\r'
	b.put(keys[1], last)
	if _, err := b.open().Offline(t.Context()); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("offline: expected ErrNotHeld, found %v", err)
	}
	b.remote.requests()
	b.config.Store = b.store // the police has seen enough of it
	b.mustRefresh()
	if asked := b.remote.requests(); !slices.Contains(asked, "2.targets.json") {
		t.Errorf("expected the targets to be fetched again, found %q", asked)
	}
	b.mustRefresh()
	promisedBy(t, mustOffline(t, b), "a.txt", "targets")
}
