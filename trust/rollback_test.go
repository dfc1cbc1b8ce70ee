package trust_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestTimestampRollback(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	b.mustRefresh()
	b.remote.serve(1)
	err := b.refuses(trust.ErrRollback)
	var rollback *trust.RollbackError
	if !errors.As(err, &rollback) || rollback.Role != "timestamp" || rollback.Held != 2 || rollback.Offered != 1 {
		t.Errorf("expected timestamp 2 held, 1 offered, found %v", err)
	}
	// The floor outlives the bytes.
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete("role/timestamp") }))
	b.refuses(trust.ErrRollback)
}

func TestSnapshotRollbacks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		role   string
		forge  func(any)
		others string
	}{
		"timestamp names a lower snapshot": {"timestamp", func(s any) { s.(*metadata.TimestampType).Meta["snapshot.json"].Version = 1 }, "snapshot"},
		"snapshot names lower targets":     {"snapshot", func(s any) { s.(*metadata.SnapshotType).Meta["targets.json"].Version = 1 }, "targets"},
		"snapshot leaves a role out":       {"snapshot", func(s any) { delete(s.(*metadata.SnapshotType).Meta, "team.json") }, "team"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}}))
			b.publish()
			b.mustRefresh()
			must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
			must(t, b.repo.Forge(test.role, testrepo.Forgery{Signed: test.forge}))
			b.publish()
			err := b.refuses(trust.ErrRollback)
			var rollback *trust.RollbackError
			if !errors.As(err, &rollback) || rollback.Role != test.others {
				t.Errorf("expected a rollback of %s, found %v", test.others, err)
			}
		})
	}
}

// twin makes the repository publish version 1 of a role again, with other
// content.
func (b *bench) twin(role string) {
	b.t.Helper()
	must(b.t, b.repo.Forge(role, testrepo.Forgery{Signed: func(s any) {
		switch s := s.(type) {
		case *metadata.TimestampType:
			s.Version = 1
		case *metadata.SnapshotType:
			s.Version = 1
		}
	}}))
	b.now = b.now.Add(time.Minute)
}

func TestSnapshotOfTheSameVersionWithOtherContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{NoMetaHashes: true, PlainSnapshots: true})
	b.mustRefresh()
	b.twin("snapshot")
	must(t, b.repo.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TimestampType).Meta["snapshot.json"].Version = 1
	}}))
	// The stored snapshot would do; a fresh one is asked for only without it.
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete("role/snapshot") }))
	must(t, b.repo.Renew())
	b.publish()
	if err := b.refuses(trust.ErrRollback); !strings.Contains(err.Error(), "other content") {
		t.Errorf("expected it to say why, found %v", err)
	}
}

// Section 5.4.3 calls a timestamp of the same version nothing new. What it says
// must not count: the one that was accepted goes on to.
func TestTimestampOfTheSameVersionWithOtherContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	before := b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.twin("timestamp")
	b.publish()
	b.remote.requests()
	view := b.mustRefresh()
	if asked := b.remote.requests(); !slices.Equal(asked, []string{"2.root.json", "timestamp.json"}) {
		t.Errorf("what the twin names was asked for: %v", asked)
	}
	if _, err := view.Target(t.Context(), "b.txt"); !errors.Is(err, trust.ErrNoTarget) || len(view.Changes()) > 0 {
		t.Errorf("expected the repository as it was, found %v, %v", view.Changes(), err)
	}
	if got, want := view.Roles()[1].Expires, before.Roles()[1].Expires; !got.Equal(want) {
		t.Errorf("expected the expiry of the timestamp that was accepted, %v, found %v", want, got)
	}
	if found := view.Evidence().Checks[1].Found; !strings.Contains(found, "discarded") {
		t.Errorf("expected the evidence to tell of it, found %q", found)
	}

	// A freeze by a twin ends with the expiry that was accepted.
	now := b.now
	b.now = before.Roles()[1].Expires
	b.refuses(trust.ErrExpired)
	b.now = now

	// Without the bytes that were accepted there is nothing to go on with.
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete("role/timestamp") }))
	if err := b.refuses(trust.ErrRollback); !strings.Contains(err.Error(), "other content") {
		t.Errorf("expected it to say why, found %v", err)
	}
}

func TestMixAndMatch(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	old := b.repo.Files(1)
	b.remote.replace("2.snapshot.json", old["1.snapshot.json"])
	b.refuses(trust.ErrMismatch)
	b.remote.clear()
	b.remote.replace("2.targets.json", old["1.targets.json"])
	b.refuses(trust.ErrMismatch)
	b.remote.clear()
	b.mustRefresh()
}

func TestSignedLengthAboveTheCap(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TimestampType).Meta["snapshot.json"].Length = 1 << 40
	}}))
	must(t, b.repo.PublishTimestamp())
	b.refuses(trust.ErrTooLarge)
	if asked := b.remote.requests(); slices.Contains(asked, "1.snapshot.json") {
		t.Errorf("the snapshot was asked for: %v", asked)
	}
}

func TestFastForwardRecovery(t *testing.T) {
	t.Parallel()
	far := int64(1) << 60
	for _, role := range []string{"timestamp", "snapshot"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.mustRefresh()
			// The stolen key signs a version that nothing can follow.
			b.remote.replace("timestamp.json", forgedTimestamp(t, b, func(s *metadata.TimestampType) {
				if role == "timestamp" {
					s.Version = far
					return
				}
				s.Version, s.Meta["snapshot.json"].Version = s.Version+1, far
			}))
			_, _ = b.refresh() // a snapshot of that version is not there; the timestamp was accepted
			b.remote.clear()
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			b.publish()
			b.refuses(trust.ErrRollback)

			must(t, b.repo.RotateKey("targets")) // other keys than those that matter
			b.publish()
			if _, err := b.refresh(); !errors.Is(err, trust.ErrRollback) {
				t.Fatalf("after a rotation of other keys: expected ErrRollback, found %v", err)
			}

			must(t, b.repo.RotateKey(role))
			b.publish()
			b.mustRefresh()
			// The floors hold again from there.
			b.remote.serve(b.repo.Generation() - 1)
			if _, err := b.refresh(); !errors.Is(err, trust.ErrRollback) && !errors.Is(err, trust.ErrSignature) {
				t.Errorf("after the recovery an older generation: expected a rollback, or keys that are revoked, found %v", err)
			}
		})
	}
}

// forgedTimestamp is the newest timestamp, changed and signed by its keys.
func forgedTimestamp(t *testing.T, b *bench, change func(*metadata.TimestampType)) []byte {
	t.Helper()
	doc := timestampOf(t, b.repo.Files(0)["timestamp.json"])
	change(&doc.Signed)
	return signed(t, doc, b.repo.Keys("timestamp"))
}
