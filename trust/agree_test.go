package trust_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
)

const agreed = "hello/1.0.0/hello.tgz"

// council are several repositories and one client of all of them.
type council struct {
	t       *testing.T
	benches map[string]*bench
	held    bool
	offline bool
	asked   []string
}

// newCouncil makes one repository for each content that is promised under
// agreed; "" promises nothing there. They are called a, b, c…
func newCouncil(t *testing.T, contents ...string) *council {
	t.Helper()
	c := &council{t: t, benches: map[string]*bench{}}
	for i, content := range contents {
		c.add(string(rune('a'+i)), content, testrepo.Options{})
	}
	return c
}

func (c *council) add(name, content string, options testrepo.Options) *bench {
	c.t.Helper()
	b := newBench(c.t, options)
	b.config.Name = name
	if content != "" {
		must(c.t, b.repo.AddTarget(agreed, []byte(content)))
		b.publish()
	}
	c.benches[name] = b
	return b
}

func (c *council) view(ctx context.Context, name string) (*trust.View, error) {
	c.asked = append(c.asked, name)
	if c.offline {
		return c.benches[name].open().Offline(ctx)
	}
	return c.benches[name].open().Refresh(ctx)
}

func (c *council) panel() trust.Panel { return trust.Panel{View: c.view, Held: c.held} }

func mapOf(t *testing.T, mappings ...trust.Mapping) *trust.Map {
	t.Helper()
	m, err := trust.NewMap(mappings)
	must(t, err)
	return m
}

func mapping(threshold int, repositories ...string) trust.Mapping {
	return trust.Mapping{Paths: []string{"hello/**"}, Repositories: repositories, Threshold: threshold, Terminating: true}
}

// promise is what a repository says by itself.
func (c *council) promise(name string) trust.Target {
	c.t.Helper()
	view, err := c.view(c.t.Context(), name)
	must(c.t, err)
	find := view.Target
	if c.held {
		find = view.HeldTarget
	}
	target, err := find(c.t.Context(), agreed)
	must(c.t, err)
	return target
}

// lacking lists the repositories that do not list the path, by an error.
func lacking(t *testing.T, err error) []string {
	t.Helper()
	var refusal *trust.AgreementError
	if !errors.As(err, &refusal) {
		t.Fatalf("expected an AgreementError, found %v", err)
	}
	return refusal.Lacking()
}

