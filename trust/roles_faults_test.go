package trust_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// statuses are the delegated roles of a view, by name; each must be told of once.
func statuses(t *testing.T, view *trust.View) map[string]trust.RoleStatus {
	t.Helper()
	list := map[string]trust.RoleStatus{}
	for role, err := range view.DelegatedRoles(t.Context()) {
		must(t, err)
		if _, twice := list[role.Role]; twice {
			t.Errorf("%s is listed twice", role.Role)
		}
		list[role.Role] = role
	}
	return list
}

// heldBench is branching with all of its roles held.
func heldBench(t *testing.T) *bench {
	t.Helper()
	b := branching(t)
	_, err := read(t, lists["targets"](t.Context(), b.mustRefresh()), -1)
	must(t, err)
	return b
}

// A role that several roles delegate to, itself among them, is one role.
func TestRolesInACircleAreListedOnce(t *testing.T) {
	t.Parallel()
	b := branching(t)
	b.delegate("other", testrepo.DelegatedRole{Name: "below", Paths: []string{"team/*"}})
	b.delegate("below", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.delegate("below", testrepo.DelegatedRole{Name: "below", Paths: []string{"team/*"}})
	b.publish()
	_, err := read(t, lists["targets"](t.Context(), b.mustRefresh()), -1)
	must(t, err)
	if list := statuses(t, mustOffline(t, b)); len(list) != 3 {
		t.Errorf("expected team, other and below, found %v", list)
	}
}

// More delegated roles than the limit are an error, and no shorter list.
func TestDelegatedRolesUpToTheLimit(t *testing.T) {
	t.Parallel()
	b := heldBench(t)
	b.config.Limits.Listing = 3
	if list := statuses(t, mustOffline(t, b)); len(list) != 3 {
		t.Errorf("3 roles: expected all of them, found %v", list)
	}
	b.config.Limits.Listing = 2
	all, err := read(t, lists["delegated roles"](t.Context(), mustOffline(t, b)), -1)
	if !errors.Is(err, trust.ErrSearchLimit) || len(all) != 3 {
		t.Errorf("expected 2 roles and ErrSearchLimit, found %q, %v", all, err)
	}
}

// What is stored of a role is not held where it is damaged, of another version,
// no longer promised or signed by keys that were replaced: its status says so,
// and the others are told of all the same.
func TestDelegatedRoleThatIsNotHeld(t *testing.T) {
	t.Parallel()
	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	for name, test := range map[string]struct {
		harm    func(b *bench)
		version int64 // of team
	}{
		"a damaged record": {func(b *bench) { b.put(prefixRole+"team", []byte("damaged")) }, 2},
		"damaged bytes": {func(b *bench) {
			b.put(prefixMeta+sha256Hex(string(b.repo.Files(0)["1.team.json"])), []byte("damaged"))
			b.put(prefixMeta+sha256Hex(string(b.repo.Files(0)["2.team.json"])), []byte("damaged"))
		}, 2},
		"no bytes": {func(b *bench) {
			must(b.t, b.store.Update(b.t.Context(), func(tx trust.Tx) error {
				return errors.Join(tx.Delete(prefixMeta+sha256Hex(string(b.repo.Files(0)["1.team.json"]))),
					tx.Delete(prefixMeta+sha256Hex(string(b.repo.Files(0)["2.team.json"]))))
			}))
		}, 2},
		"another version": {func(b *bench) {
			b.add("team/new", "team")
			b.publish()
			b.mustRefresh()
		}, 3},
		"other keys": {func(b *bench) {
			must(b.t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
				list := s.(*metadata.TargetsType).Delegations
				list.Keys[stranger.ID()] = stranger.Public()
				list.Roles[0].KeyIDs = []string{stranger.ID()}
			}}))
			b.publish()
			b.mustRefresh()
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := heldBench(t)
			b.add("team/c", "team")
			b.publish()
			promisedBy(t, b.mustRefresh(), "team/c", "team")
			test.harm(b)
			list := statuses(t, mustOffline(t, b))
			if team := list["team"]; team.Held || team.Version != test.version || len(team.Signers) > 0 || !team.Accepted.IsZero() {
				t.Errorf("expected team %d, not held, found %+v", test.version, team)
			}
			if !list["other"].Held || len(list) != 3 {
				t.Errorf("expected the other role to be held beside it, found %+v", list)
			}
		})
	}
}

// A role that the snapshot has never listed is delegated to and not there.
func TestDelegatedRoleThatTheSnapshotDoesNotList(t *testing.T) {
	t.Parallel()
	b := branching(t)
	must(t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) { delete(s.(*metadata.SnapshotType).Meta, "team.json") }}))
	b.publish()
	view := b.mustRefresh()
	if team, ok := statuses(t, view)["team"]; !ok || team.Held || team.Version != 0 || team.Keys != 1 {
		t.Errorf("expected team of no version, found %+v, %v", team, ok)
	}
	if _, err := view.Target(t.Context(), "team/a"); !errors.Is(err, trust.ErrMalformed) {
		t.Errorf("expected ErrMalformed, found %v", err)
	}
}

