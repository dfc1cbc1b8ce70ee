package trust_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

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

// A key of a quarter of a million bits would hold every look-up for seconds, and
// counts for nothing; the others of its role go on counting.
func TestKeyOfEnormousLength(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/x", "team")
	huge := metadata.Key{Type: "rsa", Scheme: "rsassa-pss-sha256"}
	huge.Value.PublicKey = pemOf(t, 1<<18)
	long := metadata.Key{Type: "rsa", Scheme: "rsassa-pss-sha256"}
	long.Value.PublicKey = pemOf(t, 8193)
	for _, alone := range []bool{false, true} {
		must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
			d := s.(*metadata.TargetsType).Delegations
			d.Keys["huge"], d.Keys["long"] = &huge, &long
			if alone {
				d.Roles[0].KeyIDs = nil
			}
			d.Roles[0].KeyIDs = append([]string{"huge", "long"}, d.Roles[0].KeyIDs...)
		}}))
		must(t, b.repo.Forge("team", testrepo.Forgery{Bytes: func(data []byte) []byte {
			return bytes.Replace(data, []byte(`"signatures": [`), []byte(`"signatures": [{"keyid":"huge","sig":"01"},{"keyid":"long","sig":"01"},`), 1)
		}}))
		b.publish()
		_, err := b.mustRefresh().Target(t.Context(), "team/x")
		if alone != errors.Is(err, trust.ErrSignature) || !alone && err != nil {
			t.Errorf("alone %v: expected the others to decide, found %v", alone, err)
		}
	}
}

// pemOf is an RSA key with a modulus of so many bits that nobody has the other
// half of.
func pemOf(t *testing.T, bits int) string {
	t.Helper()
	n := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), uint(bits-1)), big.NewInt(1))
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// A process that still knows a role which is stored no more, and has expired,
// finds what is held and named exactly all the same.
func TestKnownRoleThatExpiredAndIsStoredNoMore(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/x", "team")
	b.publish()
	r := b.open()
	view, err := r.Refresh(t.Context())
	must(t, err)
	_, err = view.Target(t.Context(), "team/x")
	must(t, err)
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete("role/team") }))
	b.now = b.now.Add(200 * 24 * time.Hour)
	offline, err := r.Offline(t.Context())
	must(t, err)
	if target, err := offline.HeldTarget(t.Context(), "team/x"); err != nil || !errors.Is(target.Stale(), trust.ErrExpired) {
		t.Errorf("expected a stale target, found %v, %v", target.Stale(), err)
	}
}

func TestListingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	view := b.mustRefresh()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	gone := errors.New("gone")
	count := 0
	for _, err := range view.Targets(ctx) {
		if count++; count == 1 {
			must(t, err)
			cancel(gone)
		} else if !errors.Is(err, gone) {
			t.Errorf("expected the cause of the end, found %v", err)
		}
	}
	if count != 2 {
		t.Errorf("expected one target and one error, found %d", count)
	}
}