func TestAgreementByThreshold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		contents  []string
		threshold int
		lead      string // empty: any
		kind      error
		from      string
		agree     []string
		lacking   []string
		dissent   int
	}{
		"both agree":                               {contents: []string{"x", "x"}, threshold: 2, lead: "a", from: "a", agree: []string{"a", "b"}},
		"an approver says another digest":          {contents: []string{"x", "y"}, threshold: 2, lead: "a", kind: trust.ErrDisagree},
		"an approver says another length":          {contents: []string{"x", "xx"}, threshold: 2, lead: "a", kind: trust.ErrDisagree},
		"an approver lists none":                   {contents: []string{"x", ""}, threshold: 2, lead: "a", kind: trust.ErrNotApproved, lacking: []string{"b"}},
		"nobody lists it":                          {contents: []string{"", ""}, threshold: 1, kind: trust.ErrNotApproved, lacking: []string{"a", "b"}},
		"the first lists none":                     {contents: []string{"", "x"}, threshold: 2, lead: "b", kind: trust.ErrNotApproved, lacking: []string{"a"}},
		"3 of 3, one lists none":                   {contents: []string{"x", "x", ""}, threshold: 3, lead: "a", kind: trust.ErrNotApproved, lacking: []string{"c"}},
		"2 of 3, one lists none":                   {contents: []string{"x", "", "x"}, threshold: 2, lead: "a", from: "a", agree: []string{"a", "c"}},
		"2 of 3, one says otherwise":               {contents: []string{"x", "x", "y"}, threshold: 2, lead: "a", from: "a", agree: []string{"a", "b"}, dissent: 1},
		"2 of 3, the first says otherwise":         {contents: []string{"y", "x", "x"}, threshold: 2, from: "b", agree: []string{"b", "c"}, dissent: 1},
		"2 of 3, the one that is asked is alone":   {contents: []string{"y", "x", "x"}, threshold: 2, lead: "a", kind: trust.ErrDisagree},
		"2 of 3, the one that is asked is behind":  {contents: []string{"y", "x", "x"}, threshold: 2, lead: "c", from: "c", agree: []string{"b", "c"}, dissent: 1},
		"2 of 3, three answers":                    {contents: []string{"x", "y", "z"}, threshold: 2, kind: trust.ErrDisagree},
		"2 of 3, one alone lists it":               {contents: []string{"x", "", ""}, threshold: 2, lead: "a", kind: trust.ErrNotApproved, lacking: []string{"b", "c"}},
		"2 of 4, two answers with two behind each": {contents: []string{"x", "y", "x", "y"}, threshold: 2, lead: "a", kind: trust.ErrDisagree},
		"1 of 2, each says its own":                {contents: []string{"x", "y"}, threshold: 1, kind: trust.ErrDisagree},
		"1 of 2, one lists it":                     {contents: []string{"", "x"}, threshold: 1, from: "b", agree: []string{"b"}},
		"3 of 3, one says otherwise":               {contents: []string{"x", "x", "y"}, threshold: 3, lead: "a", kind: trust.ErrDisagree},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCouncil(t, test.contents...)
			var names []string
			for i := range test.contents {
				names = append(names, string(rune('a'+i)))
			}
			m := mapOf(t, mapping(test.threshold, names...))
			var got trust.Agreement
			var err error
			if test.lead == "" {
				got, err = m.Agree(t.Context(), c.panel(), agreed)
			} else {
				got, err = m.Approve(t.Context(), c.panel(), c.promise(test.lead))
			}
			if !errors.Is(err, test.kind) {
				t.Fatalf("expected %v, found %v", test.kind, err)
			}
			if test.kind != nil {
				if !got.Target.IsZero() || !slices.Equal(lacking(t, err), test.lacking) && test.lacking != nil {
					t.Errorf("expected no target, and %v to lack it, found %v and %v", test.lacking, got.Target.Path(), lacking(t, err))
				}
				return
			}
			if got.Target.Repository() != test.from || !slices.Equal(got.Repositories, test.agree) || len(got.Dissent()) != test.dissent {
				t.Errorf("expected %s with %v and %d against, found %s with %v and %v", test.from, test.agree, test.dissent,
					got.Target.Repository(), got.Repositories, got.Dissent())
			}
			if len(got.Answers) != len(names) {
				t.Errorf("expected an answer of each of %v, found %v", names, got.Answers)
			}
		})
	}
}

// Digests by different algorithms can't be compared, so they do not agree.
func TestAgreementNeedsASharedAlgorithm(t *testing.T) {
	t.Parallel()
	both := []artifact.Algorithm{artifact.SHA256, artifact.SHA512}
	for name, test := range map[string]struct {
		algorithms [][]artifact.Algorithm
		threshold  int
		lead       string
		kind       error
	}{
		"sha256 alone and sha512 alone":             {[][]artifact.Algorithm{both[:1], both[1:]}, 2, "a", trust.ErrDisagree},
		"sha256 alone and both":                     {[][]artifact.Algorithm{both[:1], both}, 2, "a", nil},
		"both and sha512 alone":                     {[][]artifact.Algorithm{both, both[1:]}, 2, "a", nil},
		"each shares one with b, but a none with c": {[][]artifact.Algorithm{both[:1], both, both[1:]}, 3, "b", trust.ErrDisagree},
		"the last and the middle are two, too":      {[][]artifact.Algorithm{both[:1], both, both[1:]}, 2, "c", nil},
		"one is enough, and they can't be compared": {[][]artifact.Algorithm{both[:1], both[1:]}, 1, "a", trust.ErrDisagree},
		"the middle one of three takes one of them": {[][]artifact.Algorithm{both[:1], both, both[1:]}, 2, "b", nil},
	} {
		c := &council{t: t, benches: map[string]*bench{}}
		var names []string
		for i, algorithms := range test.algorithms {
			names = append(names, string(rune('a'+i)))
			c.add(names[i], "x", testrepo.Options{Algorithms: algorithms})
		}
		got, err := mapOf(t, mapping(test.threshold, names...)).Approve(t.Context(), c.panel(), c.promise(test.lead))
		if !errors.Is(err, test.kind) || (err == nil) != (got.Target.Repository() == test.lead) {
			t.Errorf("%s: expected %v, found %v and %v", name, test.kind, err, got.Repositories)
		}
	}
}

