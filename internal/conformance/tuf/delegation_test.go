package main

import (
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// edges is a graph of delegations.
type edges []struct {
	parent string
	role   testrepo.DelegatedRole
}

func TestOrderOfDelegations(t *testing.T) {
	t.Parallel()
	to := func(name string, paths ...string) testrepo.DelegatedRole {
		if paths == nil {
			paths = []string{"*"}
		}
		return testrepo.DelegatedRole{Name: name, Paths: paths}
	}
	ending := testrepo.DelegatedRole{Name: "C", Paths: []string{"*"}, Terminating: true}
	for name, test := range map[string]struct {
		graph edges
		want  []string
	}{
		"depth first":        {edges{{"targets", to("A")}, {"targets", to("B")}, {"A", to("C")}, {"A", to("D")}}, []string{"A", "C", "D", "B"}},
		"terminating":        {edges{{"targets", to("A")}, {"targets", to("B")}, {"A", ending}, {"A", to("D")}, {"C", to("E")}}, []string{"A", "C", "E"}},
		"paths do not match": {edges{{"targets", to("A", "*.py")}, {"targets", to("B")}, {"A", to("C")}}, []string{"B"}},
		"no star for slash":  {edges{{"targets", to("A", "*/*")}, {"targets", to("B", "missin?")}}, []string{"B"}},
		"loop":               {edges{{"targets", to("A")}, {"A", to("B")}, {"B", to("A")}}, []string{"A", "B"}},
		"diamond":            {edges{{"targets", to("A")}, {"targets", to("B")}, {"B", to("C")}, {"A", to("C")}}, []string{"A", "C", "B"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			for _, edge := range test.graph {
				must(t, b.repo.Delegate(edge.parent, edge.role))
			}
			b.publish()
			b.refresh()
			b.asked()
			b.fails([]string{trust.ErrNoTarget.Error()}, b.downloadArgs("missing")...)
			want := []string{"2.root.json", "timestamp.json"}
			for _, role := range test.want {
				want = append(want, "1."+role+".json")
			}
			b.expectAsked(want...)
		})
	}
}

// A role that one delegator vouches for is not believed for another whose keys
// did not sign it, in the same process and in the next.
func TestRoleIsVerifiedForEachDelegator(t *testing.T) {
	t.Parallel()
	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "one", Paths: []string{"1/*"}}))
	must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "two", Paths: []string{"2/*"}}))
	must(t, b.repo.Delegate("one", testrepo.DelegatedRole{Name: "shared", Paths: []string{"1/*"}}))
	must(t, b.repo.Delegate("two", testrepo.DelegatedRole{Name: "shared", Paths: []string{"2/*"}, Keys: []*testrepo.Key{stranger}}))
	must(t, b.repo.AddTarget("1/x", []byte("good"), "shared"))
	must(t, b.repo.AddTarget("2/x", []byte("bad"), "shared"))
	b.publish()
	for range 2 {
		b.fails([]string{trust.ErrSignature.Error(), "shared"}, b.downloadArgs("1/x", "2/x")...)
		b.expectDownloaded(map[string]string{"1%2Fx": "good"})
	}
	b.fails([]string{trust.ErrSignature.Error(), "shared"}, b.downloadArgs("2/x")...)
	b.expectDownloaded(map[string]string{"1%2Fx": "good"})
}

func TestRefusedDelegatedRoleLeavesNoFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(*bench)
		want  string
	}{
		"unsigned":    {func(b *bench) { must(b.t, b.repo.Forge("team", testrepo.Forgery{Keys: []*testrepo.Key{}})) }, trust.ErrSignature.Error()},
		"other bytes": {func(b *bench) { b.server.FlipByte("1.team.json") }, "expected sha256:"},
		"not there":   {func(b *bench) { b.server.Status("1.team.json", 404) }, trust.ErrNoMetadata.Error()},
		"expired":     {func(b *bench) { must(b.t, b.repo.SetExpiry("team", -1)) }, trust.ErrExpired.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}}))
			must(t, b.repo.AddTarget("team/x", []byte("x"), "team"))
			test.fault(b)
			b.publish()
			b.fails([]string{test.want, "team"}, b.downloadArgs("team/x")...)
			b.expectVersions("root 1 timestamp 2 snapshot 2 targets 2")
			b.expectDownloaded(map[string]string{})
		})
	}
}
