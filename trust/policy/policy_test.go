package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/trust/policy"
	"assay/trust/provenance"
)

func TestRulesThatCannotBe(t *testing.T) {
	t.Parallel()
	two := []provenance.Identity{keyIdentity("a"), keyIdentity("b")}
	shouted := keyIdentity("a")
	shouted.Key = "sha256:" + strings.ToUpper(strings.TrimPrefix(shouted.Key, "sha256:"))
	for name, test := range map[string]struct {
		rule          policy.Rule
		field, detail string
	}{
		"nothing asked":             {policy.Rule{Repository: pattern("acme")}, "", "expected something that is asked for"},
		"an empty require":          {policy.Rule{Require: []policy.Kind{}}, "require", "found an empty list"},
		"an unknown kind":           {policy.Rule{Require: []policy.Kind{"sbom", "signatur"}}, "require.1", `found "signatur"`},
		"a kind that has a table":   {policy.Rule{Require: []policy.Kind{policy.KindRebuild}}, "require.0", "rebuild"},
		"a kind twice":              {policy.Rule{Require: []policy.Kind{"sbom", "sbom"}}, "require.1", "twice"},
		"no signers":                {policy.Rule{Signers: []provenance.Identity{}}, "signers", "found 0"},
		"too many signers":          {policy.Rule{Signers: make([]provenance.Identity, policy.MaxList+1)}, "signers", "found 257"},
		"a signer of no name":       {policy.Rule{Signers: []provenance.Identity{keyIdentity("a"), {}}}, "signers.1", "found nothing"},
		"everybody as a signer":     {policy.Rule{Signers: []provenance.Identity{{Issuer: pattern(github), Subject: pattern("**")}}}, "signers.0", "leaves somebody out"},
		"a signer twice":            {policy.Rule{Signers: []provenance.Identity{keyIdentity("a"), keyIdentity("a")}}, "signers.1", "twice"},
		"a key twice":               {policy.Rule{Signers: []provenance.Identity{keyIdentity("a"), shouted}}, "signers.1", "twice"},
		"threshold 0":               {policy.Rule{Signers: two, Threshold: pointer(0)}, "threshold", "expected 1 to 2, the number of signers, found 0"},
		"threshold below 0":         {policy.Rule{Signers: two, Threshold: pointer(-1)}, "threshold", "found -1"},
		"threshold above":           {policy.Rule{Signers: two, Threshold: pointer(3)}, "threshold", "found 3"},
		"threshold of nobody":       {policy.Rule{Threshold: pointer(1)}, "threshold", "expected signers"},
		"no builder":                {policy.Rule{Builder: []provenance.Pattern{}}, "builder", "found 0"},
		"an empty builder":          {policy.Rule{Builder: []provenance.Pattern{{}}}, "builder.0", "found none"},
		"any builder":               {policy.Rule{Builder: patterns("**")}, "builder.0", "keeps something out"},
		"any builder, by *":         {policy.Rule{Builder: patterns("*")}, "builder.0", "keeps something out"},
		"any builder on the web":    {policy.Rule{Builder: patterns("https://**")}, "builder.0", "keeps something out"},
		"any source, by expression": {policy.Rule{Source: patterns("/.*/")}, "source.0", "keeps something out"},
		"any source":                {policy.Rule{Source: patterns(source, "https://*/**")}, "source.1", "keeps something out"},
		"a source twice":            {policy.Rule{Source: patterns(source, source)}, "source.1", "twice"},
		"too many sources":          {policy.Rule{Source: make([]provenance.Pattern, policy.MaxList+1)}, "source", "found 257"},
		"any ref":                   {policy.Rule{Ref: patterns("refs/**")}, "ref.0", "keeps something out"},
		"level 0":                   {policy.Rule{SLSALevel: pointer(0)}, "slsa_level", "expected 1 to 3, found 0"},
		"level 4":                   {policy.Rule{SLSALevel: pointer(4)}, "slsa_level", "found 4"},
		"no rebuilders":             {policy.Rule{Rebuilders: &policy.Rebuilders{Need: 1}}, "rebuilders.of", "found 0"},
		"need 0":                    {policy.Rule{Rebuilders: &policy.Rebuilders{Of: two}}, "rebuilders.need", "found 0"},
		"need above":                {policy.Rule{Rebuilders: &policy.Rebuilders{Need: 3, Of: two}}, "rebuilders.need", "found 3"},
		"a rebuilder twice":         {policy.Rule{Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{keyIdentity("a"), keyIdentity("a")}}}, "rebuilders.of.1", "twice"},
		"no licence lists":          {policy.Rule{Licenses: &policy.Licenses{}}, "licenses", "found neither"},
		"no licence allowed":        {policy.Rule{Licenses: &policy.Licenses{Allow: []string{}}}, "licenses.allow", "found 0"},
		"no licence denied":         {policy.Rule{Licenses: &policy.Licenses{Allow: []string{"MIT"}, Deny: []string{}}}, "licenses.deny", "found 0"},
		"any licence":               {policy.Rule{Licenses: &policy.Licenses{Allow: []string{"MIT", "*"}}}, "licenses.allow.1", `found "*"`},
		"an expression":             {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT OR X"}}}, "licenses.deny.0", "SPDX id"},
		"an empty licence":          {policy.Rule{Licenses: &policy.Licenses{Deny: []string{""}}}, "licenses.deny.0", "SPDX id"},
		"a licence of a sort":       {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT", "a@b"}}}, "licenses.deny.1", "SPDX id"},
		"a licence with a tilde":    {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"a~b"}}}, "licenses.deny.0", "SPDX id"},
		"a licence with a bracket":  {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"a[b"}}}, "licenses.deny.0", "SPDX id"},
		"a licence's half":          {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"-MIT"}}}, "licenses.deny.0", "SPDX id"},
		"a licence that none has":   {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT++"}}}, "licenses.deny.0", "SPDX id"},
		"an operator":               {policy.Rule{Licenses: &policy.Licenses{Allow: []string{"AND"}}}, "licenses.allow.0", "SPDX id"},
		"a licence in brackets":     {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"(MIT)"}}}, "licenses.deny.0", "SPDX id"},
		"a choice of exceptions":    {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT WITH x OR ISC"}}}, "licenses.deny.0", "SPDX id"},
		"a licence between spaces":  {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT\u00a0AND\u00a0ISC"}}}, "licenses.deny.0", "SPDX id"},
		"no exception":              {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT WITH "}}}, "licenses.deny.0", "SPDX id"},
		"a licence twice":           {policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT", "mit"}}}, "licenses.deny.1", "twice"},
		"allowed and denied":        {policy.Rule{Licenses: &policy.Licenses{Allow: []string{"X11", "MIT"}, Deny: []string{"mit"}}}, "licenses.allow.1", "denied, too"},
		"denied by an old name":     {policy.Rule{Licenses: &policy.Licenses{Allow: []string{"GPL-2.0-only"}, Deny: []string{"GPL-2.0"}}}, "licenses.allow.0", "denied, too"},
		"a long licence":            {policy.Rule{Licenses: &policy.Licenses{Deny: []string{strings.Repeat("x", 1025)}}}, "licenses.deny.0", "expected at most 1024 bytes, found 1025"},
		"no components":             {policy.Rule{Components: &policy.Components{}}, "components.deny", "found 0"},
		"a bad range":               {policy.Rule{Components: &policy.Components{Deny: []string{"x", "y@<<1"}}}, "components.deny.1", "range"},
		"unknown advice":            {policy.Rule{Advisories: "ignore"}, "advisories", `found "ignore"`},
		"negative age":              {policy.Rule{MinAge: pointer(policy.Span(-1))}, "min_age", "expected a duration above 0"},
		"no age":                    {policy.Rule{MaxAge: pointer(policy.Span(0))}, "max_age", "expected a duration above 0"},
		"an endless age":            {policy.Rule{MaxBuildAge: pointer(policy.MaxSpan + 1)}, "max_build_age", "expected a duration above 0"},
		"older than too old":        {policy.Rule{MinAge: pointer(policy.Span(3 * day)), MaxAge: pointer(policy.Span(2 * day))}, "min_age", "expected at most 2d, the max_age, found 3d"},
		"no statuses":               {policy.Rule{Statuses: []string{}}, "statuses", "empty list"},
		"revoked":                   {policy.Rule{Statuses: []string{"current", "revoked"}}, "statuses.1", "always refused"},
		"an unknown status":         {policy.Rule{Statuses: []string{"Current"}}, "statuses.0", `found "Current"`},
	} {
		p, err := policy.New([]policy.Rule{{Require: []policy.Kind{policy.KindSBOM}}, test.rule}, nil)
		var wrong *policy.RuleError
		if p != nil || !errors.Is(err, policy.ErrRule) || !errors.As(err, &wrong) {
			t.Errorf("%s: expected %v, found %v", name, policy.ErrRule, err)
			continue
		}
		if wrong.Table != policy.TablePolicy || wrong.Rule != 1 || wrong.Field != test.field || !strings.Contains(wrong.Detail, test.detail) || !strings.HasPrefix(err.Error(), "policy.2: ") {
			t.Errorf("%s: expected %q: %q, found %+v", name, test.field, test.detail, wrong)
		}
	}
}

func TestRulesThatCanBe(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]policy.Rule{
		"licences":      {Licenses: &policy.Licenses{Allow: []string{"GPL-2.0-only WITH Classpath-exception-2.0", "LicenseRef-Acme.1", "DocumentRef-x:LicenseRef-y", "GPL-2.0+", "0BSD"}}},
		"one day":       {MinAge: pointer(policy.Span(day)), MaxAge: pointer(policy.Span(day))},
		"one of one":    {Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{keyIdentity("a")}}},
		"tags or heads": {Ref: patterns("refs/tags/**", "refs/heads/main")},
		"any project":   {Source: patterns("https://github.com/**")},
		"the longest":   {MaxAge: pointer(policy.MaxSpan)},
		"one key twice": {Signers: []provenance.Identity{keyIdentity("a"), {Profile: "other", Key: keyOf("a")}}},
	} {
		if _, err := policy.New([]policy.Rule{rule}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBuildersThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		builder policy.Builder
		field   string
	}{
		"no builder":  {policy.Builder{Signer: keyIdentity("a"), Level: 1}, "builder"},
		"any builder": {policy.Builder{Builder: pattern("**"), Signer: keyIdentity("a"), Level: 1}, "builder"},
		"nobody":      {policy.Builder{Builder: pattern("b"), Level: 1}, "signer"},
		"everybody":   {policy.Builder{Builder: pattern("b"), Signer: workflowIdentity("**"), Level: 1}, "signer"},
		"no level":    {policy.Builder{Builder: pattern("b"), Signer: keyIdentity("a")}, "level"},
		"level 4":     {policy.Builder{Builder: pattern("b"), Signer: keyIdentity("a"), Level: 4}, "level"},
	} {
		_, err := policy.New(nil, []policy.Builder{builders()[0], test.builder})
		var wrong *policy.RuleError
		if !errors.Is(err, policy.ErrRule) || !errors.As(err, &wrong) || wrong.Table != policy.TableBuilders || wrong.Rule != 1 || wrong.Field != test.field {
			t.Errorf("%s: expected %v about %s, found %v", name, policy.ErrRule, test.field, err)
		}
	}
}

func TestTooManyRules(t *testing.T) {
	t.Parallel()
	for table, make := range map[string]func(int) error{
		policy.TablePolicy: func(n int) error {
			_, err := policy.New(slices.Repeat([]policy.Rule{{SLSALevel: pointer(1)}}, n), nil)
			return err
		},
		policy.TableBuilders: func(n int) error {
			_, err := policy.New(nil, slices.Repeat(builders(), n))
			return err
		},
	} {
		var wrong *policy.RuleError
		if err := make(257); !errors.As(err, &wrong) || wrong.Table != table || !strings.Contains(wrong.Detail, "found 257") {
			t.Errorf("%s: expected %v, found %v", table, policy.ErrRule, err)
		}
		if err := make(256); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
}

// The digest is the same for what judges alike, and differs for what may not.
func TestDigest(t *testing.T) {
	t.Parallel()
	if got := newPolicy(t).Digest(); !got.IsZero() {
		t.Errorf("expected none without rules, found %s", got)
	}
	if got := (*policy.Policy)(nil).Digest(); !got.IsZero() {
		t.Errorf("expected none of nil, found %s", got)
	}
	a, b := policy.Rule{Signers: []provenance.Identity{keyIdentity("a"), keyIdentity("b")}, Source: patterns("x", "y")}, policy.Rule{Require: []policy.Kind{"sbom", "signature"}}
	turned := policy.Rule{Signers: []provenance.Identity{keyIdentity("b"), keyIdentity("a")}, Source: patterns("y", "x"), Threshold: pointer(1)}
	base := newPolicy(t, a, b).Digest()
	for i, rules := range [][]policy.Rule{{b, a}, {turned, b}, {a, {Require: []policy.Kind{"signature", "sbom"}}}} {
		if got := newPolicy(t, rules...).Digest(); got != base {
			t.Errorf("%d: expected the same digest, found another", i)
		}
	}
	if a.Signers[0].Key != keyOf("a") || b.Require[0] != "sbom" {
		t.Error("the rules were changed")
	}
	seen := map[string]string{base.String(): "the base"}
	differs := func(name string, rules []policy.Rule, table []policy.Builder) {
		p, err := policy.New(rules, table)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[p.Digest().String()]; twice {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[p.Digest().String()] = name
	}
	differs("another table", []policy.Rule{a, b}, nil)
	differs("one rule", []policy.Rule{a}, builders())
	for _, d := range demands() {
		differs(d.id+" "+d.found, []policy.Rule{d.rule}, builders())
	}
	for name, change := range map[string]func(*policy.Rule){
		"repository": func(r *policy.Rule) { r.Repository = pattern("x") },
		"product":    func(r *policy.Rule) { r.Product = pattern("x") },
		"channel":    func(r *policy.Rule) { r.Channel = pattern("x") },
		"threshold":  func(r *policy.Rule) { r.Threshold = pointer(2) },
		"min_age":    func(r *policy.Rule) { r.MinAge = pointer(policy.Span(time.Hour)) },
		"max_age":    func(r *policy.Rule) { r.MaxAge = pointer(policy.Span(time.Hour)) },
		"build age":  func(r *policy.Rule) { r.MaxBuildAge = pointer(policy.Span(time.Hour)) },
		"warn":       func(r *policy.Rule) { r.Advisories = policy.Warn },
		"deny":       func(r *policy.Rule) { r.Advisories = policy.Deny },
	} {
		changed := a
		change(&changed)
		differs(name, []policy.Rule{changed, b}, builders())
	}
}

func TestSignersAndProfiles(t *testing.T) {
	t.Parallel()
	a := policy.Rule{Repository: pattern("acme"), Signers: []provenance.Identity{keyIdentity("a")}, Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{keyIdentity("b")}}}
	b := policy.Rule{Repository: pattern("other"), Signers: []provenance.Identity{{Profile: "else", Key: keyOf("c")}, {Key: keyOf("d")}}}
	p := newPolicy(t, a, b)
	want := []provenance.Identity{keyIdentity("a"), keyIdentity("b"), builders()[0].Signer}
	alike := func(a, b provenance.Identity) bool { return a.String() == b.String() && a.Profile == b.Profile }
	if got := p.Signers("acme", "", ""); !slices.EqualFunc(got, want, alike) {
		t.Errorf("expected %v, found %v", want, got)
	}
	for repository, want := range map[string][]string{"acme": {"keys", "public-good"}, "other": {"else", "public-good"}, "third": nil} {
		if got := p.Profiles(repository, "", ""); !slices.Equal(got, want) {
			t.Errorf("%s: expected %v, found %v", repository, want, got)
		}
	}
}

// Rebuilders are those of the rules that apply, but a project's, and neither
// signers nor builders of the table.
func TestRebuildersOfRules(t *testing.T) {
	t.Parallel()
	a, b, c := keyIdentity("a"), keyIdentity("b"), keyIdentity("c")
	p := newPolicy(t,
		policy.Rule{Product: pattern("hello"), Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{a}}},
		policy.Rule{Channel: pattern("stable"), Guest: true, Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{b}}},
		policy.Rule{Signers: []provenance.Identity{c}},
	)
	for _, test := range []struct {
		product, channel string
		want             []provenance.Identity
	}{
		{"hello", "stable", []provenance.Identity{a}}, {"hello", "", []provenance.Identity{a}}, {"hello", "edge", []provenance.Identity{a}},
		{"other", "edge", nil},
	} {
		found := p.Rebuilders("acme", test.product, test.channel)
		if !slices.EqualFunc(found, test.want, func(x, y provenance.Identity) bool { return x.String() == y.String() }) {
			t.Errorf("%s in %q: expected %v, found %v", test.product, test.channel, test.want, found)
		}
	}
}