// An error of any repository is the error of the whole, also of one whose word
// would not have been needed; it is never "does not list it".
func TestAgreementFailsClosed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		harm func(b *bench)
		kind error
	}{
		"unreachable":     {func(b *bench) { b.remote.fail("timestamp.json", nil, trust.ErrNoAnswer) }, trust.ErrNoAnswer},
		"expired":         {func(b *bench) { b.now = b.now.Add(48 * time.Hour) }, trust.ErrExpired},
		"null metadata":   {func(b *bench) { b.remote.replace("timestamp.json", []byte(`{"signed":null}`)) }, trust.ErrMalformed},
		"other's key":     {func(b *bench) { b.remote.replace("timestamp.json", otherTimestamp(b.t)) }, trust.ErrSignature},
		"clock is behind": {func(b *bench) { b.mustRefresh(); b.now = b.now.Add(-48 * time.Hour) }, trust.ErrClock},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for threshold := 1; threshold <= 3; threshold++ {
				c := newCouncil(t, "x", "x", "x")
				lead := c.promise("a")
				test.harm(c.benches["c"])
				got, err := mapOf(t, mapping(threshold, "a", "b", "c")).Approve(t.Context(), c.panel(), lead)
				if !errors.Is(err, test.kind) || errors.Is(err, trust.ErrNotApproved) || !got.Target.IsZero() {
					t.Errorf("%d of 3: expected %v, found %v", threshold, test.kind, err)
				}
				if err != nil && !strings.Contains(err.Error(), "whether c promises "+agreed) {
					t.Errorf("expected it to say who could not be asked, found %v", err)
				}
			}
		})
	}
}

func otherTimestamp(t *testing.T) []byte {
	t.Helper()
	return newBench(t, testrepo.Options{}).repo.Files(0)["timestamp.json"]
}

// A delegated role of an approver that can't be had is an error, not an answer.
func TestAgreementWithAnUnreachableDelegation(t *testing.T) {
	t.Parallel()
	c := newCouncil(t, "x", "")
	b := c.benches["b"]
	must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "hello", Paths: []string{"hello/*/*"}}))
	must(t, b.repo.AddTarget(agreed, []byte("x"), "hello"))
	b.publish()
	m := mapOf(t, mapping(2, "a", "b"))
	if _, err := m.Approve(t.Context(), c.panel(), c.promise("a")); err != nil {
		t.Fatal(err)
	}
	b.store = &trust.MemStore{}
	b.config.Store = b.store
	b.remote.fail("1.hello.json", nil, trust.ErrNoAnswer)
	if _, err := m.Approve(t.Context(), c.panel(), c.promise("a")); !errors.Is(err, trust.ErrNoAnswer) {
		t.Errorf("expected %v, found %v", trust.ErrNoAnswer, err)
	}
}

// The order of mappings, and where the search ends (TAP 4).
func TestMappingsInOrder(t *testing.T) {
	t.Parallel()
	open := func(threshold int, repositories ...string) trust.Mapping {
		m := mapping(threshold, repositories...)
		m.Terminating = false
		return m
	}
	elsewhere := mapping(2, "a", "b")
	elsewhere.Paths = []string{"ferry/**"}
	for name, test := range map[string]struct {
		contents []string
		mappings []trust.Mapping
		lead     string
		kind     error
		agree    []string
	}{
		"not covered":                           {[]string{"x", ""}, []trust.Mapping{elsewhere}, "a", nil, nil},
		"no map":                                {[]string{"x", ""}, nil, "a", nil, nil},
		"terminating":                           {[]string{"x", ""}, []trust.Mapping{mapping(2, "a", "b"), mapping(1, "a")}, "a", trust.ErrNotApproved, nil},
		"passed on where not terminating":       {[]string{"x", ""}, []trust.Mapping{open(2, "a", "b"), mapping(1, "a")}, "a", nil, []string{"a"}},
		"a contradiction is not passed on":      {[]string{"x", "y"}, []trust.Mapping{open(2, "a", "b"), mapping(1, "a")}, "a", trust.ErrDisagree, nil},
		"open at the end is not without a map":  {[]string{"x", ""}, []trust.Mapping{open(2, "a", "b")}, "a", trust.ErrNotApproved, nil},
		"a repository that the map leaves out":  {[]string{"x", "x", "x"}, []trust.Mapping{mapping(2, "a", "b")}, "c", trust.ErrOutside, nil},
		"left out of the first, in the second":  {[]string{"x", "x", "x"}, []trust.Mapping{open(2, "a", "b"), mapping(1, "c")}, "c", nil, []string{"c"}},
		"the first agree on something else":     {[]string{"x", "x", "y"}, []trust.Mapping{open(2, "a", "b"), mapping(1, "c")}, "c", trust.ErrDisagree, nil},
		"the first contradict each other":       {[]string{"x", "y", "x"}, []trust.Mapping{open(2, "a", "b"), mapping(1, "c")}, "c", trust.ErrDisagree, nil},
		"the first are too few to object":       {[]string{"y", "", "x"}, []trust.Mapping{open(2, "a", "b"), mapping(1, "c")}, "c", nil, []string{"c"}},
		"in the second, behind a terminating":   {[]string{"x", "x", "x"}, []trust.Mapping{mapping(2, "a", "b"), mapping(1, "c")}, "c", trust.ErrOutside, nil},
		"the later one can't do without either": {[]string{"x", "", "x"}, []trust.Mapping{open(2, "a", "b"), mapping(1, "c")}, "a", trust.ErrNotApproved, nil},
	} {
		c := newCouncil(t, test.contents...)
		got, err := mapOf(t, test.mappings...).Approve(t.Context(), c.panel(), c.promise(test.lead))
		if !errors.Is(err, test.kind) || !slices.Equal(got.Repositories, test.agree) || (err == nil) == got.Target.IsZero() {
			t.Errorf("%s: expected %v with %v, found %v with %v", name, test.kind, test.agree, err, got.Repositories)
		}
	}
	// Without one that is asked, a path that no mapping covers is nobody's.
	c := newCouncil(t, "x", "x")
	if _, err := mapOf(t, elsewhere).Agree(t.Context(), c.panel(), agreed); !errors.Is(err, trust.ErrOutside) || len(c.asked) != 0 {
		t.Errorf("expected %v and nobody asked, found %v and %v", trust.ErrOutside, err, c.asked)
	}
	if _, err := mapOf(t).Approve(t.Context(), c.panel(), trust.Target{}); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("the zero Target: expected %v, found %v", trust.ErrNoTarget, err)
	}
}

