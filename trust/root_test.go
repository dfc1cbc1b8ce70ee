package trust_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestGivenRootThatItsOwnKeysDidNotSign(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	doc, err := metadata.Root().FromBytes(b.repo.Root())
	must(t, err)
	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	b.config.Root = signed(t, doc, []*testrepo.Key{stranger})
	b.fails(trust.ErrSignature)
	if _, err := trust.CheckRoot(b.config.Root, trust.Limits{}); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("CheckRoot: expected ErrSignature, found %v", err)
	}
	if left := b.store.Entries(); len(left) != 0 {
		t.Errorf("a refused root left %d entries", len(left))
	}
}

// A new root needs a quorum of the old keys and one of the new: either alone is
// what a thief of the one or the other can make.
func TestRootSignedByOneSideOnly(t *testing.T) {
	t.Parallel()
	for _, side := range []string{"old", "new"} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			keys := b.repo.Keys("root")
			must(t, b.repo.RotateKey("root"))
			if side == "new" {
				keys = b.repo.Keys("root")
			}
			must(t, b.repo.Forge("root", testrepo.Forgery{Keys: keys}))
			must(t, b.repo.PublishRoot())
			err := b.refuses(trust.ErrRootChain)
			missing := map[string]string{"old": "by its own keys", "new": "by the keys of root 1"}[side]
			if !errors.Is(err, trust.ErrSignature) || !strings.Contains(err.Error(), missing) {
				t.Errorf("expected %q to be what is missing, found %v", missing, err)
			}
		})
	}
}

// fork is the newest root with another expiry, signed as well as the original.
func fork(t *testing.T, b *bench, version int64) []byte {
	t.Helper()
	doc, err := metadata.Root().FromBytes(b.repo.RootBytes(version))
	must(t, err)
	doc.Signed.Expires = doc.Signed.Expires.Add(time.Hour)
	return signed(t, doc, b.repo.Keys("root"))
}

func (b *bench) put(key string, value []byte) {
	b.t.Helper()
	must(b.t, b.store.Update(b.t.Context(), func(tx trust.Tx) error { return tx.Put(key, value) }))
}

func TestForkedRootUnderAKnownVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.PublishRoot())
	b.mustRefresh()
	forked, honest := fork(t, b, 2), b.store.Entries()["root/2"]
	sameVersion := func(what string) {
		t.Helper()
		if err := b.refuses(trust.ErrRollback); !strings.Contains(err.Error(), "other content") {
			t.Errorf("%s: expected it to say why, found %v", what, err)
		}
	}
	b.put("root/2", forked) // not what was stored: it comes again from the network
	b.mustRefresh()
	if !bytes.Equal(b.store.Entries()["root/2"], honest) {
		t.Error("the honest root did not come back")
	}
	b.put("root/2", []byte("{}"))
	b.remote.replace("2.root.json", forked)
	sameVersion("from the remote")
	b.remote.clear()
	b.mustRefresh()
	if !bytes.Equal(b.store.Entries()["root/2"], honest) {
		t.Error("the honest root did not come back")
	}
}

// A damaged root below the floor is mended from the network only together with
// the rest of the chain: a fork that ends early leaves nothing.
func TestForkBelowTheFloorLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.PublishRoot())
	forked := fork(t, b, 2)
	must(t, b.repo.PublishRoot())
	b.mustRefresh()
	b.put("root/2", []byte("{}"))
	b.remote.replace("2.root.json", forked)
	b.remote.fail("3.root.json", nil, trust.ErrNoMetadata)
	b.refuses(trust.ErrRollback)
	if got := b.store.Entries()["root/2"]; string(got) != "{}" {
		t.Errorf("the fork was stored: %d bytes", len(got))
	}
	b.remote.clear()
	b.mustRefresh()
	if got := b.store.Entries()["root/2"]; !bytes.Equal(got, b.repo.RootBytes(2)) {
		t.Error("the damaged root was not mended")
	}
}

// That a root comes back which was damaged in the store rotates nothing.
func TestMendedRootLowersNoFloor(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.RotateKey("timestamp"))
	b.publish()
	old := b.repo.Files(0)["timestamp.json"]
	must(t, b.repo.PublishTimestamp())
	b.mustRefresh()
	b.put("root/2", []byte("{}"))
	b.remote.replace("timestamp.json", old)
	b.fails(trust.ErrRollback)
}

