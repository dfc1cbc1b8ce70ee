package trust_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// slowly refreshes as a process whose answer for one name comes late: between
// its request and its answer fn runs, which may be other processes. The answer
// is what was true when it was asked for.
func (b *bench) slowly(generation int, name string, fn func()) (*trust.View, error) {
	b.t.Helper()
	slow := &remote{repo: b.repo, generation: generation}
	late := b.repo.Files(generation)[name]
	slow.answer = map[string]func() ([]byte, error){name: func() ([]byte, error) {
		delete(slow.answer, name)
		slow.generation = 0
		fn()
		if late == nil {
			return nil, trust.ErrNoMetadata
		}
		return late, nil
	}}
	config := b.config
	config.Remote = slow
	r, err := trust.Open(config)
	must(b.t, err)
	return r.Refresh(b.t.Context())
}

// Whichever answer is late, a process that was overtaken must not take back
// what the other one has stored: it starts over and ends with the newest.
func TestOvertakenAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.PublishRoot())
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			before := b.repo.Generation()
			must(t, b.repo.PublishRoot())
			must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
			b.publish()
			want := map[string]int64{"root": 3, "timestamp": 3, "snapshot": 3, "targets": 3}
			view, err := b.slowly(before, name, func() { b.mustRefresh() })
			must(t, err)
			for role, newest := range want {
				if got := version(view, role); got != newest {
					t.Errorf("%s: expected %d, found %d", role, newest, got)
				}
				if got := version(mustOffline(t, b), role); got != newest {
					t.Errorf("%s offline: expected %d, found %d", role, newest, got)
				}
			}
			b.remote.serve(before)
			b.refuses(trust.ErrRollback)
			// The floor of root stands as well, without the root itself.
			b.put("root/3", []byte("{}"))
			var rollback *trust.RollbackError
			if err := b.refuses(trust.ErrRollback); !errors.As(err, &rollback) || rollback.Role != "root" || rollback.Held != 3 {
				t.Errorf("expected a rollback of root 3, found %v", err)
			}
		})
	}
}

// A process that is late with a root, at a mirror that withholds the next one,
// must not lower the floor of root that another one has raised.
func TestLateRootLowersNoRootFloor(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.PublishRoot())
	before := b.repo.Generation()
	must(t, b.repo.PublishRoot())
	config := b.config
	slow := &remote{repo: b.repo, generation: before}
	slow.answer = map[string]func() ([]byte, error){"2.root.json": func() ([]byte, error) {
		delete(slow.answer, "2.root.json")
		b.mustRefresh()
		return b.repo.RootBytes(2), nil
	}}
	config.Remote = slow
	r, err := trust.Open(config)
	must(t, err)
	view, err := r.Refresh(t.Context())
	must(t, err)
	if got := version(view, "root"); got != 3 {
		t.Errorf("expected root 3, found %d", got)
	}
	b.put("root/3", []byte("{}"))
	b.remote.serve(before)
	var rollback *trust.RollbackError
	if err := b.fails(trust.ErrRollback); !errors.As(err, &rollback) || rollback.Role != "root" || rollback.Held != 3 {
		t.Errorf("expected a rollback of root 3, found %v", err)
	}
}

// With the roots alike, each later floor has to hold on its own.
func TestOvertakenUnderOneRoot(t *testing.T) {
	t.Parallel()
	t.Run("timestamp", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, testrepo.Options{})
		b.mustRefresh()
		must(t, b.repo.PublishTimestamp())
		before := b.repo.Generation()
		must(t, b.repo.PublishTimestamp())
		view, err := b.slowly(before, "timestamp.json", func() { b.mustRefresh() })
		must(t, err)
		if got := version(view, "timestamp"); got != 3 {
			t.Errorf("expected timestamp 3, found %d", got)
		}
		b.remote.serve(before)
		b.refuses(trust.ErrRollback)
	})
	for _, name := range []string{"2.snapshot.json", "2.targets.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			before := b.repo.Generation()
			must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
			b.publish()
			view, err := b.slowly(before, name, func() { b.mustRefresh() })
			must(t, err)
			if got := version(view, "snapshot"); name == "2.snapshot.json" && got != 3 {
				t.Errorf("expected snapshot 3, found %d", got)
			}
			if got := version(mustOffline(t, b), "timestamp"); got != 3 {
				t.Errorf("the newer complete set was lost: timestamp %d", got)
			}
			b.remote.serve(before)
			b.refuses(trust.ErrRollback)
		})
	}
}