// Whoever hands in another repository's view does not get an agreement of one
// repository with itself.
func TestAgreementOfTheSameRepositoryTwice(t *testing.T) {
	t.Parallel()
	c := newCouncil(t, "x", "")
	panel := trust.Panel{View: func(ctx context.Context, _ string) (*trust.View, error) { return c.view(ctx, "a") }}
	if got, err := mapOf(t, mapping(2, "a", "b")).Approve(t.Context(), panel, c.promise("a")); err == nil || !got.Target.IsZero() {
		t.Errorf("expected an error, found an agreement of %v", got.Repositories)
	}
	panel.View = func(context.Context, string) (*trust.View, error) { return nil, nil }
	if got, err := mapOf(t, mapping(2, "a", "b")).Approve(t.Context(), panel, c.promise("a")); err == nil || !got.Target.IsZero() {
		t.Errorf("no view: expected an error, found an agreement of %v", got.Repositories)
	}
}

// What one of them can't resolve any more may only be taken from what is held.
func TestAgreementOnHeldTargets(t *testing.T) {
	t.Parallel()
	c := newCouncil(t, "x", "x")
	m := mapOf(t, mapping(2, "a", "b"))
	if _, err := m.Approve(t.Context(), c.panel(), c.promise("a")); err != nil {
		t.Fatal(err)
	}
	c.offline, c.held = true, true
	got, err := m.Approve(t.Context(), c.panel(), c.promise("a"))
	if err != nil || got.Target.Stale() != nil {
		t.Fatalf("expected it to be resolved, found %v, %v", err, got.Target.Stale())
	}
	c.benches["b"].now = start.Add(48 * time.Hour)
	got, err = m.Approve(t.Context(), c.panel(), c.promise("a"))
	if err != nil || !errors.Is(got.Target.Stale(), trust.ErrExpired) || c.promise("a").Stale() != nil {
		t.Fatalf("expected it to be stale by the approver alone, found %v, %v", err, got.Target.Stale())
	}
	c.held = false
	if _, err = m.Approve(t.Context(), c.panel(), c.promise("a")); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("not named exactly: expected %v, found %v", trust.ErrExpired, err)
	}
	c.held = true
	c.benches["b"].config.Store = &trust.MemStore{}
	if _, err = m.Approve(t.Context(), c.panel(), c.promise("a")); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("nothing held of the approver: expected %v, found %v", trust.ErrNotHeld, err)
	}
}

