package trust_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestRolesTellSignersAndSince(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.now = b.now.Add(time.Hour)
	must(t, b.repo.Renew("timestamp"))
	b.publish()
	want := map[string]time.Time{"root": start, "timestamp": b.now, "snapshot": b.now, "targets": start}
	for _, view := range []*trust.View{b.mustRefresh(), b.mustRefresh(), mustOffline(t, b)} {
		for _, role := range view.Roles() {
			if !role.Accepted.Equal(want[role.Role]) {
				t.Errorf("%s: %s %d: expected it since %v, found %v", view.Freshness(), role.Role, role.Version, want[role.Role], role.Accepted)
			}
			if len(role.Signers) < role.Threshold || !role.Held {
				t.Errorf("%s: expected the %d signers of a held role, found %v, %v", role.Role, role.Threshold, role.Signers, role.Held)
			}
			for _, id := range role.Signers {
				if !slices.ContainsFunc(b.repo.Keys(role.Role), func(k *testrepo.Key) bool { return k.ID() == id }) {
					t.Errorf("%s: %s is none of its keys", role.Role, id)
				}
			}
		}
	}
}

func TestDelegatedRolesAreListedWithoutAsking(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.delegate("team", testrepo.DelegatedRole{Name: "below", Paths: []string{"team/*"}})
	b.publish()
	view := b.mustRefresh()
	b.remote.requests()
	list := func(view *trust.View) (names []string, held []bool) {
		t.Helper()
		for role, err := range view.DelegatedRoles(t.Context()) {
			must(t, err)
			names, held = append(names, role.Role), append(held, role.Held)
			if role.Version != 1 || role.Held != (len(role.Signers) == 1) || role.Held != role.Accepted.Equal(start) {
				t.Errorf("%s: expected version 1, and who signed it since when if it is held, found %+v", role.Role, role)
			}
		}
		return names, held
	}
	// Nothing was needed yet: what is below is known by the snapshot alone.
	if names, held := list(view); !slices.Equal(names, []string{"team", "below"}) || held[0] || held[1] {
		t.Errorf("expected both, not held, found %v, %v", names, held)
	}
	if _, err := view.Target(t.Context(), "team/none"); !errors.Is(err, trust.ErrNoTarget) {
		t.Fatalf("expected ErrNoTarget, found %v", err)
	}
	b.remote.requests()
	for _, view := range []*trust.View{view, mustOffline(t, b)} {
		if names, held := list(view); !slices.Equal(names, []string{"team", "below"}) || !held[0] || !held[1] {
			t.Errorf("expected both, held, found %v, %v", names, held)
		}
	}
	if asked := b.remote.requests(); len(asked) > 0 {
		t.Errorf("it asked for %v", asked)
	}
}

func TestChangesOfDelegatedRoles(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.publish()
	if changes := b.mustRefresh().Changes(); len(changes) != 4 {
		t.Errorf("at first: expected the top-level roles alone, found %v", changes)
	}
	b.delegate("targets", testrepo.DelegatedRole{Name: "another", Paths: []string{"another/*"}})
	b.add("team/x", "team")
	b.publish()
	changes := b.mustRefresh().Changes()
	want := []trust.Change{{Role: "another", From: 0, To: 1}, {Role: "team", From: 1, To: 2}}
	if len(changes) != 5 || !slices.Equal(changes[3:], want) {
		t.Errorf("expected timestamp, snapshot, targets, %v, found %v", want, changes)
	}
	if changes := b.mustRefresh().Changes(); len(changes) > 0 {
		t.Errorf("nothing new: found %v", changes)
	}
}

func TestGivenRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	if _, _, err := b.open().GivenRoot(t.Context()); !errors.Is(err, trust.ErrNoRoot) {
		t.Errorf("before anything: expected ErrNoRoot, found %v", err)
	}
	b.mustRefresh()
	must(t, b.repo.RotateRoot())
	b.mustRefresh()
	version, sum, err := b.open().GivenRoot(t.Context())
	if err != nil || version != 1 || sum.Hex() != b.repo.RootSHA256() {
		t.Errorf("expected root 1, %s, found %d, %s, %v", b.repo.RootSHA256(), version, sum, err)
	}
}

func TestLimitsHaveBounds(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	for name, set := range map[string]func(*trust.Limits){
		"root":           func(l *trust.Limits) { l.Root = trust.MaxLimits().Root + 1 },
		"timestamp":      func(l *trust.Limits) { l.Timestamp = -1 },
		"snapshot":       func(l *trust.Limits) { l.Snapshot = trust.MaxLimits().Snapshot + 1 },
		"targets":        func(l *trust.Limits) { l.Targets = trust.MaxLimits().Targets + 1 },
		"root rotations": func(l *trust.Limits) { l.RootRotations = trust.MaxLimits().RootRotations + 1 },
		"roles":          func(l *trust.Limits) { l.Roles = trust.MaxLimits().Roles + 1 },
		"listing":        func(l *trust.Limits) { l.Listing = -1 },
		"depth":          func(l *trust.Limits) { l.Depth = trust.MaxLimits().Depth + 1 },
	} {
		config := b.config
		set(&config.Limits)
		if _, err := trust.Open(config); !errors.Is(err, trust.ErrLimits) {
			t.Errorf("%s: expected ErrLimits, found %v", name, err)
		}
	}
	b.config.Limits = trust.MaxLimits()
	b.mustRefresh()
}

// A rotation makes floors fall, but what was held is still known: what has not
// changed is not told of as new.
func TestChangesAfterARotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.publish()
	b.mustRefresh()
	must(t, b.repo.RotateKey("snapshot"))
	b.add("team/x", "team")
	b.publish()
	want := []trust.Change{
		{Role: "root", From: 1, To: 2}, {Role: "timestamp", From: 2, To: 3},
		{Role: "snapshot", From: 2, To: 3}, {Role: "team", From: 1, To: 2},
	}
	if changes := b.mustRefresh().Changes(); !slices.Equal(changes, want) {
		t.Errorf("expected %v, found %v", want, changes)
	}
}

func TestDelegatedRolesBeyondTheLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.DelegateBins("targets", testrepo.Bins{Prefix: "bin", BitLength: 3}))
	b.publish()
	for limit, want := range map[int]error{7: trust.ErrSearchLimit, 8: nil} {
		b.config.Limits.Listing = limit
		count, last := 0, error(nil)
		for _, err := range b.mustRefresh().DelegatedRoles(t.Context()) {
			if last = err; err == nil {
				count++
			}
		}
		if !errors.Is(last, want) || count != limit {
			t.Errorf("limit %d: expected %v behind %d roles, found %v behind %d", limit, want, limit, last, count)
		}
	}
}