// What a snapshot lists under a name that is no role's file is no role.
func TestSnapshotThatListsOtherFiles(t *testing.T) {
	t.Parallel()
	b := branching(t)
	must(t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) {
		for _, name := range []string{"README", "team.txt", "team.json.bak"} {
			s.(*metadata.SnapshotType).Meta[name] = metadata.MetaFile(1)
		}
	}}))
	b.publish()
	if list := statuses(t, b.mustRefresh()); len(list) != 3 || list["below"].Version != 1 {
		t.Errorf("expected team, other and below, found %v", list)
	}
}

// What a process knows of a role does not hide that the Store can't be read: it
// may hold a newer version of it.
func TestKnownRoleOnADiskThatFails(t *testing.T) {
	t.Parallel()
	for _, kind := range []operation{opView, opGet} {
		b := branching(t)
		disk := &broken{Store: b.store, kind: kind, at: 1 << 30, state: b.store.Entries, complain: func(string) {}}
		process := b.with(disk)
		view, err := process.Refresh(t.Context())
		must(t, err)
		promisedBy(t, view, "team/a", "team")
		view, err = process.Refresh(t.Context())
		must(t, err)
		disk.at = disk.count
		if target, err := view.Target(t.Context(), "team/a"); !disk.failed || !errors.Is(err, errDisk) || !target.IsZero() {
			t.Errorf("%s: expected the error of the disk, found %v", kind, err)
		}
	}
}

// A process that knows an older version of a role finds the newer one where
// another process has stored it.
func TestRoleThatAnotherProcessHasStored(t *testing.T) {
	t.Parallel()
	b := branching(t)
	process := b.open()
	view, err := process.Refresh(t.Context())
	must(t, err)
	promisedBy(t, view, "team/a", "team")
	b.add("team/c", "team")
	b.publish()
	promisedBy(t, b.mustRefresh(), "team/c", "team")
	view, err = process.Refresh(t.Context())
	must(t, err)
	b.remote.requests()
	promisedBy(t, view, "team/c", "team")
	if asked := b.remote.requests(); len(asked) > 0 {
		t.Errorf("expected nothing to be asked for, found %q", asked)
	}
}

// A delegated role that is large is stored in pieces. Where one of them, or the
// record behind them, can't be written, the look-up fails, and no record names
// what is not whole.
func TestPiecesOfADelegatedRoleFail(t *testing.T) {
	t.Parallel()
	b := branching(t)
	must(t, b.repo.Forge("team", testrepo.Forgery{Bytes: padded}))
	b.publish()
	b.config.Store = b.store
	b.mustRefresh()
	entries := b.store.Entries()
	for at := range 4 {
		store := copyOf(t, entries)
		disk := &faulty{Store: store, at: -1, how: refused}
		view, err := b.with(disk).Refresh(t.Context())
		must(t, err)
		disk.count, disk.at = 0, at
		_, err = view.Target(t.Context(), "team/a")
		if at == 3 { // two pieces and the record
			must(t, err)
			continue
		}
		if !errors.Is(err, errDisk) || disk.count != at+1 {
			t.Errorf("write %d fails: expected its error and no other write, found %v and %d", at, err, disk.count)
		}
		if store.Entries()[prefixRole+"team"] != nil {
			t.Errorf("write %d fails: a record was stored", at)
		}
	}
}

// A manifest that is about another release than its path, or about none.
func TestManifestOfAnotherRelease(t *testing.T) {
	t.Parallel()
	b := sampleBench(t)
	data, _ := b.repo.Target(manifestPath)
	for i, content := range [][]byte{data, []byte("{}"), []byte("no JSON")} {
		must(t, b.repo.AddTarget(fmt.Sprintf("hello/1.9.%d/release.json", i), slices.Clone(content)))
	}
	must(t, b.repo.Publish())
	view := b.mustRefresh()
	for i := range 3 {
		manifest, data := b.document(view, fmt.Sprintf("hello/1.9.%d/release.json", i))
		if doc, err := view.Release(manifest, data); !errors.Is(err, trust.ErrManifest) || doc != nil {
			t.Errorf("%s: expected ErrManifest, found %v", manifest.Path(), err)
		}
		if target, err := view.Artifact(t.Context(), manifest, data, 0); !errors.Is(err, trust.ErrManifest) || !target.IsZero() {
			t.Errorf("an artifact of %s: expected ErrManifest, found %v", manifest.Path(), err)
		}
	}
}