// A thief of a key pushes a version up through a process that is slow, just
// while another one accepts the root that revokes the key. The floor that this
// root lowered must stay down.
func TestRevokedKeyRaisesNoFloorThroughALateProcess(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"timestamp", "snapshot"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.mustRefresh()
			before := b.repo.Generation()
			stolen := b.repo.Keys(role)
			slow := &remote{repo: b.repo, generation: before, answer: map[string]func() ([]byte, error){}}
			rotate := func() {
				must(t, b.repo.RotateKey(role))
				b.publish()
				must(t, b.repo.Renew("snapshot"))
				b.publish()
				b.mustRefresh()
				slow.generation = 0
				clear(slow.answer)
			}
			slow.answer["timestamp.json"] = func() ([]byte, error) {
				if role == "snapshot" { // stolen as well, and kept
					return forgedTimestamp(t, b, func(s *metadata.TimestampType) { s.Version, s.Meta["snapshot.json"].Version = 2, 1<<60 }), nil
				}
				rotate()
				doc := timestampOf(t, b.repo.Files(0)["timestamp.json"])
				doc.Signed.Version = 1 << 60
				return signed(t, doc, stolen), nil
			}
			slow.answer["1152921504606846976.snapshot.json"] = func() ([]byte, error) {
				doc, err := metadata.Snapshot().FromBytes(b.repo.Files(before)["1.snapshot.json"])
				must(t, err)
				doc.Signed.Version = 1 << 60
				rotate()
				return signed(t, doc, stolen), nil
			}
			config := b.config
			config.Remote = slow
			r, err := trust.Open(config)
			must(t, err)
			view, err := r.Refresh(t.Context())
			must(t, err)
			if got, want := version(view, "timestamp"), b.repo.Version("timestamp"); got != want {
				t.Errorf("expected timestamp %d, found %d", want, got)
			}
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			b.mustRefresh() // the way is free
		})
	}
}

// A view of before that fetches a role late does not put it in the place of the
// newer one, which offline look-ups need.
func TestOldViewDoesNotReplaceANewerRole(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	b.publish()
	old := b.mustRefresh()
	b.add("team/b", "team")
	b.publish()
	promisedBy(t, b.mustRefresh(), "team/b", "team")
	promisedBy(t, old, "team/a", "team")
	promisedBy(t, mustOffline(t, b), "team/b", "team")
}

// A view that lives on while another process accepts a newer root goes on
// resolving, and stores nothing under the new root.
func TestOldViewStoresNothingUnderANewRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	b.publish()
	old := b.mustRefresh()
	must(t, b.repo.RotateKey("snapshot"))
	b.publish()
	b.mustRefresh()
	promisedBy(t, old, "team/a", "team")
	if _, stored := b.store.Entries()["role/team"]; stored {
		t.Error("a view of the revoked root stored a role")
	}
}

// The store grows with what is current, not with what has been.
func TestOldMetadataIsSweptAway(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	for _, path := range []string{"team/a", "team/b", "team/c"} {
		b.add(path, "team")
		b.publish()
		promisedBy(t, b.mustRefresh(), path, "team")
	}
	must(t, b.repo.PublishTimestamp())
	b.mustRefresh()
	metas := slices.DeleteFunc(slices.Collect(maps.Keys(b.store.Entries())), func(key string) bool { return !strings.HasPrefix(key, "meta/") })
	if len(metas) != 4 {
		t.Errorf("expected timestamp, snapshot, targets and team, found %d: %v", len(metas), metas)
	}
	promisedBy(t, mustOffline(t, b), "team/c", "team")
}

// A root that is damaged in the store takes the offline view with it, even where
// the root before would verify the set: it may have been retired.
func TestOfflineRefusesARootBelowTheFloor(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.RotateRoot())
	b.mustRefresh()
	b.put("root/2", []byte("{}"))
	if _, err := b.open().Offline(t.Context()); !errors.Is(err, trust.ErrNotHeld) || !errors.Is(err, trust.ErrRollback) {
		t.Errorf("expected ErrNotHeld for a root below the floor, found %v", err)
	}
}

// The floor of root vanishes while the root that was given is still there: that
// is damage, and not a repository that was added just now.
func TestVanishedRootFloorIsDamage(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete("floor/root") }))
	b.fails(trust.ErrState)
}

func TestMemStoreReadsOnlyInAView(t *testing.T) {
	t.Parallel()
	store := &trust.MemStore{}
	err := store.View(t.Context(), func(tx trust.Tx) error {
		if tx.Put("key", nil) == nil || tx.Delete("key") == nil {
			t.Error("a View was written to")
		}
		return nil
	})
	must(t, err)
	if left := store.Entries(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestManyAtOnceOnOneState(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.RotateRoot())
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			r, err := trust.Open(b.config)
			if err == nil {
				_, err = r.Refresh(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := mustOffline(t, b); version(got, "timestamp") != 2 || version(got, "root") != 2 {
		t.Errorf("expected the newest, found %v", got.Roles())
	}
}

// A slow process that read an older timestamp must neither fail nor store it.
func TestOvertakenByAnotherProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	old := b.repo.Files(0)["timestamp.json"]
	must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
	b.publish()
	slow := &remote{repo: b.repo}
	first := true
	slow.answer = map[string]func() ([]byte, error){"timestamp.json": func() ([]byte, error) {
		if !first {
			return b.repo.Files(0)["timestamp.json"], nil
		}
		first = false
		b.mustRefresh() // the other process, in between
		return old, nil
	}}
	config := b.config
	config.Remote = slow
	r, err := trust.Open(config)
	must(t, err)
	view, err := r.Refresh(t.Context())
	must(t, err)
	if got := version(view, "timestamp"); got != 3 {
		t.Errorf("expected timestamp 3, found %d", got)
	}
}
