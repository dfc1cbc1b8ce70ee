package trust_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// copyOf is a Store of its own with the same entries.
func copyOf(t *testing.T, entries map[string][]byte) *trust.MemStore {
	t.Helper()
	store := &trust.MemStore{}
	must(t, store.Update(context.Background(), func(tx trust.Tx) error {
		for key, value := range entries {
			if err := tx.Put(key, value); err != nil {
				return err
			}
		}
		return nil
	}))
	return store
}

// The police has to see each of these, or its silence in the other tests means
// nothing.
func TestPoliceSees(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	must(t, b.repo.PublishRoot())
	b.publish()
	promisedBy(t, b.mustRefresh(), "team/a", "team")
	held := b.store.Entries()
	honest := b.repo.Files(0)

	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	foreign := timestampOf(t, honest["timestamp.json"])
	forgedRole := signed(t, foreign, []*testrepo.Key{stranger})
	must(t, b.repo.PublishRoot())
	sameKeys := b.repo.RootBytes(3)
	root, err := metadata.Root().FromBytes(sameKeys)
	must(t, err)
	forgedRoot := signed(t, root, []*testrepo.Key{stranger})
	stored := func(role string) string {
		fields, err := record(readOnly(held), prefixRole+role)
		must(t, err)
		return prefixMeta + sumIn(fields, "sum")
	}
	set := func(name string, value any) func(map[string]any) {
		return func(fields map[string]any) { fields[name] = value }
	}
	for name, test := range map[string]struct {
		crime func(tx trust.Tx) error
		part  string
	}{
		"a lower floor of root":      {func(tx trust.Tx) error { return edit(tx, "floor/root", set("version", 1)) }, "floor/root.version fell"},
		"a lower floor of timestamp": {func(tx trust.Tx) error { return edit(tx, "floor/timestamp", set("version", 1)) }, "floor/timestamp.version fell"},
		"no floor of snapshot":       {func(tx trust.Tx) error { return tx.Delete("floor/snapshot") }, "floor/snapshot.version fell"},
		"another sum in a floor":     {func(tx trust.Tx) error { return edit(tx, "floor/timestamp", set("signed", "sha256:00")) }, "changed under one version"},
		"a root of the same keys with a lower floor": {func(tx trust.Tx) error {
			must(t, tx.Put("root/3", sameKeys))
			must(t, edit(tx, "floor/root", set("version", 3)))
			return edit(tx, "floor/timestamp", set("version", 1))
		}, "floor/timestamp.version fell"},
		"a root of strangers":      {func(tx trust.Tx) error { return tx.Put("root/3", forgedRoot) }, "not signed by the root before"},
		"a root under two numbers": {func(tx trust.Tx) error { return tx.Put("root/4", sameKeys) }, "is not that root"},
		"no root":                  {func(tx trust.Tx) error { return tx.Delete("root/2") }, "is not that root"},
		"another given root":       {func(tx trust.Tx) error { return edit(tx, keyGiven, set("version", 2)) }, "the given root was replaced"},
		"an earlier clock": {func(tx trust.Tx) error {
			must(t, tx.Delete("floor/none"))
			return edit(tx, keyClock, set("latest", start.Add(-time.Hour)))
		}, "went back"},
		"bytes under another digest": {func(tx trust.Tx) error { return tx.Put(stored("timestamp"), honest["2.snapshot.json"]) }, "not the digest of its key"},
		"a role of strangers": {func(tx trust.Tx) error {
			return tx.Put(prefixMeta+sha256Hex(string(forgedRole)), forgedRole)
		}, "was not verified"},
		"a role that is not there": {func(tx trust.Tx) error { return edit(tx, prefixRole+"team", set("version", 2)) }, "not there or not that role's"},
		"a role under another's name": {func(tx trust.Tx) error {
			return edit(tx, prefixRole+"other", func(f map[string]any) {
				f["version"], f["sum"] = 1, "sha256:"+strings.TrimPrefix(stored("team"), prefixMeta)
			})
		}, "not there or not that role's"},
		"a set that is swept away": {func(tx trust.Tx) error { return tx.Delete(stored("snapshot")) }, "names a snapshot that is not there"},
		"a set of a root to come":  {func(tx trust.Tx) error { return edit(tx, keyComplete, set("root", 3)) }, "names root 3"},
		"a set that goes back":     {func(tx trust.Tx) error { return edit(tx, keyComplete, set("version", 1)) }, "the complete set went back"},
		"a set that does not fit":  {func(tx trust.Tx) error { return edit(tx, keyComplete, set("version", 9)) }, "does not fit together"},
		"a set without a snapshot": {func(tx trust.Tx) error {
			return edit(tx, keyComplete, func(f map[string]any) { delete(f, "snapshot") })
		}, "names a snapshot that is not there"},
		"a set signed by other roles": {func(tx trust.Tx) error {
			return edit(tx, keyComplete, func(f map[string]any) { f["timestamp"] = f["targets"] })
		}, "is not signed by the keys"},
		"nothing wrong, and no crime":  {func(trust.Tx) error { return nil }, ""},
		"the same again, and no crime": {func(tx trust.Tx) error { return tx.Put(stored("timestamp"), held[stored("timestamp")]) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var complaints []string
			p := &police{Store: copyOf(t, held), book: &casebook{}, complain: func(text string) { complaints = append(complaints, text) }}
			must(t, p.Update(t.Context(), test.crime))
			if test.part == "" {
				if len(complaints) > 0 {
					t.Errorf("an honest transaction: %v", complaints)
				}
				return
			}
			if !slices.ContainsFunc(complaints, func(text string) bool { return strings.Contains(text, test.part) }) {
				t.Errorf("expected a complaint that %q, found %q", test.part, complaints)
			}
		})
	}
}

// A version that comes twice with two contents, each rightly signed.
func TestPoliceRemembersContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	one := timestampOf(t, b.repo.Files(0)["timestamp.json"])
	one.Signed.Expires = one.Signed.Expires.Add(time.Hour)
	two := signed(t, one, b.repo.Keys("timestamp"))
	var complaints []string
	p := b.config.Store.(*police)
	p.complain = func(text string) { complaints = append(complaints, text) }
	must(t, p.Update(t.Context(), func(tx trust.Tx) error {
		must(t, tx.Put(prefixMeta+sha256Hex(string(two)), two))
		return edit(tx, prefixRole+"timestamp", func(fields map[string]any) { fields["sum"] = "sha256:" + sha256Hex(string(two)) })
	}))
	if len(complaints) != 1 || !strings.Contains(complaints[0], "timestamp 1 has other content") {
		t.Errorf("expected one complaint about timestamp 1, found %q", complaints)
	}
}

// readOnly shows entries as a transaction does.
type readOnly map[string][]byte

func (r readOnly) Get(key string) ([]byte, error) { return r[key], nil }
func (r readOnly) Put(string, []byte) error       { return errServer }
func (r readOnly) Delete(string) error            { return errServer }
func (r readOnly) Keys(prefix string) ([]string, error) {
	var keys []string
	for key := range r {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}
