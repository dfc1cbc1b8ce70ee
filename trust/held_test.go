package trust_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

// A role that was expired when it came is not stored: nobody accepted it in
// time, so that neither grace nor an exact name covers it later.
func TestRoleThatCameExpiredIsCoveredByNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	must(t, b.repo.SetExpiry("team", -time.Second))
	b.publish()
	if _, err := b.mustRefresh().Target(t.Context(), "team/a"); !errors.Is(err, trust.ErrExpired) {
		t.Fatalf("expected ErrExpired, found %v", err)
	}
	b.config.Grace = time.Hour
	b.remote.fail("2.root.json", nil, trust.ErrNoAnswer)
	if _, err := b.mustRefresh().Target(t.Context(), "team/a"); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("by grace: expected ErrNotHeld, found %v", err)
	}
	if _, err := mustOffline(t, b).HeldTarget(t.Context(), "team/a"); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("offline: expected ErrNotHeld, found %v", err)
	}
}

// A delegated role that expires after it was accepted: refused online, covered
// by grace while that lasts, and offline good for exact names alone.
func TestRoleThatExpiresWhileHeld(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	must(t, b.repo.SetExpiry("team", 20*time.Minute))
	b.publish()
	promisedBy(t, b.mustRefresh(), "team/a", "team")
	b.now = start.Add(time.Hour)
	expired := func(what string, _ trust.Target, err error) {
		t.Helper()
		var e *trust.ExpiredError
		if !errors.As(err, &e) || e.Role != "team" {
			t.Errorf("%s: expected team to have expired, found %v", what, err)
		}
	}
	target, err := b.mustRefresh().HeldTarget(t.Context(), "team/a")
	expired("online", target, err)
	view := mustOffline(t, b)
	target, err = view.Target(t.Context(), "team/a")
	expired("offline", target, err)
	target, err = view.HeldTarget(t.Context(), "team/a")
	must(t, err)
	expired("offline by its exact name", target, target.Stale())
	// A clock that went back a little does not bring it back.
	b.now = start.Add(10 * time.Minute)
	target, err = b.mustRefresh().Target(t.Context(), "team/a")
	expired("clock behind", target, err)

	b.remote.fail("2.root.json", nil, trust.ErrNoAnswer)
	b.now = start.Add(time.Hour)
	b.config.Grace = 30 * time.Minute
	target, err = b.mustRefresh().HeldTarget(t.Context(), "team/a")
	expired("beyond the grace", target, err)
	b.config.Grace = time.Hour
	promisedBy(t, b.mustRefresh(), "team/a", "team")
}

func TestExpiredViewResolvesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.now = start.Add(1000 * time.Hour)
	view := mustOffline(t, b)
	if _, err := view.TopLevelTarget("a.txt"); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("TopLevelTarget: expected ErrExpired, found %v", err)
	}
	target, err := view.HeldTopLevelTarget("a.txt")
	must(t, err)
	if !errors.Is(target.Stale(), trust.ErrExpired) {
		t.Errorf("HeldTopLevelTarget: expected a stale target, found %v", target.Stale())
	}
	for target, err := range view.Targets(t.Context()) {
		if !errors.Is(err, trust.ErrExpired) {
			t.Errorf("Targets: expected ErrExpired, found %s, %v", target.Path(), err)
		}
	}
}

func TestOfflineKnowsOnlyWhatIsHeld(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "seen", Paths: []string{"seen/*"}},
		testrepo.DelegatedRole{Name: "unseen", Paths: []string{"unseen/*"}},
	)
	b.add("seen/f", "seen")
	b.add("unseen/f", "unseen")
	b.publish()
	if _, err := b.open().Offline(t.Context()); !errors.Is(err, trust.ErrNotHeld) || !strings.Contains(err.Error(), "no complete set") {
		t.Fatalf("before any refresh: expected ErrNotHeld, found %v", err)
	}
	promisedBy(t, b.mustRefresh(), "seen/f", "seen")
	b.remote.requests()
	view := mustOffline(t, b)
	promisedBy(t, view, "seen/f", "seen")
	if _, err := view.Target(t.Context(), "unseen/f"); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("expected ErrNotHeld, found %v", err)
	}
	if asked := b.remote.requests(); len(asked) != 0 {
		t.Errorf("offline asked for %v", asked)
	}
}
