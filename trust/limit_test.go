package trust_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

// The default limit of rotations, from both sides. What was accepted up to the
// limit stays, so that the next refresh goes on from there.
func TestRotationsUpToTheDefaultLimit(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("takes long with the race detector, and runs nothing at once")
	}
	b := newBench(t, testrepo.Options{Quorum: map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}}})
	b.mustRefresh()
	for range 256 {
		must(t, b.repo.PublishRoot())
	}
	fresh := b.with(&trust.MemStore{})
	view, err := fresh.Refresh(t.Context())
	must(t, err)
	if got := version(view, "root"); got != 257 {
		t.Errorf("256 rotations: expected root 257, found %d", got)
	}
	must(t, b.repo.PublishRoot())
	b.remote.requests()
	if err := b.refuses(trust.ErrRootChain); !errors.Is(err, trust.ErrRotations) || !strings.Contains(err.Error(), "at most 256 in one refresh, found one more behind root 257") {
		t.Errorf("257 rotations: expected the limit to be named, found %v", err)
	}
	for _, name := range b.remote.requests() {
		if name == "timestamp.json" {
			t.Error("the timestamp was asked for under a root that is not the newest")
		}
	}
	if got := version(mustOffline(t, b), "root"); got != 257 {
		t.Errorf("the accepted 256 must stay: expected root 257, found %d", got)
	}
	if got := version(b.mustRefresh(), "root"); got != 258 {
		t.Errorf("the next refresh: expected root 258, found %d", got)
	}
}

// A clock that went back is judged by how far: up to an hour the latest time
// seen stands in for it, beyond that nothing is asked or stored.
func TestClockThatWentBackByHowMuch(t *testing.T) {
	t.Parallel()
	const hour, year = time.Hour, 365 * 24 * time.Hour
	for name, test := range map[string]struct {
		back    time.Duration
		refused bool
	}{
		"a second": {time.Second, false}, "an hour": {hour, false}, "an hour and a second": {hour + time.Second, true},
		"a day": {24 * hour, true}, "a year": {year, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			b.now = start.Add(-test.back)
			if !test.refused {
				promisedBy(t, b.mustRefresh(), "b.txt", "targets")
				return
			}
			b.remote.requests()
			before := b.store.Entries()
			var clock *trust.ClockError
			if err := b.refuses(trust.ErrClock); !errors.As(err, &clock) || !clock.Now.Equal(b.now) || !clock.Latest.Equal(start) || clock.Repository != "acme" {
				t.Errorf("expected %s against %s, found %v", b.now, start, err)
			}
			if diff := differ(before, b.store.Entries()); len(diff) > 0 {
				t.Errorf("a refused refresh stored %q", diff)
			}
			if asked := b.remote.requests(); len(asked) > 0 {
				t.Errorf("a refused refresh asked for %q", asked)
			}
			view := mustOffline(t, b)
			if _, err := view.Target(t.Context(), "a.txt"); !errors.Is(err, trust.ErrClock) {
				t.Errorf("offline: expected ErrClock, found %v", err)
			}
			b.now = start // put right
			promisedBy(t, b.mustRefresh(), "b.txt", "targets")
		})
	}
}

// 32 roles that all delegate to each other are 1024 delegations with those of
// targets: as many as the default limit lets one look-up follow. One more is too
// many, and is another error than "no such target".
func TestDelegationsUpToTheDefaultLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	if raceDetector {
		b.config.Store = b.store // without the police, which takes long
	}
	name := func(i int) string { return fmt.Sprintf("role-%02d", i) }
	for i := range 32 {
		b.delegate("targets", testrepo.DelegatedRole{Name: name(i), Paths: []string{"*/*"}})
	}
	for i := range 32 {
		for j := range 32 {
			if i != j {
				b.delegate(name(i), testrepo.DelegatedRole{Name: name(j), Paths: []string{"*/*"}})
			}
		}
	}
	b.add("deep/down", name(31))
	b.publish()
	view := b.mustRefresh()
	promisedBy(t, view, "deep/down", name(31))
	if _, err := view.Target(t.Context(), "no/such"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("1024 delegations: expected ErrNoTarget, found %v", err)
	}
	b.delegate(name(0), testrepo.DelegatedRole{Name: name(0), Paths: []string{"*/*"}})
	b.publish()
	view = b.mustRefresh()
	if _, err := view.Target(t.Context(), "no/such"); !errors.Is(err, trust.ErrSearchLimit) || errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("1025 delegations: expected ErrSearchLimit, found %v", err)
	}
	promisedBy(t, view, "a.txt", "targets") // what is found before stays found
}

// Thirty-three roles deep, where go-tuf's updater gives up at 32 without saying so.
func TestThirtyThreeRolesDeep(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	parent := "targets"
	for i := range 33 {
		name := fmt.Sprintf("level-%d", i)
		b.delegate(parent, testrepo.DelegatedRole{Name: name, Paths: []string{"*/*"}})
		parent = name
	}
	b.add("deep/down", parent)
	b.publish()
	promisedBy(t, b.mustRefresh(), "deep/down", parent)
	promisedBy(t, mustOffline(t, b), "deep/down", parent)
}
