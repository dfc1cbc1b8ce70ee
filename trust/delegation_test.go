package trust_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func (b *bench) delegate(parent string, roles ...testrepo.DelegatedRole) {
	b.t.Helper()
	for _, role := range roles {
		must(b.t, b.repo.Delegate(parent, role))
	}
}

func (b *bench) add(path, role string) {
	b.t.Helper()
	must(b.t, b.repo.AddTarget(path, []byte(role+" says "+path), role))
}

// promisedBy expects the look-up of path to end at role.
func promisedBy(t *testing.T, view *trust.View, path, role string) {
	t.Helper()
	target, err := view.Target(t.Context(), path)
	if err != nil {
		t.Errorf("%s: expected role %s, found %v", path, role, err)
		return
	}
	if target.Role() != role {
		t.Errorf("%s: expected role %s, found %s", path, role, target.Role())
	}
}

func TestDelegationOrderAndTermination(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "first", Paths: []string{"*/x"}},
		testrepo.DelegatedRole{Name: "second", Paths: []string{"*/*"}, Terminating: true},
		testrepo.DelegatedRole{Name: "third", Paths: []string{"*/*"}},
	)
	b.delegate("first", testrepo.DelegatedRole{Name: "deep", Paths: []string{"d/x"}})
	b.add("a/x", "first")
	b.add("a/x", "second")
	b.add("d/x", "deep")
	b.add("d/x", "second")
	b.add("b/y", "second")
	b.add("c/z", "third")
	b.publish()
	view := b.mustRefresh()
	promisedBy(t, view, "a.txt", "targets")
	promisedBy(t, view, "a/x", "first")
	promisedBy(t, view, "d/x", "deep") // depth first
	listed := map[string]int{}
	for target, err := range view.Targets(t.Context()) {
		must(t, err)
		listed[target.Path()+" by "+target.Role()]++
	}
	want := map[string]int{"a.txt by targets": 1, "a/x by first": 1, "d/x by deep": 1, "b/y by second": 1}
	if !maps.Equal(listed, want) {
		t.Errorf("listing: expected %v, found %v", want, listed)
	}
	promisedBy(t, view, "b/y", "second")
	// third lists c/z, but second terminates the search.
	if _, err := view.Target(t.Context(), "c/z"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("behind a terminating delegation: expected ErrNoTarget, found %v", err)
	}
	// A role that lists what it may not promise is not heard.
	b.add("e.txt", "first")
	b.publish()
	if _, err := b.mustRefresh().Target(t.Context(), "e.txt"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("outside of its paths: expected ErrNoTarget, found %v", err)
	}
}

// A terminating delegation ends the whole search, also where it lies deeper
// than what would come next.
func TestTerminationFromBelow(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "outer", Paths: []string{"*/*"}},
		testrepo.DelegatedRole{Name: "binned", Paths: []string{"b/*"}},
		testrepo.DelegatedRole{Name: "later", Paths: []string{"*/*"}},
	)
	b.delegate("outer", testrepo.DelegatedRole{Name: "inner", Paths: []string{"a/*"}, Terminating: true})
	must(t, b.repo.DelegateBins("binned", testrepo.Bins{Prefix: "bin", BitLength: 1}))
	for _, path := range []string{"a/x", "b/x", "c/x"} {
		b.add(path, "later")
	}
	b.publish()
	view := b.mustRefresh()
	promisedBy(t, view, "c/x", "later")
	for _, path := range []string{"a/x", "b/x"} { // bins always terminate
		if _, err := view.Target(t.Context(), path); !errors.Is(err, trust.ErrNoTarget) {
			t.Errorf("%s: expected ErrNoTarget, found %v", path, err)
		}
	}
	// A listing shows what a look-up finds, and nothing else.
	for target, err := range view.Targets(t.Context()) {
		must(t, err)
		if path := target.Path(); path == "a/x" || path == "b/x" {
			t.Errorf("listed though no look-up finds it: %s", path)
		}
	}
}

// An empty prefix would match every path; one in capitals is still hex.
func TestUnusualHashPrefixes(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	digits := sha256Hex("p/q")
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "all", PathHashPrefixes: []string{""}},
		testrepo.DelegatedRole{Name: "loud", PathHashPrefixes: []string{strings.ToUpper(digits)}},
	)
	b.add("p/q", "all")
	b.add("p/q", "loud")
	b.publish()
	promisedBy(t, b.mustRefresh(), "p/q", "loud")
}

func TestPathPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, path string
		match         bool
	}{
		{"*", "a", true}, {"*", "a/b", false}, {"*/*", "a/b", true}, {"a/*", "a/", false},
		{"[!a]/x", "b/x", true}, {"[!a]/x", "a/x", false}, {"[^a]/x", "b/x", true},
		{`\[!a]`, "[!a]", true}, {`\[!a]`, "[^a]", false}, {"[a[!]", "!", true}, {"[a[!]", "^", false}, {"[!a]b[!c]", "xbx", true}, {"[!a]b[!c]", "xbc", false},
		{"?.txt", "q.txt", true}, {"a/?", "a/bc", false}, {"[a", "[a", false},
	} {
		b := newBench(t, testrepo.Options{})
		b.delegate("targets", testrepo.DelegatedRole{Name: "r", Paths: []string{test.pattern}})
		b.add(test.path, "r")
		b.publish()
		_, err := b.mustRefresh().Target(t.Context(), test.path)
		if (err == nil) != test.match || err != nil && !errors.Is(err, trust.ErrNoTarget) {
			t.Errorf("%q for %q: expected match %v, found %v", test.pattern, test.path, test.match, err)
		}
	}
}

