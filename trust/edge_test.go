package trust_test

import (
	"errors"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// A delegator without keys lists key ids that spell out, word for word, what
// another delegator's keyring consists of. Its edge is not proven by the other's,
// whichever was looked at first.
func TestKeyringThatSpellsAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "honest", Paths: []string{"x/*"}},
		testrepo.DelegatedRole{Name: "forger", Paths: []string{"x/*"}},
	)
	b.delegate("forger", testrepo.DelegatedRole{Name: "leaf", Paths: []string{"x/*"}})
	b.delegate("honest", testrepo.DelegatedRole{Name: "leaf", Paths: []string{"x/*"}})
	key := b.repo.Keys("leaf")[0]
	must(t, b.repo.Forge("forger", testrepo.Forgery{Signed: func(s any) {
		d := s.(*metadata.TargetsType).Delegations
		d.Keys = map[string]*metadata.Key{}
		d.Roles[0].KeyIDs = []string{key.ID(), key.Public().Type, key.Public().Scheme, key.Public().Value.PublicKey}
	}}))
	b.publish()
	if _, err := b.mustRefresh().Target(t.Context(), "x/y"); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("expected ErrSignature, found %v", err)
	}
}

// A rotation of the snapshot's keys forgets what was stored of delegated roles. A
// process that still has them in memory stores them again.
func TestKnownRoleIsStoredAgainBehindARotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/x", "team")
	b.publish()
	r := b.open()
	for range 3 {
		view, err := r.Refresh(t.Context())
		must(t, err)
		_, err = view.Target(t.Context(), "team/x")
		must(t, err)
		if _, err := mustOffline(t, b).HeldTarget(t.Context(), "team/x"); err != nil {
			t.Fatalf("another process: expected it to be held, found %v", err)
		}
		must(t, b.repo.RotateKey("snapshot"))
		b.publish()
	}
}