func TestAgreementInEvidence(t *testing.T) {
	t.Parallel()
	c := newCouncil(t, "x", "x", "y")
	got, err := mapOf(t, mapping(2, "a", "b", "c")).Approve(t.Context(), c.panel(), c.promise("a"))
	must(t, err)
	view, err := c.view(t.Context(), "a")
	must(t, err)
	evidence := view.Evidence()
	own := len(evidence.Checks)
	must(t, got.AddTo(t.Context(), c.panel(), evidence))
	must(t, got.AddTo(t.Context(), c.panel(), evidence)) // of a second target: b's metadata is told of once
	var ids []string
	for _, check := range evidence.Checks[own:] {
		ids = append(ids, strings.TrimPrefix(check.Repository+" "+check.ID, " "))
	}
	want := []string{"b tuf.root", "b tuf.timestamp", "b tuf.snapshot", "b tuf.targets", "b tuf.freshness", "tuf.agreement", "tuf.agreement"}
	if !slices.Equal(ids, want) {
		t.Errorf("expected %v, found %v", want, ids)
	}
	last := evidence.Checks[len(evidence.Checks)-1]
	for _, part := range []string{"a, b agree", "a: 1 bytes, sha256:", "b: the same as a", "c: 1 bytes, sha256:"} {
		if last.Result != trust.Pass || !strings.Contains(last.Found, part) {
			t.Errorf("expected %q in %+v", part, last)
		}
	}
	panel := trust.Panel{View: func(context.Context, string) (*trust.View, error) { return nil, trust.ErrNoAnswer }}
	if err := got.AddTo(t.Context(), panel, view.Evidence()); !errors.Is(err, trust.ErrNoAnswer) {
		t.Errorf("expected %v, found %v", trust.ErrNoAnswer, err)
	}
	uncovered, err := (*trust.Map)(nil).Approve(t.Context(), panel, c.promise("a"))
	must(t, err)
	bare := view.Evidence()
	must(t, uncovered.AddTo(t.Context(), panel, bare))
	if len(bare.Checks) != own {
		t.Errorf("without an agreement: expected no more checks, found %+v", bare.Checks[own:])
	}
	if !strings.Contains(last.Expected, "2 of a, b, c promise the same "+agreed) {
		t.Errorf("expected who must agree on what, found %q", last.Expected)
	}
}

// cutOff has a role promise what matches a pattern, that nobody can fetch.
func (b *bench) cutOff(pattern string) {
	b.t.Helper()
	must(b.t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "away", Paths: []string{pattern}}))
	b.remote.fail("1.away.json", nil, trust.ErrNoAnswer)
}

// An artifact outside its repository is promised by its manifest alone, and so
// it is agreed on by whoever promises the same manifest.
func TestAgreementOnAnArtifactElsewhere(t *testing.T) {
	t.Parallel()
	const manifest = "ferry/0.9.0/release.json"
	for name, test := range map[string]struct {
		approve func(b *bench, raw []byte)
		kind    error
	}{
		"the same manifest":       {func(b *bench, raw []byte) { must(b.t, b.repo.AddTarget(manifest, raw)) }, nil},
		"another manifest":        {func(b *bench, raw []byte) { must(b.t, b.repo.AddTarget(manifest, append(raw, ' '))) }, trust.ErrNotApproved},
		"no manifest":             {func(*bench, []byte) {}, trust.ErrNotApproved},
		"no word on the manifest": {func(b *bench, _ []byte) { b.cutOff("ferry/*/release.json") }, trust.ErrNoAnswer},
		"no word on the file": {func(b *bench, raw []byte) {
			must(b.t, b.repo.AddTarget(manifest, raw))
			b.cutOff("ferry/*/*.zip")
		}, trust.ErrNoAnswer},
		"no word of the first on the manifest": {func(b *bench, raw []byte) { must(b.t, b.repo.AddTarget(manifest, raw)) }, trust.ErrNoAnswer},
		"another file there": {func(b *bench, raw []byte) {
			must(b.t, b.repo.AddTarget("ferry/0.9.0/ferry_0.9.0_windows_amd64.zip", raw))
		}, trust.ErrDisagree},
	} {
		repo, err := testrepo.Sample(testrepo.Options{Now: func() time.Time { return start }})
		must(t, err)
		a := &bench{t: t, now: start, repo: repo, remote: &remote{repo: repo}}
		a.config = trust.Config{Name: "a", Root: repo.Root(), Store: &trust.MemStore{}, Remote: a.remote, Now: func() time.Time { return a.now }}
		c := newCouncil(t, "", "")
		c.benches["a"] = a
		view := a.mustRefresh()
		m, err := view.Target(t.Context(), manifest)
		must(t, err)
		raw, _ := repo.Target(manifest)
		doc, err := view.Release(m, raw)
		must(t, err)
		last, err := view.Artifact(t.Context(), m, raw, len(doc.Artifacts)-1)
		must(t, err)
		if last.Manifest() != manifest {
			t.Fatalf("expected an artifact elsewhere, found %s", last.Path())
		}
		test.approve(c.benches["b"], slices.Clone(raw))
		c.benches["b"].publish()
		both := mapping(2, "a", "b")
		both.Paths = []string{"ferry/**"}
		panel := c.panel()
		if name == "no word of the first on the manifest" {
			panel.View = func(ctx context.Context, name string) (*trust.View, error) {
				if name == "a" {
					return nil, trust.ErrNoAnswer
				}
				return c.view(ctx, name)
			}
		}
		got, err := mapOf(t, both).Approve(t.Context(), panel, last)
		if !errors.Is(err, test.kind) || (err == nil) != (len(got.Repositories) == 2) {
			t.Errorf("%s: expected %v, found %v", name, test.kind, err)
		}
	}
}

