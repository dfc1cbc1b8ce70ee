package trust_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// Names that some client would take for each other, for a path, or for a key of
// its state: as they are, percent-encoded, in another case or another form of
// the same letter.
var lookalikes = []string{
	"a/b", "a%2Fb", "a%252Fb", "a%2fb", `a\b`, "a b", "a+b", "a%20b",
	".", "..", "...", "../x", "../../floor/root", "/", "//", "role/team", "team", "Team", "team.json",
	"1.team", "x.root", "2.roots", "snapshot.json", "Snapshot", "root ", " root",
	"gr\u00f6\u00dfe", "gro\u0308\u00dfe", "\U0001f600", "50%", "%", "%00", "q?r#s", "a&b=c", "~", "*", "[a]",
	"con", "nul.txt", "-rf", "'", `"`, "<b>", "\u202egnp", strings.Repeat("n", 1019), // with ".json" as long as a name may be
}

func TestRoleNamesThatLookAlike(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	path := func(i int) string { return fmt.Sprintf("%d/f", i) }
	for i, name := range lookalikes {
		b.delegate("targets", testrepo.DelegatedRole{Name: name, Paths: []string{fmt.Sprintf("%d/*", i)}})
		must(t, b.repo.AddTarget(path(i), []byte(name), name))
	}
	b.publish()
	view := b.mustRefresh()
	b.remote.requests()
	for i, name := range lookalikes {
		promisedBy(t, view, path(i), name)
	}
	asked := b.remote.requests()
	for _, name := range asked {
		if strings.ContainsAny(name, "/\\ ?#") || !strings.HasSuffix(name, ".json") || !strings.HasPrefix(name, "1.") {
			t.Errorf("expected one encoded path segment, found %q", name)
		}
	}
	if all := len(asked); all != len(lookalikes) || len(slices.Compact(slices.Sorted(slices.Values(asked)))) != all {
		t.Errorf("expected %d different files to be asked for, found %d: %q", len(lookalikes), all, asked)
	}
	offline := mustOffline(t, b)
	for i, name := range lookalikes {
		promisedBy(t, offline, path(i), name)
		target, err := offline.Target(t.Context(), path(i))
		must(t, err)
		must(t, target.Check([]byte(name)))
	}
	// One of them changes, and all others stay held.
	must(t, b.repo.AddTarget("0/g", nil, lookalikes[0]))
	b.publish()
	view = b.mustRefresh()
	b.remote.requests()
	promisedBy(t, view, "0/g", lookalikes[0])
	for i, name := range lookalikes {
		promisedBy(t, view, path(i), name)
	}
	if asked := b.remote.requests(); len(asked) != 1 {
		t.Errorf("expected the one changed role to be asked for, found %q", asked)
	}
}

// Without consistent snapshots the role "2.root" lies where the next root would:
// it must not be taken for one.
func TestRoleInThePlaceOfTheNextRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{PlainSnapshots: true})
	b.mustRefresh()
	b.delegate("targets", testrepo.DelegatedRole{Name: "2.root", Paths: []string{"team/*"}})
	b.publish()
	if b.repo.RootBytes(2) == nil {
		t.Fatal("the names do not collide: the test tests nothing")
	}
	b.refuses(trust.ErrMalformed)
	if got := version(mustOffline(t, b), "root"); got != 1 {
		t.Errorf("expected root 1, found %d", got)
	}
}

// A role that two delegators trust, each with a key of its own: where both keys
// have signed, it is proven for both, and asked for once.
func TestDiamondSignedForBothEdges(t *testing.T) {
	t.Parallel()
	other, err := testrepo.NewKey(testrepo.P384)
	must(t, err)
	for _, order := range [][]string{{"l/f", "r/f"}, {"r/f", "l/f"}} {
		b := newBench(t, testrepo.Options{})
		b.delegate("targets",
			testrepo.DelegatedRole{Name: "left", Paths: []string{"l/*"}},
			testrepo.DelegatedRole{Name: "right", Paths: []string{"r/*"}},
		)
		b.delegate("left", testrepo.DelegatedRole{Name: "shared", Paths: []string{"*/*"}})
		b.delegate("right", testrepo.DelegatedRole{Name: "shared", Paths: []string{"*/*"}, Keys: []*testrepo.Key{other}, Threshold: 1})
		b.add("l/f", "shared")
		b.add("r/f", "shared")
		both := append(b.repo.Keys("shared"), other)
		must(t, b.repo.Forge("shared", testrepo.Forgery{Keys: both}))
		b.publish()
		view := b.mustRefresh()
		b.remote.requests()
		for _, path := range order {
			promisedBy(t, view, path, "shared")
			promisedBy(t, mustOffline(t, b), path, "shared")
		}
		if asked := b.remote.requests(); len(asked) != 3 {
			t.Errorf("%v: expected left, right and shared once each, found %q", order, asked)
		}
		// Stored for one edge, it is still not proven for the other.
		must(t, b.repo.Forge("shared", testrepo.Forgery{Keys: both[:1]}))
		b.publish()
		view = b.mustRefresh()
		for _, view := range []*trust.View{view, mustOffline(t, b)} {
			promisedBy(t, view, "l/f", "shared")
			if _, err := view.Target(t.Context(), "r/f"); !errors.Is(err, trust.ErrSignature) {
				t.Errorf("%v: right: expected ErrSignature, found %v", order, err)
			}
		}
	}
}

// A hash prefix is some digits of the path's SHA-256, in hex, however many and
// in whichever case; what is no prefix of it delegates nothing.
func TestHashPrefixesOfAnyLength(t *testing.T) {
	t.Parallel()
	const path = "p/q"
	digits := sha256Hex(path)
	other := "0"
	if digits[0] == '0' {
		other = "1"
	}
	for name, test := range map[string]struct {
		prefix string
		match  bool
	}{
		"one digit": {digits[:1], true}, "two": {digits[:2], true}, "three": {digits[:3], true}, "63": {digits[:63], true},
		"all": {digits, true}, "capitals": {strings.ToUpper(digits[:9]), true},
		"one more than all": {digits + "0", false}, "none": {"", false}, "another digit": {other, false},
		"another last digit": {digits[:5] + "g", false}, "no hex": {"zz", false}, "the middle": {digits[1:9], false},
		"a pattern": {"*", false}, "the path": {path, false}, "spaces": {" " + digits[:4], false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.delegate("targets", testrepo.DelegatedRole{Name: "team", PathHashPrefixes: []string{test.prefix}})
			b.add(path, "team")
			b.publish()
			_, err := b.mustRefresh().Target(t.Context(), path)
			if (err == nil) != test.match || err != nil && !errors.Is(err, trust.ErrNoTarget) {
				t.Errorf("%q: expected match %v, found %v", test.prefix, test.match, err)
			}
		})
	}
}
