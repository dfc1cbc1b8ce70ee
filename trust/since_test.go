package trust_test

import (
	"errors"
	"testing"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
)

// rotated is a bench whose roots are: 1 the given one, 2 without new keys, 3 with
// new ones for timestamp, 4 for snapshot, 5 without.
func rotated(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.PublishRoot())
	must(t, b.repo.RotateKey("timestamp"))
	b.publish()
	must(t, b.repo.RotateKey("snapshot"))
	b.publish()
	must(t, b.repo.PublishRoot())
	return b
}

func TestRootsSinceTellsDigestAndNewKeys(t *testing.T) {
	t.Parallel()
	b := rotated(t)
	online := b.mustRefresh()
	b.remote.requests()
	type news struct{ timestamp, snapshot bool }
	for version, want := range map[int64]news{1: {true, true}, 2: {true, true}, 3: {false, true}, 4: {}, 5: {}} {
		for _, view := range []*trust.View{online, mustOffline(t, b)} {
			since, err := view.RootsSince(t.Context(), version)
			must(t, err)
			if digest := artifact.DigestOf(artifact.SHA256, b.repo.RootBytes(version)); since.Digest != digest {
				t.Errorf("root %d: expected %v, found %v", version, digest, since.Digest)
			}
			if found := (news{since.NewTimestampKeys, since.NewSnapshotKeys}); found != want {
				t.Errorf("root %d: expected new keys %+v, found %+v", version, want, found)
			}
		}
	}
	if asked := b.remote.requests(); len(asked) > 0 {
		t.Errorf("it asked for %v", asked)
	}
}

// What the chain does not have says nothing: no floor lapses by it.
func TestRootsSinceARootThatIsNotInTheChain(t *testing.T) {
	t.Parallel()
	b := rotated(t)
	b.config.Root = b.repo.RootBytes(2)
	view := b.mustRefresh()
	for _, version := range []int64{-1, 0, 1, 6, 1<<63 - 1} {
		since, err := view.RootsSince(t.Context(), version)
		must(t, err)
		if since != (trust.RootsSince{}) {
			t.Errorf("root %d: expected nothing, found %+v", version, since)
		}
	}
	// A root that another process accepted since is none of the view's.
	must(t, b.repo.RotateKey("timestamp"))
	b.publish()
	b.mustRefresh()
	since, err := view.RootsSince(t.Context(), 5)
	must(t, err)
	if since.Digest.IsZero() || since.NewTimestampKeys {
		t.Errorf("expected the view's own last root and no new keys, found %+v", since)
	}
}

func TestRootsSinceWithADamagedChain(t *testing.T) {
	t.Parallel()
	b := rotated(t)
	view := b.mustRefresh()
	b.put("root/3", []byte("{}"))
	for _, version := range []int64{1, 3, 5} {
		if since, err := view.RootsSince(t.Context(), version); !errors.Is(err, trust.ErrNotHeld) || since != (trust.RootsSince{}) {
			t.Errorf("root %d: expected ErrNotHeld, found %+v, %v", version, since, err)
		}
	}
	b.mustRefresh()
	if since, err := view.RootsSince(t.Context(), 3); err != nil || since.Digest.IsZero() {
		t.Errorf("mended: expected root 3, found %+v, %v", since, err)
	}
}

// Without the root that trust began with nothing is known of any.
func TestRootsSinceWithoutTheGivenRoot(t *testing.T) {
	t.Parallel()
	b := rotated(t)
	view := b.mustRefresh()
	b.put("root/1", []byte("{}"))
	if since, err := view.RootsSince(t.Context(), 3); !errors.Is(err, trust.ErrState) || since != (trust.RootsSince{}) {
		t.Errorf("expected ErrState, found %+v, %v", since, err)
	}
}