// Hosts are whom the rules of the host name, if they name signers; where they
// name none, a project's count.
func TestHostsOfRules(t *testing.T) {
	t.Parallel()
	host := policy.Rule{Signers: []provenance.Identity{keyIdentity("a")}}
	idle := policy.Rule{Statuses: []string{"current"}}
	guest := policy.Rule{Guest: true, Signers: []provenance.Identity{keyIdentity("b")}}
	table := builders()[0].Signer
	for name, test := range map[string]struct {
		rules []policy.Rule
		want  []provenance.Identity
	}{
		"both":                {[]policy.Rule{host, guest}, []provenance.Identity{keyIdentity("a"), table}},
		"the guest alone":     {[]policy.Rule{guest}, []provenance.Identity{keyIdentity("b"), table}},
		"a host that is idle": {[]policy.Rule{idle, guest}, []provenance.Identity{keyIdentity("b"), table}},
	} {
		found := newPolicy(t, test.rules...).Hosts("acme", "", "")
		if !slices.EqualFunc(found, test.want, func(x, y provenance.Identity) bool { return x.String() == y.String() }) {
			t.Errorf("%s: expected %v, found %v", name, test.want, found)
		}
	}
}

// What only a rebuilder says is a rebuild, and no provenance.
func TestOnlyRebuildIsNoProvenance(t *testing.T) {
	t.Parallel()
	s := good()
	before := s.Kinds()
	for i := range s.Signatures {
		s.Signatures[i].OnlyRebuild = true
	}
	if after := s.Kinds(); !slices.Contains(before, policy.KindProvenance) || slices.Contains(after, policy.KindProvenance) || len(after) != len(before)-1 {
		t.Errorf("expected all but the provenance of %v, found %v", before, after)
	}
}