// Those who list nothing are told of one by one.
func TestRefusalTellsWhoSaysWhat(t *testing.T) {
	t.Parallel()
	c := newCouncil(t, "x", "", "")
	_, err := mapOf(t, mapping(2, "a", "b", "c")).Approve(t.Context(), c.panel(), c.promise("a"))
	if err == nil || !strings.HasSuffix(err.Error(), "; b: does not list it; c: does not list it") ||
		!strings.HasPrefix(err.Error(), agreed+": not approved: expected 2 of a, b, c to promise the same, found a: 1 bytes, sha256:") {
		t.Errorf("found %v", err)
	}
}

// Digests are not all: another length under the same digest is another promise.
func TestAgreementOnTheLength(t *testing.T) {
	t.Parallel()
	c := newCouncil(t, "x", "x")
	b := c.benches["b"]
	must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(signed any) {
		signed.(*metadata.TargetsType).Targets[agreed].Length++
	}}))
	b.publish()
	if _, err := mapOf(t, mapping(2, "a", "b")).Approve(t.Context(), c.panel(), c.promise("a")); !errors.Is(err, trust.ErrDisagree) {
		t.Errorf("expected %v, found %v", trust.ErrDisagree, err)
	}
}

// Whoever is told that repositories disagree is told what each of them promises.
func TestDisagreementNamesTheOneThatAsked(t *testing.T) {
	t.Parallel()
	c := newCouncil(t, "x", "x", "y")
	open := mapping(2, "a", "b")
	open.Terminating = false
	_, err := mapOf(t, open, mapping(1, "c")).Approve(t.Context(), c.panel(), c.promise("c"))
	var refusal *trust.AgreementError
	if !errors.As(err, &refusal) || len(refusal.Answers) != 3 || refusal.Answers[2].Repository != "c" || !strings.Contains(err.Error(), "c: 1 bytes") {
		t.Errorf("expected the answers of a, b and c, found %v", err)
	}
}

// Three that agree, each two of them, are found although a fourth that agrees
// with one of them stands before.
func TestAgreementIsFoundAmongAll(t *testing.T) {
	t.Parallel()
	views := map[string]*trust.View{}
	for name, algorithms := range map[string][]string{"a": {"sha256", "sha512"}, "b": {"sha256"}, "c": {"sha512"}, "d": {"sha512"}} {
		b := newBench(t, testrepo.Options{})
		must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
			file, err := metadata.TargetFile().FromBytes("a.txt", []byte("alpha"), algorithms...)
			must(t, err)
			*s.(*metadata.TargetsType).Targets["a.txt"] = *file
		}}))
		b.publish()
		b.config.Name = name
		views[name] = b.mustRefresh()
	}
	panel := trust.Panel{View: func(_ context.Context, name string) (*trust.View, error) { return views[name], nil }}
	m := mapOf(t, trust.Mapping{Paths: []string{"**"}, Repositories: []string{"a", "b", "c", "d"}, Threshold: 3, Terminating: true})
	lead, err := views["a"].Target(t.Context(), "a.txt")
	must(t, err)
	got, err := m.Approve(t.Context(), panel, lead)
	if err != nil || !slices.Equal(got.Repositories, []string{"a", "c", "d"}) {
		t.Errorf("expected a, c and d, found %v, %v", got.Repositories, err)
	}
}
