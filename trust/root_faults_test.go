package trust_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

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

// With new keys of one role go the records of what the old ones have signed, and
// no others.
func TestNewKeysForgetTheirOwnRecords(t *testing.T) {
	t.Parallel()
	all := []string{"role/snapshot", "role/targets", "role/team", "role/timestamp"}
	for name, test := range map[string]struct{ rotate, stay []string }{
		"none":      {nil, all},
		"targets":   {[]string{"targets"}, all},
		"timestamp": {[]string{"timestamp"}, all[:3]},
		"snapshot":  {[]string{"snapshot"}, all[3:]},
		"both":      {[]string{"timestamp", "snapshot"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
			b.add("team/a", "team")
			b.publish()
			promisedBy(t, b.mustRefresh(), "team/a", "team")
			for _, role := range test.rotate {
				must(t, b.repo.RotateKey(role))
			}
			must(t, b.repo.PublishRoot())
			b.remote.fail("timestamp.json", nil, errServer)
			b.fails(errServer)
			left := slices.Sorted(maps.Keys(b.store.Entries()))
			left = slices.DeleteFunc(left, func(key string) bool { return !strings.HasPrefix(key, prefixRole) })
			if !slices.Equal(left, test.stay) {
				t.Errorf("expected the records %q to stay, found %q", test.stay, left)
			}
		})
	}
}

// An id without a key is nobody's: it lowers no floor, and does no harm.
func TestKeyIDWithoutAKeyLowersNoFloor(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.config.Store = b.store // the police reads the keys of honest roots only
	old := b.repo.Files(0)["timestamp.json"]
	must(t, b.repo.PublishTimestamp())
	b.mustRefresh()
	must(t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) {
		timestamp := s.(*metadata.RootType).Roles["timestamp"]
		timestamp.KeyIDs = append(timestamp.KeyIDs, strings.Repeat("ab", 32))
	}}))
	must(t, b.repo.PublishRoot())
	b.remote.replace("timestamp.json", old)
	b.fails(trust.ErrRollback)
}
