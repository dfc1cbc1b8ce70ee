package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/internal/config"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// The exit code is that of the gravest state, whatever else has failed: a
// profile that can't be read must not hide a release that was revoked.
func TestHeldExitIsTheGravest(t *testing.T) {
	standing := func(state fetch.State, err error) fetch.Standing {
		return fetch.Standing{State: state, Err: err, Receipt: &proof.Receipt{Repository: "acme"}}
	}
	unknown := standing(fetch.Unknown, fmt.Errorf("profile: %w", config.ErrConfig))
	weakened := standing(fetch.Weakened, policy.ErrWeaker)
	revoked := standing(fetch.Revoked, fetch.ErrRevoked)
	for name, test := range map[string]struct {
		standings []fetch.Standing
		code, bad int
	}{
		"unknown":               {[]fetch.Standing{unknown}, 2, 1},
		"revoked, then unknown": {[]fetch.Standing{revoked, unknown}, 16, 2},
		"unknown, then revoked": {[]fetch.Standing{unknown, revoked}, 16, 2},
		"weakened among others": {[]fetch.Standing{unknown, weakened, standing(fetch.Withdrawn, trust.ErrNoTarget)}, 19, 3},
		"changed on the disk":   {[]fetch.Standing{revoked, standing(fetch.Changed, &trust.MismatchError{})}, 13, 2},
		"what is no refusal":    {[]fetch.Standing{standing(fetch.Deprecated, nil), weakened}, 19, 1},
	} {
		failed := heldError{worst: fetch.Good}
		for _, s := range test.standings {
			failed.add(s)
		}
		if code := codeOf(&failed); code != test.code || failed.bad != test.bad {
			t.Errorf("%s: expected exit %d for %d, found %d for %d", name, test.code, test.bad, code, failed.bad)
		}
	}
}

// What was damaged, fetched again, and only then left the cache is not damaged.
func TestSetAsideSinceTheProof(t *testing.T) {
	dir := t.TempDir()
	store := sure(cache.Open(dir, cache.Options{}))
	digest, damaged := artifact.DigestOf(artifact.SHA256, nil), testClock()
	if err := os.MkdirAll(filepath.Join(dir, "damaged"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "damaged", fmt.Sprintf("%s.%d", digest.Hex(), damaged.UnixNano())), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		digest artifact.Digest
		proven time.Time
		want   fetch.State
		err    error
	}{
		"since":         {digest, damaged.Add(-time.Second), fetch.Changed, cache.ErrDamaged},
		"before":        {digest, damaged.Add(time.Second), fetch.Good, nil},
		"another's was": {artifact.DigestOf(artifact.SHA256, []byte("x")), damaged.Add(-time.Second), fetch.Good, nil},
	} {
		got, err := setAside(store, &proof.Receipt{Target: "x", Digests: artifact.Digests{test.digest}, Proven: test.proven})
		if err != nil || got.State != test.want || !errors.Is(got.Err, test.err) {
			t.Errorf("%s: expected %s and %v, found %s, %v, %v", name, test.want, test.err, got.State, got.Err, err)
		}
	}
}
