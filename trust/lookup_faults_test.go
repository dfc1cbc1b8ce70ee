package trust_test

import (
	"errors"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// A role that comes from the network too late is not stored: offline, what is
// held was accepted in time.
func TestExpiredRoleIsNotStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	must(t, b.repo.SetExpiry("team", -time.Second))
	b.publish()
	view := b.mustRefresh()
	for range 2 {
		if _, err := view.Target(t.Context(), "team/a"); !errors.Is(err, trust.ErrExpired) {
			t.Errorf("expected ErrExpired, found %v", err)
		}
	}
	if b.store.Entries()[prefixRole+"team"] != nil {
		t.Error("it was stored")
	}
	if _, err := mustOffline(t, b).HeldTarget(t.Context(), "team/a"); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("offline: expected ErrNotHeld, found %v", err)
	}
}

// A look-up that fetches nothing writes nothing.
func TestLookUpThatNeedsNoWrite(t *testing.T) {
	t.Parallel()
	b := branching(t)
	promisedBy(t, b.mustRefresh(), "team/a", "team")
	counter := &faulty{Store: b.config.Store, at: -1}
	for _, refresh := range []func() (*trust.View, error){
		func() (*trust.View, error) { return b.with(counter).Refresh(t.Context()) },
		func() (*trust.View, error) { return b.with(counter).Offline(t.Context()) },
	} {
		view, err := refresh()
		must(t, err)
		counter.count = 0
		promisedBy(t, view, "a.txt", "targets")
		promisedBy(t, view, "team/a", "team")
		if counter.count != 0 {
			t.Errorf("expected no transaction that writes, found %d", counter.count)
		}
	}
}

// Once all has expired, what is not listed is still not found, by whichever way
// it is asked for, and what is found says that it is stale.
func TestLookUpInAnExpiredView(t *testing.T) {
	t.Parallel()
	b := branching(t)
	promisedBy(t, b.mustRefresh(), "team/a", "team")
	b.now = b.now.Add(30 * 24 * time.Hour)
	view := mustOffline(t, b)
	ways := map[string]func(string) (trust.Target, error){
		"top-level":      view.TopLevelTarget,
		"held top-level": view.HeldTopLevelTarget,
		"any":            func(path string) (trust.Target, error) { return view.Target(t.Context(), path) },
		"held":           func(path string) (trust.Target, error) { return view.HeldTarget(t.Context(), path) },
	}
	for name, held := range map[string]bool{"top-level": false, "any": false, "held top-level": true, "held": true} {
		target, err := ways[name]("a.txt")
		if held && (err != nil || !errors.Is(target.Stale(), trust.ErrExpired)) || !held && !errors.Is(err, trust.ErrExpired) || held == target.IsZero() {
			t.Errorf("%s: expected ErrExpired, as what it says or of what it finds, found %v, %v", name, err, target.Stale())
		}
		want := trust.ErrExpired
		if held {
			want = trust.ErrNoTarget
		}
		if target, err := ways[name]("none.txt"); !errors.Is(err, want) || !target.IsZero() {
			t.Errorf("%s, not listed: expected %v, found %v", name, want, err)
		}
	}
}

// What the top-level role lists under a path that means two things is not found
// in it either.
func TestTopLevelPathsThatMeanTwoThings(t *testing.T) {
	t.Parallel()
	paths := []string{"hello//release.json", "/a.txt", "../a.txt", "a\nb", ""}
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
		targets := s.(*metadata.TargetsType).Targets
		for _, path := range paths {
			targets[path] = targets["a.txt"]
		}
	}}))
	b.publish()
	view := b.mustRefresh()
	for _, path := range paths {
		for _, find := range []func(string) (trust.Target, error){view.TopLevelTarget, view.HeldTopLevelTarget} {
			if target, err := find(path); !errors.Is(err, trust.ErrNoTarget) || !target.IsZero() {
				t.Errorf("%q: expected ErrNoTarget, found %v", path, err)
			}
		}
	}
}

// The length is promised beside the digest, and has to hold beside it.
func TestTargetOfAnotherLength(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TargetsType).Targets["a.txt"].Length++
	}}))
	b.publish()
	target, err := b.mustRefresh().Target(t.Context(), "a.txt")
	must(t, err)
	var mismatch *trust.MismatchError
	if err := target.Check([]byte("alpha")); !errors.As(err, &mismatch) || mismatch.Expected != "6 bytes" || mismatch.Found != "5" {
		t.Errorf("expected 6 bytes against 5, found %v", err)
	}
}

// A manifest under a path without a version, and one that lists what no role
// promises.
func TestManifestsOfNoRelease(t *testing.T) {
	t.Parallel()
	b := sampleBench(t)
	data, _ := b.repo.Target(manifestPath)
	must(t, b.repo.AddTarget("hello/latest/release.json", data))
	must(t, b.repo.EditDocument(manifestPath, func(doc map[string]any) {
		doc["artifacts"].([]any)[0].(map[string]any)["target"] = "hello/1.5.0/none.tar.gz"
	}))
	must(t, b.repo.Publish())
	view := b.mustRefresh()
	latest, data := b.document(view, "hello/latest/release.json")
	if _, err := view.Release(latest, data); !errors.Is(err, trust.ErrManifest) {
		t.Errorf("no version: expected ErrManifest, found %v", err)
	}
	if target, err := view.Artifact(t.Context(), latest, data, 0); !errors.Is(err, trust.ErrManifest) || !target.IsZero() {
		t.Errorf("an artifact of no version: expected ErrManifest, found %v", err)
	}
	manifest, data := b.document(view, manifestPath)
	if target, err := view.Artifact(t.Context(), manifest, data, 0); !errors.Is(err, trust.ErrNoTarget) || errors.Is(err, trust.ErrManifest) || !target.IsZero() {
		t.Errorf("an artifact that no role promises: expected ErrNoTarget, found %v", err)
	}
}
