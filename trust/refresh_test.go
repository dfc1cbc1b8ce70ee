package trust_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestRefreshReachesTheNewestAndAsksLittle(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%v", plain), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{PlainSnapshots: plain})
			view := b.mustRefresh()
			if got := len(view.Changes()); got != 4 {
				t.Errorf("first refresh: expected 4 changed roles, found %d", got)
			}
			target, err := view.Target(t.Context(), "a.txt")
			must(t, err)
			must(t, target.Check([]byte("alpha")))
			b.remote.requests()

			view = b.mustRefresh()
			if got := b.remote.requests(); !slices.Equal(got, []string{"2.root.json", "timestamp.json"}) {
				t.Errorf("warm refresh with nothing new: expected two requests, found %v", got)
			}
			if len(view.Changes()) != 0 {
				t.Errorf("expected no changes, found %v", view.Changes())
			}

			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			view = b.mustRefresh()
			if _, err := view.Target(t.Context(), "b.txt"); err != nil {
				t.Error(err)
			}
			if _, err := view.Target(t.Context(), "c.txt"); !errors.Is(err, trust.ErrNoTarget) {
				t.Errorf("expected ErrNoTarget, found %v", err)
			}
		})
	}
}

func TestEverySchemeAndThreshold(t *testing.T) {
	t.Parallel()
	for _, scheme := range []testrepo.Scheme{testrepo.Ed25519, testrepo.ECDSA, testrepo.RSA} {
		t.Run(string(scheme), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{Scheme: scheme, Quorum: map[string]testrepo.Quorum{"timestamp": {Keys: 3, Threshold: 2}}})
			b.mustRefresh()
			must(t, b.repo.Forge("timestamp", testrepo.Forgery{Keys: b.repo.Keys("timestamp")[:1]}))
			must(t, b.repo.PublishTimestamp())
			b.refuses(trust.ErrSignature)
		})
	}
}

func mustOffline(t *testing.T, b *bench) *trust.View {
	t.Helper()
	view, err := b.open().Offline(t.Context())
	must(t, err)
	return view
}

var errServer = errors.New("500")

func TestExpiryOfEachRole(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{
				"root": 240 * time.Hour, "targets": 240 * time.Hour, "snapshot": 240 * time.Hour, "timestamp": 240 * time.Hour,
			}})
			b.mustRefresh()
			must(t, b.repo.SetExpiry(role, time.Hour))
			b.publish()
			b.now = b.now.Add(time.Hour - time.Second)
			b.mustRefresh()
			b.now = b.now.Add(time.Second)
			err := b.refuses(trust.ErrExpired)
			var expired *trust.ExpiredError
			if !errors.As(err, &expired) || expired.Role != role || !expired.Expires.Equal(start.Add(time.Hour)) {
				t.Errorf("expected %s expired at %s, found %v", role, start.Add(time.Hour), err)
			}
			// Offline, too, nothing resolves, but what is named exactly does.
			view := mustOffline(t, b)
			if _, err := view.Target(t.Context(), "a.txt"); !errors.Is(err, trust.ErrExpired) {
				t.Errorf("offline: expected ErrExpired, found %v", err)
			}
			target, err := view.HeldTarget(t.Context(), "a.txt")
			must(t, err)
			if !errors.Is(target.Stale(), trust.ErrExpired) {
				t.Errorf("expected a stale target, found %v", target.Stale())
			}
		})
	}
}

func TestExpiredTimestampIsNotStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.SetExpiry("timestamp", -time.Hour))
	b.publish()
	b.refuses(trust.ErrExpired)
	must(t, b.repo.SetExpiry("timestamp", time.Hour))
	b.publish()
	b.mustRefresh()
}

func TestClockThatWentBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": 48 * time.Hour}})
	b.now = start.Add(24 * time.Hour)
	b.publish()
	b.mustRefresh()

	b.now = start.Add(23*time.Hour + time.Minute)
	b.mustRefresh() // less than an hour: judged at the later time
	b.now = start.Add(22 * time.Hour)
	err := b.refuses(trust.ErrClock)
	var clock *trust.ClockError
	if !errors.As(err, &clock) || !clock.Latest.Equal(start.Add(24*time.Hour)) {
		t.Errorf("expected the latest time seen, found %v", err)
	}
	if view := mustOffline(t, b); !errors.Is(view.Stale(), trust.ErrClock) {
		t.Errorf("offline: expected ErrClock, found %v", view.Stale())
	}
	latest, err := b.open().ResetClock(t.Context())
	must(t, err)
	if !latest.Equal(start.Add(24 * time.Hour)) {
		t.Errorf("reset: expected what was forgotten, found %s", latest)
	}
	b.mustRefresh()
}

// A clock that ran ahead once must not lock the client out for longer than the
// metadata of that time lasts.
func TestLatestTimeNeverBeyondTheTimestampsExpiry(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": time.Hour}})
	b.mustRefresh()
	b.now = start.Add(365 * 24 * time.Hour)
	b.refuses(trust.ErrExpired)
	b.now = start.Add(time.Minute)
	b.mustRefresh()
}

func TestInterruptedRefreshIsPickedUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	b.remote.fail("2.targets.json", nil, errServer)
	b.refuses(errServer)
	if _, err := mustOffline(t, b).Target(t.Context(), "a.txt"); err != nil {
		t.Errorf("the set before must still resolve: %v", err)
	}
	b.remote.clear()
	b.mustRefresh()
	if asked := b.remote.requests(); !slices.Equal(asked, []string{"2.root.json", "timestamp.json", "2.targets.json"}) {
		t.Errorf("expected only what was missing to be asked for, found %v", asked)
	}
}

func TestDamagedEntriesHealAndDamagedFloorsDoNot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	for key, value := range b.store.Entries() {
		for _, damage := range [][]byte{value[:len(value)/2], flipped(value), {}} {
			must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Put(key, damage) }))
			_, err := b.refresh()
			healed := err == nil
			floor := strings.HasPrefix(key, "floor/") || key == "clock" || key == "given" || key == "root/1"
			if healed == floor || floor && !errors.Is(err, trust.ErrState) {
				t.Errorf("damaged %s: expected healing %v, found %v", key, !floor, err)
			}
			must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Put(key, value) }))
		}
	}
}

func flipped(value []byte) []byte {
	out := bytes.Clone(value)
	out[len(out)/2] ^= 1
	return out
}

func TestGraceOnlyWhileNoSourceAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": time.Hour}})
	b.mustRefresh()
	b.now = start.Add(3 * time.Hour)
	b.refuses(trust.ErrExpired)

	b.config.Grace = 4 * time.Hour
	b.refuses(trust.ErrExpired) // a source answers
	silence := fmt.Errorf("dial: %w", trust.ErrNoAnswer)
	b.remote.fail("2.root.json", nil, silence)
	view := b.mustRefresh()
	if view.Freshness() != trust.Grace {
		t.Errorf("expected grace, found %s", view.Freshness())
	}
	if _, err := view.Target(t.Context(), "a.txt"); err != nil {
		t.Error(err)
	}
	shown := false
	for _, check := range view.Evidence().Checks {
		shown = shown || check.ID == trust.CheckFreshness && check.Result == trust.NotChecked && strings.Contains(check.Why, "grace")
	}
	if !shown {
		t.Errorf("expected the evidence to show the grace, found %+v", view.Evidence().Checks)
	}
	b.now = start.Add(5*time.Hour + time.Minute)
	b.refuses(trust.ErrExpired) // beyond the grace
	b.now = start.Add(3 * time.Hour)
	b.remote.fail("2.root.json", nil, errServer)
	b.refuses(errServer) // an answer, if a bad one
	b.config.Grace = 8 * 24 * time.Hour
	if _, err := trust.Open(b.config); err == nil || !strings.Contains(err.Error(), "grace: expected at most 168h0m0s, found 192h0m0s") {
		t.Errorf("a grace of more than 7 days: found %v", err)
	}
}

func TestAnotherRootUnderTheSameName(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.config.Root = newBench(t, testrepo.Options{}).repo.Root()
	if _, err := b.refresh(); !errors.Is(err, trust.ErrRootConflict) {
		t.Errorf("expected ErrRootConflict, found %v", err)
	}
}