// sha256("p/q") begins with these digits in hex (not in base64).
func TestHashPrefixesAreHex(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	var prefixes []string
	for i := range 16 {
		if i%2 == 0 {
			prefixes = append(prefixes, fmt.Sprintf("%x", i))
		}
	}
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "even", PathHashPrefixes: prefixes},
		testrepo.DelegatedRole{Name: "rest", Paths: []string{"*/*"}},
	)
	for i := range 20 {
		path := fmt.Sprintf("p/%d", i)
		b.add(path, "even")
		b.add(path, "rest")
	}
	b.publish()
	view := b.mustRefresh()
	roles := map[string]int{}
	for i := range 20 {
		path := fmt.Sprintf("p/%d", i)
		digits := sha256Hex(path)
		want := "rest"
		if slices.Contains(prefixes, digits[:1]) {
			want = "even"
		}
		promisedBy(t, view, path, want)
		roles[want]++
	}
	if len(roles) != 2 {
		t.Fatalf("the test saw one side only: %v", roles)
	}
}

func TestHashBins(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	bins := testrepo.Bins{Prefix: "bin", BitLength: 5}
	must(t, b.repo.DelegateBins("targets", bins))
	for i := range 40 {
		path := fmt.Sprintf("f/%d", i)
		b.add(path, testrepo.BinOf(bins, path))
	}
	b.publish()
	view := b.mustRefresh()
	b.remote.requests()
	promisedBy(t, view, "f/1", testrepo.BinOf(bins, "f/1"))
	if asked := b.remote.requests(); len(asked) != 1 {
		t.Errorf("one look-up in bins: expected one request, found %v", asked)
	}
	for i := range 40 {
		path := fmt.Sprintf("f/%d", i)
		promisedBy(t, view, path, testrepo.BinOf(bins, path))
	}
	count := 0
	for _, err := range view.Targets(t.Context()) {
		must(t, err)
		count++
	}
	if count != 41 {
		t.Errorf("listing: expected 41 targets, found %d", count)
	}
}

func TestRoleNamesWithAnyCharacter(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	for i, name := range []string{"a/b", "..", "50%", "größe", "x y", "q?r#s"} {
		b.delegate("targets", testrepo.DelegatedRole{Name: name, Paths: []string{fmt.Sprintf("%d/*", i)}})
		b.add(fmt.Sprintf("%d/f", i), name)
	}
	b.publish()
	view := b.mustRefresh()
	for i, name := range []string{"a/b", "..", "50%", "größe", "x y", "q?r#s"} {
		promisedBy(t, view, fmt.Sprintf("%d/f", i), name)
	}
	// They are found in the store as well.
	b.remote.requests()
	b.mustRefresh()
	offline := mustOffline(t, b)
	promisedBy(t, offline, "0/f", "a/b")
	if asked := b.remote.requests(); len(asked) != 2 {
		t.Errorf("expected the two requests of a warm refresh, found %v", asked)
	}
}

func TestDelegatedRoleWithATopLevelName(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.delegate("targets", testrepo.DelegatedRole{Name: "harmless", Paths: []string{"*/*"}})
	must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TargetsType).Delegations.Roles[0].Name = "snapshot"
	}}))
	b.publish()
	b.refuses(trust.ErrMalformed)
}

// Two parents delegate to one role, each with keys of its own: what one of them
// trusts is no proof for the other.
func TestDiamondIsVerifiedPerEdge(t *testing.T) {
	t.Parallel()
	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	b := newBench(t, testrepo.Options{})
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "left", Paths: []string{"l/*"}},
		testrepo.DelegatedRole{Name: "right", Paths: []string{"r/*"}},
	)
	b.delegate("left", testrepo.DelegatedRole{Name: "shared", Paths: []string{"*/*"}})
	b.delegate("right", testrepo.DelegatedRole{Name: "shared", Paths: []string{"*/*"}, Keys: []*testrepo.Key{stranger}, Threshold: 1})
	b.add("l/f", "shared")
	b.add("r/f", "shared")
	b.publish()
	for _, order := range [][]string{{"l/f", "r/f"}, {"r/f", "l/f"}} {
		view := b.mustRefresh()
		for _, path := range order {
			_, err := view.Target(t.Context(), path)
			if path == "l/f" && err != nil {
				t.Errorf("%v: left: %v", order, err)
			}
			if path == "r/f" && !errors.Is(err, trust.ErrSignature) {
				t.Errorf("%v: right: expected ErrSignature, found %v", order, err)
			}
		}
	}
}

func TestDelegationLoopEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "one", Paths: []string{"*/*"}})
	b.delegate("one", testrepo.DelegatedRole{Name: "two", Paths: []string{"*/*"}})
	b.delegate("two", testrepo.DelegatedRole{Name: "one", Paths: []string{"*/*"}})
	b.add("a/b", "two")
	b.publish()
	view := b.mustRefresh()
	promisedBy(t, view, "a/b", "two")
	if _, err := view.Target(t.Context(), "no/such"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("expected ErrNoTarget, found %v", err)
	}
	count := 0
	for _, err := range view.Targets(t.Context()) {
		must(t, err)
		count++
	}
	if count != 2 {
		t.Errorf("listing: expected a.txt and a/b once each, found %d", count)
	}
}

func TestDepthAndItsLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	parent := "targets"
	for i := range 40 {
		name := fmt.Sprintf("level-%d", i)
		b.delegate(parent, testrepo.DelegatedRole{Name: name, Paths: []string{"*/*"}})
		parent = name
	}
	b.add("deep/down", parent)
	b.publish()
	promisedBy(t, b.mustRefresh(), "deep/down", parent)
	b.config.Limits.Roles, b.config.Limits.Listing = 39, 39
	view := b.mustRefresh()
	if _, err := view.Target(t.Context(), "deep/down"); !errors.Is(err, trust.ErrSearchLimit) {
		t.Errorf("expected ErrSearchLimit, found %v", err)
	}
	// A listing stops asking at the limit, too.
	b.store = &trust.MemStore{}
	b.config.Store = b.store
	view = b.mustRefresh()
	b.remote.requests()
	var last error
	for _, err := range view.Targets(t.Context()) {
		last = err
	}
	if !errors.Is(last, trust.ErrSearchLimit) {
		t.Errorf("listing: expected ErrSearchLimit at the end, found %v", last)
	}
	if asked := len(b.remote.requests()); asked != 39 {
		t.Errorf("listing: expected 39 requests, found %d", asked)
	}
}

func TestDelegatedRoleAttacks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		attack func(b *bench)
		kind   error
	}{
		"missing": {func(b *bench) {
			b.remote.fail("2.team.json", nil, fmt.Errorf("404: %w", trust.ErrNoMetadata))
		}, trust.ErrNoMetadata},
		"old version served": {func(b *bench) {
			b.remote.replace("2.team.json", b.repo.Files(0)["1.team.json"])
		}, trust.ErrMismatch},
		"expired": {func(b *bench) {
			must(b.t, b.repo.SetExpiry("team", -time.Second))
			b.publish()
		}, trust.ErrExpired},
		"signed by nobody": {func(b *bench) {
			must(b.t, b.repo.Forge("team", testrepo.Forgery{Keys: []*testrepo.Key{}}))
			must(b.t, b.repo.Renew("team"))
			b.publish()
		}, trust.ErrSignature},
		"not in the snapshot": {func(b *bench) {
			b.store = &trust.MemStore{}
			b.config.Store = b.store
			must(b.t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) { delete(s.(*metadata.SnapshotType).Meta, "team.json") }}))
			must(b.t, b.repo.Renew("snapshot"))
			b.publish()
		}, trust.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
			b.add("team/a", "team")
			b.publish()
			b.mustRefresh()
			b.add("team/b", "team")
			b.publish()
			test.attack(b)
			view := b.mustRefresh()
			if _, err := view.Target(t.Context(), "team/b"); !errors.Is(err, test.kind) {
				t.Errorf("expected %v, found %v", test.kind, err)
			}
			// What the role is not asked for still resolves.
			promisedBy(t, view, "a.txt", "targets")
		})
	}
}

func TestTopLevelTargetIgnoresDelegations(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "greedy", Paths: []string{"*"}})
	b.add("catalog.json", "greedy")
	b.publish()
	view := b.mustRefresh()
	promisedBy(t, view, "catalog.json", "greedy")
	if _, err := view.TopLevelTarget("catalog.json"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("expected ErrNoTarget, found %v", err)
	}
	if _, err := view.TopLevelTarget("a.txt"); err != nil {
		t.Error(err)
	}
}

func TestTargetPathsThatMeanTwoThings(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	// Promised or not, they are not found.
	must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
		targets := s.(*metadata.TargetsType).Targets
		for _, path := range []string{"/a.txt", "a//b", "../a.txt", "a/./b", `a\b`, "a/", "a\x00b", "a\nb", "a\x1b[2Jb", strings.Repeat("a", 4097)} {
			targets[path] = targets["a.txt"]
		}
	}}))
	b.publish()
	view := b.mustRefresh()
	for _, path := range []string{"", "/a.txt", "a//b", "../a.txt", "a/./b", `a\b`, "a/", "a\x00b", "a\nb", "a\x1b[2Jb", strings.Repeat("a", 4097)} {
		if _, err := view.Target(t.Context(), path); !errors.Is(err, trust.ErrNoTarget) {
			t.Errorf("%q: expected ErrNoTarget, found %v", path, err)
		}
	}
}

func TestZeroTargetPromisesNothing(t *testing.T) {
	t.Parallel()
	var target trust.Target
	if err := target.Check(nil); !target.IsZero() || !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("the zero target must be refused, found %v", err)
	}
}
