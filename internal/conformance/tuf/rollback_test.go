package main

import (
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestRollbacks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		role  string
		forge func(any)
		about string
		after string
	}{
		"timestamp":                   {"timestamp", func(s any) { s.(*metadata.TimestampType).Version = 1 }, "timestamp", "timestamp 2 snapshot 2"},
		"snapshot in the timestamp":   {"timestamp", func(s any) { s.(*metadata.TimestampType).Meta["snapshot.json"].Version = 1 }, "snapshot", "timestamp 2 snapshot 2"},
		"targets in the snapshot":     {"snapshot", func(s any) { s.(*metadata.SnapshotType).Meta["targets.json"].Version = 1 }, "targets", "timestamp 3 snapshot 2"},
		"a role gone from a snapshot": {"snapshot", func(s any) { delete(s.(*metadata.SnapshotType).Meta, "team.json") }, "team", "timestamp 3 snapshot 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}}))
			b.publish()
			b.refresh()
			must(t, b.repo.Forge(test.role, testrepo.Forgery{Signed: test.forge}))
			b.publish()
			b.refreshFails(trust.ErrRollback.Error(), test.about)
			b.expectVersions("root 1 targets 2 " + test.after)
			// The honest successor is accepted.
			must(t, b.repo.Renew("targets"))
			b.publish()
			b.refresh()
			b.expectVersions("root 1 timestamp 4 snapshot 4 targets 3")
		})
	}
}

// Versions that an attacker pushed up come down with a root that changes the
// keys of the role (5.3.11).
func TestFastForwardRecovery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		forge map[string]func(any)
		keys  []string
	}{
		"timestamp": {
			forge: map[string]func(any){"timestamp": func(s any) { s.(*metadata.TimestampType).Version = 100 }},
			keys:  []string{"timestamp"},
		},
		"targets": {
			forge: map[string]func(any){
				"targets":  func(s any) { s.(*metadata.TargetsType).Version = 100 },
				"snapshot": func(s any) { s.(*metadata.SnapshotType).Meta["targets.json"].Version = 100 },
			},
			keys: []string{"snapshot"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true, PlainSnapshots: true})
			for role, forge := range test.forge {
				must(t, b.repo.Forge(role, testrepo.Forgery{Signed: forge}))
			}
			must(t, b.repo.Renew("targets"))
			b.publish()
			b.refresh()
			must(t, b.repo.Renew("targets"))
			b.publish()
			b.refreshFails(trust.ErrRollback.Error(), name)
			for _, role := range test.keys {
				must(t, b.repo.RotateKey(role))
			}
			must(t, b.repo.Renew("targets"))
			b.publish()
			b.refresh()
			b.expectVersions("root 2 timestamp 4 snapshot 4 targets 4")
		})
	}
}

// A retired key does not come back by a root that is withheld.
func TestWithheldRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.refresh()
	must(t, b.repo.RotateKey("timestamp"))
	b.publish()
	b.refresh()
	b.expectVersions("root 2 timestamp 2 snapshot 2 targets 1")
	b.server.ServeGeneration(1)
	b.refreshFails(trust.ErrSignature.Error(), "timestamp")
	b.expectVersions("root 2 timestamp 2 snapshot 2 targets 1")
}