func TestRotationOfOneRoleLowersNoOtherFloor(t *testing.T) {
	t.Parallel()
	t.Run("snapshot keys, timestamp floor", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, testrepo.Options{NoMetaHashes: true})
		old := b.repo.Files(0)["timestamp.json"]
		must(t, b.repo.PublishTimestamp())
		b.mustRefresh()
		must(t, b.repo.RotateKey("snapshot"))
		b.publish()
		b.remote.replace("timestamp.json", old)
		var rollback *trust.RollbackError
		if err := b.fails(trust.ErrRollback); !errors.As(err, &rollback) || rollback.Role != "timestamp" {
			t.Errorf("expected a rollback of timestamp, found %v", err)
		}
	})
	t.Run("timestamp keys, snapshot floor", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, testrepo.Options{NoMetaHashes: true})
		must(t, b.repo.AddTarget("b.txt", []byte("beta")))
		b.publish()
		b.mustRefresh()
		must(t, b.repo.RotateKey("timestamp"))
		must(t, b.repo.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
			s.(*metadata.TimestampType).Meta["snapshot.json"].Version = 1
		}}))
		b.publish()
		var rollback *trust.RollbackError
		if err := b.fails(trust.ErrRollback); !errors.As(err, &rollback) || rollback.Role != "snapshot" || rollback.Held != 2 {
			t.Errorf("expected a rollback of snapshot 2, found %v", err)
		}
	})
}

// A key that only gets another id is no rotation: ids are not signed with the
// metadata, so that an old timestamp can be given the new one.
func TestRelabelledKeyLowersNoFloor(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	old := b.repo.Files(0)["timestamp.json"]
	must(t, b.repo.PublishTimestamp())
	b.mustRefresh()
	id, label := b.repo.Keys("timestamp")[0].ID(), strings.Repeat("ab", 32)
	must(t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) {
		root := s.(*metadata.RootType)
		root.Keys[label] = root.Keys[id]
		root.Roles["timestamp"].KeyIDs = []string{label}
	}}))
	must(t, b.repo.PublishRoot())
	b.remote.replace("timestamp.json", bytes.ReplaceAll(old, []byte(id), []byte(label)))
	b.fails(trust.ErrRollback)
}

// With both keys stolen a snapshot is pushed too high as well as the timestamp
// that names it. Rotating both is the way back.
func TestRecoveryFromAFastForwardedSnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{NoMetaHashes: true})
	b.mustRefresh()
	snapshot, err := metadata.Snapshot().FromBytes(b.repo.Files(0)["1.snapshot.json"])
	must(t, err)
	snapshot.Signed.Version = 1 << 60
	b.remote.replace("1152921504606846976.snapshot.json", signed(t, snapshot, b.repo.Keys("snapshot")))
	b.remote.replace("timestamp.json", forgedTimestamp(t, b, func(s *metadata.TimestampType) {
		s.Version, s.Meta["snapshot.json"].Version = 1<<60, 1<<60
	}))
	if got := version(b.mustRefresh(), "snapshot"); got != 1<<60 {
		t.Fatalf("expected the forged snapshot to be accepted, found %d", got)
	}
	b.remote.clear()
	b.publish()
	b.refuses(trust.ErrRollback)
	must(t, b.repo.RotateKey("timestamp"))
	must(t, b.repo.RotateKey("snapshot"))
	b.publish()
	want := version(b.mustRefresh(), "timestamp")
	if got := version(mustOffline(t, b), "timestamp"); got != want {
		t.Errorf("offline: expected timestamp %d as the complete set, found %d", want, got)
	}
}

// What revoked keys have signed is not believed offline either.
func TestOfflineVerifiesWithTheNewestRoot(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.RotateKey(role))
			b.publish()
			b.remote.fail("timestamp.json", nil, errServer)
			if _, err := b.refresh(); !errors.Is(err, errServer) {
				t.Fatal(err)
			}
			if _, err := b.open().Offline(t.Context()); !errors.Is(err, trust.ErrNotHeld) || !errors.Is(err, trust.ErrSignature) {
				t.Errorf("expected ErrNotHeld for want of signatures, found %v", err)
			}
		})
	}
}
