package main

import (
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestKeySchemes(t *testing.T) {
	t.Parallel()
	for _, scheme := range []testrepo.Scheme{testrepo.Ed25519, testrepo.ECDSA, testrepo.P384, testrepo.RSA} {
		t.Run(string(scheme), func(t *testing.T) {
			t.Parallel()
			quorum := testrepo.Quorum{Keys: 1, Threshold: 1}
			b := newBench(t, testrepo.Options{Scheme: scheme, Quorum: map[string]testrepo.Quorum{"root": quorum}})
			b.refresh()
			b.expectVersions("root 1 timestamp 1 snapshot 1 targets 1")
		})
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keys func([]*testrepo.Key) []*testrepo.Key
		want error
	}{
		"as many as needed": {func(k []*testrepo.Key) []*testrepo.Key { return k[1:] }, nil},
		"one too few":       {func(k []*testrepo.Key) []*testrepo.Key { return k[:1] }, trust.ErrSignature},
		"one of them twice": {func(k []*testrepo.Key) []*testrepo.Key { return []*testrepo.Key{k[0], k[0]} }, trust.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{Quorum: map[string]testrepo.Quorum{"timestamp": {Keys: 3, Threshold: 2}}})
			must(t, b.repo.Forge("timestamp", testrepo.Forgery{Keys: test.keys(b.repo.Keys("timestamp"))}))
			must(t, b.repo.PublishTimestamp())
			if test.want == nil {
				b.refresh()
				b.expectVersions("root 1 timestamp 2 snapshot 1 targets 1")
				return
			}
			b.refreshFails(test.want.Error(), "timestamp")
			b.expectVersions("root 1")
		})
	}
}

func TestKeyRotations(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.refresh()
			for range 3 {
				must(t, b.repo.RotateKey(role))
				b.publish()
			}
			b.refresh()
			if got := b.versions(); got["root"] != 4 || got["timestamp"] != 4 {
				t.Errorf("expected root and timestamp 4, found %v", got)
			}
			b.asked()
			b.refresh()
			b.expectAsked("5.root.json", "timestamp.json")
		})
	}
}

// Old keys alone, or new keys alone, make no root.
func TestRootSignedByHalf(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	old := b.repo.Keys("root")
	must(t, b.repo.RotateKey("root"))
	for _, keys := range [][]*testrepo.Key{old, b.repo.Keys("root")} {
		must(t, b.repo.Forge("root", testrepo.Forgery{Keys: keys, Signed: func(s any) { s.(*metadata.RootType).Version = 2 }}))
		must(t, b.repo.PublishRoot())
		b.server.Replace("2.root.json", b.repo.RootBytes(b.repo.Version("root")))
		b.refreshFails(trust.ErrRootChain.Error())
		b.expectVersions("root 1")
	}
}
