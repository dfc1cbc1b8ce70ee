package trust_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// Whoever holds the key of the least role could make every client that looks
// below it build millions of values.
func TestDelegationsThatWouldFillTheMemory(t *testing.T) {
	t.Parallel()
	many := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(i)
		}
		return list
	}
	type list = []metadata.DelegatedRole
	role := func(f func(*metadata.DelegatedRole)) func(*metadata.Delegations) {
		return func(d *metadata.Delegations) { f(&d.Roles[0]) }
	}
	for name, test := range map[string]struct {
		part   string
		change func(d *metadata.Delegations)
	}{
		"keys": {"signed.delegations.keys: expected at most 4096", func(d *metadata.Delegations) {
			for _, id := range many(4097) {
				d.Keys[id] = &metadata.Key{Type: "ed25519"}
			}
		}},
		"entries": {"signed.delegations.roles: expected at most 65536", func(d *metadata.Delegations) {
			for _, name := range many(65536) {
				d.Roles = append(d.Roles, metadata.DelegatedRole{Name: name, KeyIDs: d.Roles[0].KeyIDs, Threshold: 1, Paths: []string{"x/*"}})
			}
		}},
		"key ids":  {"[0]: keyids: expected at most 256", role(func(r *metadata.DelegatedRole) { r.KeyIDs = many(257) })},
		"paths":    {"[0]: paths: expected at most 262144", role(func(r *metadata.DelegatedRole) { r.Paths = many(262145) })},
		"prefixes": {"[0]: path_hash_prefixes: expected at most 262144", role(func(r *metadata.DelegatedRole) { r.Paths, r.PathHashPrefixes = nil, many(262145) })},
		"paths of two": {"[1]: paths: expected at most 144", func(d *metadata.Delegations) {
			d.Roles[0].Paths = many(262000)
			d.Roles = append(d.Roles, list{{Name: "two", KeyIDs: d.Roles[0].KeyIDs, Threshold: 1, Paths: many(145)}}...)
		}},
		"key ids of bins": {"succinct_roles: keyids: expected at most 256", func(d *metadata.Delegations) {
			d.SuccinctRoles = &metadata.SuccinctRoles{KeyIDs: many(257), Threshold: 1, BitLength: 2, NamePrefix: "bin"}
			d.Roles = nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.config.Store = b.store // the police would parse it all
			b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
			b.publish()
			b.mustRefresh()
			must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) { test.change(s.(*metadata.TargetsType).Delegations) }}))
			b.publish()
			if err := b.refuses(trust.ErrMalformed); !strings.Contains(err.Error(), test.part) {
				t.Errorf("expected %q, found %v", test.part, err)
			}
		})
	}
}