// A rule of a project names signers as any rule; the profiles of these judge
// nothing because of it, and it brings the table's builders in no more than that.
func TestGuestsProfiles(t *testing.T) {
	t.Parallel()
	own := policy.Rule{Repository: pattern("acme"), Signers: []provenance.Identity{keyIdentity("a")}}
	guest := policy.Rule{Signers: []provenance.Identity{{Profile: "lab", Key: keyOf("b")}}, Guest: true}
	p := newPolicy(t, own, guest)
	for repository, want := range map[string][]string{"acme": {"keys", "public-good"}, "other": nil} {
		if got := p.Profiles(repository, "", ""); !slices.Equal(got, want) {
			t.Errorf("%s: expected %v, found %v", repository, want, got)
		}
	}
	if got := p.Signers("acme", "", ""); len(got) != 3 || got[1].Profile != "lab" {
		t.Errorf("expected the guest's signer among them, found %v", got)
	}
}

// The table counts for a signer and a builder together, the highest entry first.
func TestSLSALevel(t *testing.T) {
	t.Parallel()
	low := builders()[0]
	low.Level = 1
	p, err := policy.New(nil, []policy.Builder{low, builders()[0], low})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		sig  policy.Signature
		want int
	}{
		"both":           {built(byWorkflow(generator), generator), 3},
		"only a signer":  {byWorkflow(generator), 0},
		"other builder":  {built(byWorkflow(generator), workflow), 0},
		"other signer":   {built(byWorkflow(workflow), generator), 0},
		"a key's claims": {built(byKey("acme"), generator), 0},
	} {
		if got := p.SLSALevel(test.sig); got != test.want {
			t.Errorf("%s: expected level %d, found %d", name, test.want, got)
		}
	}
	if got := (*policy.Policy)(nil).SLSALevel(built(byWorkflow(generator), generator)); got != 0 {
		t.Errorf("expected no level of no policy, found %d", got)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"1s": time.Second, "90m": 90 * time.Minute, "72h": 72 * time.Hour, "90d": 90 * day, "2w": 14 * day, "36525d": 36525 * day} {
		got, err := policy.ParseSpan(text)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%s: expected %s, found %s, %v", text, want, time.Duration(got), err)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "01d", "1", "1.5d", "1 d", "1y", "36526d", "99999999999d", "9999999999w", "1d\n", "１d", "1_0d", "+1d", strings.Repeat("9", 1<<20) + "d"} {
		if got, err := policy.ParseSpan(text); !errors.Is(err, policy.ErrSpan) || got != 0 {
			t.Errorf("%q: expected %v, found %s, %v", text, policy.ErrSpan, got, err)
		}
	}
	span := policy.Span(7)
	if err := span.UnmarshalText([]byte("x")); !errors.Is(err, policy.ErrSpan) || span != 7 {
		t.Errorf("expected %v, found %v, %d", policy.ErrSpan, err, span)
	}
	for want, span := range map[string]policy.Span{"0s": 0, "1d": policy.Span(day), "25h": policy.Span(25 * time.Hour), "7d": policy.Span(7 * day), "90s": policy.Span(90 * time.Second)} {
		if span.String() != want {
			t.Errorf("expected %s, found %s", want, span)
		}
	}
}
