package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/provenance"
	"assay/trust/provenance/slsa"
	"assay/trust/sbom"
)

// demand is a check: a rule that asks for it, and what good must lose to fail it.
type demand struct {
	id    string
	rule  policy.Rule
	harm  map[string]func(*policy.Subject)
	found string // what the check tells where it passes
}

func demands() []demand {
	return []demand{
		{
			policy.IDRequire, policy.Rule{Require: []policy.Kind{policy.KindSignature}},
			map[string]func(*policy.Subject){"no signature": func(s *policy.Subject) { s.Signatures = nil }}, keyOf("acme"),
		},
		{
			policy.IDRequire, policy.Rule{Require: []policy.Kind{policy.KindProvenance}},
			map[string]func(*policy.Subject){"only signatures over the bytes": func(s *policy.Subject) { s.Signatures = []policy.Signature{byKey("acme")} }}, generator[:60],
		},
		{
			policy.IDRequire, policy.Rule{Require: []policy.Kind{policy.KindSBOM}},
			map[string]func(*policy.Subject){
				"only the manifest's list": func(s *policy.Subject) { s.HasSBOM = false },
				"nothing":                  func(s *policy.Subject) { s.HasSBOM, s.Components = false, nil },
			}, "2 components",
		},
		{
			policy.IDRequire, policy.Rule{Require: []policy.Kind{policy.KindAgreement}},
			map[string]func(*policy.Subject){
				"one repository":       func(s *policy.Subject) { s.Agreed = []string{"acme"} },
				"one repository twice": func(s *policy.Subject) { s.Agreed = []string{"acme", "acme"} },
			}, `"acme", "approvals"`,
		},
		{
			policy.IDSigners, policy.Rule{Signers: []provenance.Identity{workflowIdentity(source + "/.github/workflows/*@refs/tags/*"), keyIdentity("acme")}, Threshold: pointer(2)},
			map[string]func(*policy.Subject){
				"one of two": func(s *policy.Subject) { s.Signatures = []policy.Signature{byKey("acme")} },
				"others":     func(s *policy.Subject) { s.Signatures = []policy.Signature{byKey("mallory"), byKey("eve")} },
				"none":       func(s *policy.Subject) { s.Signatures = nil },
			}, "2: ",
		},
		{
			policy.IDSigners, policy.Rule{Signers: []provenance.Identity{keyIdentity("acme"), keyIdentity("spare")}},
			map[string]func(*policy.Subject){"by another profile": func(s *policy.Subject) {
				s.Signatures = []policy.Signature{byKey("acme")}
				s.Signatures[0].Profile = "others"
			}}, "1: ",
		},
		{
			policy.IDBuilder, policy.Rule{Builder: patterns("https://github.com/slsa-framework/**@refs/tags/*")},
			map[string]func(*policy.Subject){
				"another builder": func(s *policy.Subject) {
					s.Signatures = []policy.Signature{built(byWorkflow(workflow), workflow)}
				},
				"no provenance": func(s *policy.Subject) { s.Signatures = []policy.Signature{byKey("acme")} },
				"no builder":    func(s *policy.Subject) { s.Signatures = []policy.Signature{built(byWorkflow(generator), "")} },
			}, generator,
		},
		{
			policy.IDSource, policy.Rule{Source: patterns(source)},
			map[string]func(*policy.Subject){
				"another source": func(s *policy.Subject) { s.Signatures[0].Provenance.Source.Repository = source + "-evil" },
				"no source":      func(s *policy.Subject) { s.Signatures[0].Provenance.Source = slsa.Source{} },
				"no provenance":  func(s *policy.Subject) { s.Signatures = s.Signatures[1:3] },
			}, source,
		},
		{
			policy.IDRef, policy.Rule{Ref: patterns("refs/tags/v*")},
			map[string]func(*policy.Subject){"a branch": func(s *policy.Subject) { s.Signatures[0].Provenance.Source.Ref = "refs/heads/main" }}, "refs/tags/v1.4.2",
		},
		{
			policy.IDSLSA, policy.Rule{SLSALevel: pointer(3)},
			map[string]func(*policy.Subject){
				"not in the table": func(s *policy.Subject) { s.Signatures = []policy.Signature{built(byWorkflow(workflow), workflow)} },
				"the builder's name, signed by another": func(s *policy.Subject) {
					s.Signatures = []policy.Signature{built(byWorkflow(workflow), generator)}
				},
				"the signer, naming another builder": func(s *policy.Subject) {
					s.Signatures = []policy.Signature{built(byWorkflow(generator), workflow)}
				},
			}, "level 3",
		},
		{
			policy.IDRebuilders, policy.Rule{Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{keyIdentity("rebuilder"), keyIdentity("other")}}},
			map[string]func(*policy.Subject){
				"a signature without a provenance": func(s *policy.Subject) { s.Signatures = []policy.Signature{byKey("rebuilder")} },
				"of other bytes":                   func(s *policy.Subject) { s.Signatures[3].Artifact = digestsOf("other")[0] },
				"by somebody else":                 func(s *policy.Subject) { s.Signatures = s.Signatures[:3] },
			}, "1: ",
		},
		{
			policy.IDLicenses, policy.Rule{Licenses: &policy.Licenses{Allow: []string{"MIT", "Apache-2.0"}}},
			map[string]func(*policy.Subject){
				"the product's":           func(s *policy.Subject) { s.License = "BUSL-1.1" },
				"the product's, unstated": func(s *policy.Subject) { s.License = "" },
				"a component's":           func(s *policy.Subject) { s.Components[0].License = "MIT AND GPL-3.0-only" },
				"a component's, unstated": func(s *policy.Subject) { s.Components[0].License = "NOASSERTION" },
				"no list":                 func(s *policy.Subject) { s.HasSBOM, s.Components = false, nil },
			}, "2 components",
		},
		{
			policy.IDLicenses, policy.Rule{Licenses: &policy.Licenses{Deny: []string{"AGPL-3.0-only"}}},
			map[string]func(*policy.Subject){
				"no way around it":   func(s *policy.Subject) { s.Components[1].License = "MIT AND AGPL-3.0-only" },
				"not stated":         func(s *policy.Subject) { s.Components[1].License = "" },
				"not stated in part": func(s *policy.Subject) { s.Components[1].License = "MIT AND NOASSERTION" },
				"beside a text": func(s *policy.Subject) {
					s.Components[1].License = `"GNU Affero General Public License v3.0" AND MIT`
				},
				"the product's": func(s *policy.Subject) { s.License = "agpl-3.0-only" },
			}, "MIT",
		},
		{
			policy.IDComponents, policy.Rule{Components: &policy.Components{Deny: []string{"log4j-core@<2.17.1", "pkg:npm/left-pad"}}},
			map[string]func(*policy.Subject){
				"an old one":       func(s *policy.Subject) { s.Components[0].Version = "2.14.1" },
				"by its purl":      func(s *policy.Subject) { s.Components[1] = sbom.Component{Name: "x", PURL: "pkg:npm/left-pad@1.3.0"} },
				"without a purl":   func(s *policy.Subject) { s.Components[1] = sbom.Component{Name: "left-pad"} },
				"with an odd purl": func(s *policy.Subject) { s.Components[1] = sbom.Component{Name: "left-pad", PURL: "garbage"} },
				"with half a purl": func(s *policy.Subject) { s.Components[1] = sbom.Component{Name: "left-pad", PURL: "pkg:npm/%zz"} },
				"as Maven writes it": func(s *policy.Subject) {
					s.Components[1] = sbom.Component{Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.0"}
				},
				"of no known version":   func(s *policy.Subject) { s.Components[0].Version = "" },
				"not known which":       func(s *policy.Subject) { s.HasSBOM, s.Components = false, nil },
				"a claim that it holds": func(s *policy.Subject) { s.HasSBOM, s.Components[0].Version = false, "2.14.1" },
			}, "2 other components",
		},
		{
			policy.IDAdvisories, policy.Rule{Advisories: policy.Deny},
			map[string]func(*policy.Subject){
				"affected":          func(s *policy.Subject) { s.Findings = []advisory.Finding{finding(advisory.Affected)} },
				"not known whether": func(s *policy.Subject) { s.Findings = []advisory.Finding{finding(advisory.Unknown)} },
				"no such state":     func(s *policy.Subject) { s.Findings = []advisory.Finding{finding("")} },
				"no advisories":     func(s *policy.Subject) { s.Advisories = nil },
				"no list":           func(s *policy.Subject) { s.HasSBOM, s.Components = false, nil },
			}, "none in 2 components",
		},
		{
			policy.IDAge, policy.Rule{MinAge: pointer(policy.Span(10 * day))},
			map[string]func(*policy.Subject){
				"too young":     func(s *policy.Subject) { s.Published = ago(10*day - time.Second) },
				"in the future": func(s *policy.Subject) { s.Published = now().Add(2 * time.Hour) },
				"just ahead":    func(s *policy.Subject) { s.Published = now().Add(time.Minute) },
				"no date":       func(s *policy.Subject) { s.Published = time.Time{} },
			}, ", 10d ago",
		},
		{
			policy.IDAge, policy.Rule{MaxAge: pointer(policy.Span(10 * day))},
			map[string]func(*policy.Subject){
				"too old":       func(s *policy.Subject) { s.Published = ago(10*day + time.Second) },
				"in the future": func(s *policy.Subject) { s.Published = now().Add(time.Hour + time.Second) },
				"no date":       func(s *policy.Subject) { s.Published = time.Time{} },
			}, ", 10d ago",
		},
		{
			policy.IDAge, policy.Rule{MaxBuildAge: pointer(policy.Span(11 * day))},
			map[string]func(*policy.Subject){
				"too old": func(s *policy.Subject) { s.Built = ago(12 * day) },
				"no date": func(s *policy.Subject) { s.Built = time.Time{} },
			}, ", 11d ago",
		},
		{
			policy.IDStatus, policy.Rule{Statuses: []string{"current", "superseded"}},
			map[string]func(*policy.Subject){
				"deprecated": func(s *policy.Subject) { s.Status = "deprecated" },
				"revoked":    func(s *policy.Subject) { s.Status = "revoked" },
				"none":       func(s *policy.Subject) { s.Status = "" },
			}, "current",
		},
	}
}

// Each check passes, fails for each reason, and is not checked where no rule asks
// for it.
func TestEveryDemand(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	for _, d := range demands() {
		told[d.id] = true
		p := newPolicy(t, d.rule)
		checks, err := p.Judge(good(), now())
		if err != nil {
			t.Errorf("%s: %v", d.id, err)
			continue
		}
		for _, c := range checks {
			want := trust.NotChecked
			if c.ID == d.id {
				want = trust.Pass
				if !strings.Contains(c.Found, d.found) || !strings.HasSuffix(c.Expected, "(policy.1)") {
					t.Errorf("%s: expected %q to be found, found %+v", d.id, d.found, c)
				}
			}
			if c.Result != want || want == trust.NotChecked && c.Why != "no rule asks for it" {
				t.Errorf("%s: expected %s of %s, found %+v", d.id, want, c.ID, c)
			}
		}
		for name, harm := range d.harm {
			s := good()
			harm(&s)
			if got := failing(t, p, s); !slices.Equal(got, []string{d.id}) {
				t.Errorf("%s, %s: expected it to fail alone, found %v", d.id, name, got)
			}
		}
	}
	for _, id := range []string{
		policy.IDRequire, policy.IDSigners, policy.IDBuilder, policy.IDSource, policy.IDRef, policy.IDSLSA, policy.IDRebuilders,
		policy.IDLicenses, policy.IDComponents, policy.IDAdvisories, policy.IDAge, policy.IDStatus,
	} {
		if !told[id] {
			t.Errorf("nothing tests %s", id)
		}
	}
}

func TestNoRuleApplies(t *testing.T) {
	t.Parallel()
	other := policy.Rule{Repository: pattern("other"), Require: []policy.Kind{policy.KindSBOM}}
	for _, p := range []*policy.Policy{nil, {}, newPolicy(t), newPolicy(t, other)} {
		checks, err := p.Judge(policy.Subject{Repository: "acme"}, now())
		if err != nil || len(checks) != 1 || checks[0] != (trust.Check{ID: "policy", Result: trust.NotChecked, Why: "no rule applies"}) {
			t.Errorf("expected one check that no rule applies, found %v, %v", checks, err)
		}
	}
}

// What is demanded of a provenance is demanded of one.
func TestTwoProvenancesDoNotAddUp(t *testing.T) {
	t.Parallel()
	p := newPolicy(t, policy.Rule{Signers: []provenance.Identity{keyIdentity("acme")}, Source: patterns(source), Ref: patterns("refs/tags/*")})
	branch, fork := built(byKey("acme"), "b"), built(byKey("acme"), "b")
	branch.Provenance.Source.Ref = "refs/heads/main"
	fork.Provenance.Source.Repository = "https://github.com/mallory/hello"
	s := good()
	s.Signatures = []policy.Signature{branch, fork}
	if got := failing(t, p, s); !slices.Equal(got, []string{policy.IDRef}) {
		t.Errorf("expected the ref to fail, found %v", got)
	}
	s.Signatures = append(s.Signatures, built(byKey("acme"), "b"))
	if got := failing(t, p, s); got != nil {
		t.Errorf("expected it to pass, found %v", got)
	}
}

// A pattern that would take nothing for something is no way around.
func TestPatternThatMatchesNothing(t *testing.T) {
	t.Parallel()
	s := good()
	s.Signatures[0].Provenance.Source = slsa.Source{}
	p := newPolicy(t, policy.Rule{Source: patterns("/(" + source + ")?/")})
	if got := failing(t, p, s); !slices.Equal(got, []string{policy.IDSource}) {
		t.Errorf("expected the source to fail, found %v", got)
	}
}

// Components are known by a bill of materials, even an empty one, or by the
// manifest's list.
func TestKnownComponents(t *testing.T) {
	t.Parallel()
	rules := []policy.Rule{
		{Components: &policy.Components{Deny: []string{"left-pad"}}}, {Advisories: policy.Deny}, {Licenses: &policy.Licenses{Allow: []string{"MIT", "Apache-2.0"}}},
	}
	for name, test := range map[string]struct {
		sbom  bool
		list  []sbom.Component
		fails []string
		why   string
	}{
		"an empty bill": {true, nil, nil, ""},
		"a claim":       {false, good().Components, nil, "the components are those that the manifest claims"},
		"neither":       {false, nil, []string{policy.IDLicenses, policy.IDComponents, policy.IDAdvisories}, "the components are those that the manifest claims"},
	} {
		s := good()
		s.HasSBOM, s.Components = test.sbom, test.list
		p := newPolicy(t, rules...)
		if got := failing(t, p, s); !slices.Equal(got, test.fails) {
			t.Errorf("%s: expected %v to fail, found %v", name, test.fails, got)
		}
		checks, _ := p.Judge(s, now())
		for _, c := range checks {
			if c.Result != trust.NotChecked && c.Why != test.why {
				t.Errorf("%s: expected %q, found %+v", name, test.why, c)
			}
		}
	}
}

// Advisories that only warn refuse nothing, and never say that all is well.
func TestAdvisoriesThatWarn(t *testing.T) {
	t.Parallel()
	p := newPolicy(t, policy.Rule{Advisories: policy.Warn})
	for name, test := range map[string]struct {
		harm   func(*policy.Subject)
		result trust.Result
		found  string
	}{
		"affected": {func(s *policy.Subject) { s.Findings = []advisory.Finding{finding(advisory.Affected)} }, trust.NotChecked, "CVE-2026-1 in tiny 1.0.0"},
		"both": {func(s *policy.Subject) {
			s.Findings = []advisory.Finding{finding(advisory.Unknown), finding(advisory.Affected)}
		}, trust.NotChecked, `"CVE-2026-1 in tiny 1.0.0", "CVE-2026-1 in tiny 1.0.0 (not known whether)"`},
		"unknown":      {func(s *policy.Subject) { s.Findings = []advisory.Finding{finding(advisory.Unknown)} }, trust.NotChecked, "not known whether"},
		"none":         {func(s *policy.Subject) { s.Advisories = nil }, trust.NotChecked, "no advisories"},
		"not affected": {func(s *policy.Subject) { s.Findings = []advisory.Finding{finding(advisory.NotAffected)} }, trust.Pass, "none in 2 components, by \"osv.json\"; 1 cleared"},
		"fixed": {func(s *policy.Subject) {
			s.Findings = []advisory.Finding{finding(advisory.Fixed), finding(advisory.NotAffected)}
		}, trust.Pass, "none in 2 components, by \"osv.json\"; 2 cleared"},
		"one of two": {func(s *policy.Subject) {
			s.Findings = []advisory.Finding{finding(advisory.Fixed), finding(advisory.Affected)}
		}, trust.NotChecked, "\"CVE-2026-1 in tiny 1.0.0\"; 1 cleared"},
		"nothing": {func(*policy.Subject) {}, trust.Pass, `none in 2 components, by "osv.json"`},
	} {
		s := good()
		test.harm(&s)
		checks, err := p.Judge(s, now())
		i := slices.IndexFunc(checks, func(c trust.Check) bool { return c.ID == policy.IDAdvisories })
		if err != nil || checks[i].Result != test.result || !strings.Contains(checks[i].Found, test.found) {
			t.Errorf("%s: expected %s and %q, found %+v, %v", name, test.result, test.found, checks[i], err)
		}
		if checks[i].Result == trust.NotChecked && checks[i].Why != checks[i].Found+"; the rule only warns" {
			t.Errorf("%s: expected the reason to tell what was found, found %+v", name, checks[i])
		}
		if checks[i].Result == trust.Pass && (checks[i].Found != test.found || checks[i].Why != "") {
			t.Errorf("%s: expected %q and no reason, found %+v", name, test.found, checks[i])
		}
	}
}

// How long ago something was is told as a person would.
func TestAges(t *testing.T) {
	t.Parallel()
	atMost := newPolicy(t, policy.Rule{MaxAge: pointer(policy.Span(10 * day))})
	for _, test := range []struct {
		age  time.Duration
		want string
	}{
		{9*day + 2*time.Hour + 6*time.Second, "9d ago"},
		{2 * day, "2d ago"},
		{2*day - time.Second, "47h ago"},
		{2 * time.Hour, "2h ago"},
		{2*time.Hour - time.Second, "119m ago"},
		{2 * time.Minute, "2m ago"},
		{2*time.Minute - time.Second, "119s ago"},
		{time.Second, "1s ago"},
		{time.Second - 1, "just now"},
		{0, "just now"},
		{-time.Hour, "just now"},
		{10 * day, "10d ago"},
		{10*day + 1, "more than 10d ago"},
		{400 * day, "more than 400d ago"},
	} {
		s := good()
		s.Published = ago(test.age)
		checks, _ := atMost.Judge(s, now())
		i := slices.IndexFunc(checks, func(c trust.Check) bool { return c.ID == policy.IDAge })
		if want := s.Published.Format(time.RFC3339) + ", " + test.want; checks[i].Found != want {
			t.Errorf("%s: expected %q, found %+v", test.age, want, checks[i])
		}
		if tooOld := test.age > 10*day; policy.IsTooOld(checks[i]) != tooOld {
			t.Errorf("%s: expected that it is too old: %v, found %+v", test.age, tooOld, checks[i])
		}
	}
	// What is too young is not more than it is.
	atLeast := newPolicy(t, policy.Rule{MinAge: pointer(policy.Span(10 * day)), Statuses: []string{"deprecated"}})
	s := good()
	s.Published = ago(10*day - 1)
	checks, _ := atLeast.Judge(s, now())
	for _, c := range checks {
		if c.ID == policy.IDAge && !strings.HasSuffix(c.Found, ", 9d ago") || policy.IsTooOld(c) {
			t.Errorf("expected what is too young, and no more, found %+v", c)
		}
	}
	if other := (trust.Check{ID: policy.IDStatus, Result: trust.Fail, Expected: "published at most 1d ago"}); policy.IsTooOld(other) {
		t.Errorf("expected no other check to be about age, found %+v", other)
	}
}

// A component with several licences may be had under one, which all rules
// together let it have.
func TestLicensesOfSeveralRules(t *testing.T) {
	t.Parallel()
	allow := func(ids ...string) policy.Rule { return policy.Rule{Licenses: &policy.Licenses{Allow: ids}} }
	deny := func(ids ...string) policy.Rule { return policy.Rule{Licenses: &policy.Licenses{Deny: ids}} }
	for name, test := range map[string]struct {
		license string
		rules   []policy.Rule
		ok      bool
	}{
		"allowed and denied":           {"Apache-2.0 OR GPL-3.0-only", []policy.Rule{allow("MIT", "Apache-2.0"), deny("Apache-2.0")}, false},
		"two deny each a side":         {"MIT OR AGPL-3.0-only", []policy.Rule{deny("MIT"), deny("AGPL-3.0-only")}, false},
		"two allow each a side":        {"MIT OR AGPL-3.0-only", []policy.Rule{allow("MIT"), allow("AGPL-3.0-only")}, false},
		"two allow one":                {"MIT OR AGPL-3.0-only", []policy.Rule{allow("MIT", "ISC"), allow("ISC", "MIT")}, true},
		"one with its exception":       {"GPL-2.0-only WITH x OR MIT", []policy.Rule{allow("GPL-2.0-only"), deny("GPL-2.0-only WITH x")}, false},
		"one rule with nothing to say": {"MIT OR AGPL-3.0-only", []policy.Rule{deny("AGPL-3.0-only"), {Statuses: []string{"current"}}}, true},
	} {
		s := good()
		s.License = "X"
		for i := range test.rules {
			if l := test.rules[i].Licenses; l != nil && l.Allow != nil {
				l.Allow = append(l.Allow, "X")
			}
		}
		s.Components = []sbom.Component{{Name: "x", License: test.license}}
		for _, one := range test.rules {
			if got := failing(t, newPolicy(t, one), s); got != nil {
				t.Errorf("%s: expected it to pass alone, found %v", name, got)
			}
		}
		p := newPolicy(t, test.rules...)
		want := []string{policy.IDLicenses}
		if test.ok {
			want = nil
		}
		if got := failing(t, p, s); !slices.Equal(got, want) {
			t.Errorf("%s: expected %v to fail together, found %v", name, want, got)
		}
		if _, err := p.Judge(s, now()); !test.ok && !strings.Contains(err.Error(), `x: `+test.license+` (rules together)`) {
			t.Errorf("%s: expected it to be said that it takes several rules, found %v", name, err)
		}
	}
}

// What is no expression can't be judged; an id that nobody knows can.
func TestLicensesThatAreNone(t *testing.T) {
	t.Parallel()
	deny := newPolicy(t, policy.Rule{Licenses: &policy.Licenses{Deny: []string{"AGPL-3.0-only"}}})
	for license, says := range map[string]string{
		"MIT":                                    "",
		"AGPLv3":                                 "", // of the form of an id
		"LicenseRef-x":                           "",
		"AGPL-3.0-or-later":                      "",
		"AGPL-3.0-only":                          "the product: AGPL-3.0-only",
		"agpl-3.0":                               "the product: agpl-3.0",
		"":                                       "the product: not stated",
		"NOASSERTION":                            "the product: not stated",
		"AGPL\u20113.0\u2011only":                "no SPDX expression",
		"GNU Affero General Public License v3.0": "the product: no SPDX expression: GNU Affero",
		"https://www.gnu.org/licenses/agpl-3.0.html": "no SPDX expression",
		"MIT/AGPL-3.0-only":                          "no SPDX expression",
		"MIT,":                                       "no SPDX expression",
		strings.Repeat("(", 70) + "AGPL-3.0-only" + strings.Repeat(")", 70): "no SPDX expression",
	} {
		s := good()
		s.License = license
		_, err := deny.Judge(s, now())
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: expected %q, found %v", license, says, err)
		}
	}
}

// Text from outside reaches no terminal as it is.
func TestHostileTextInMessages(t *testing.T) {
	t.Parallel()
	evil := "\x1b[2J\nrm \u202e" + strings.Repeat("x", 4000)
	s := good()
	s.License, s.Status = evil, evil
	s.Components = []sbom.Component{{Name: evil, Version: evil, PURL: evil, License: evil}}
	s.Signatures = []policy.Signature{built(byWorkflow(evil), evil)}
	s.Findings = []advisory.Finding{{ID: evil, State: advisory.Affected, Component: s.Components[0]}}
	s.Agreed = []string{evil}
	var rules []policy.Rule
	for _, d := range demands() {
		rules = append(rules, d.rule)
	}
	checks, err := newPolicy(t, rules...).Judge(s, now())
	if err == nil {
		t.Fatal("expected a refusal")
	}
	for _, text := range []string{err.Error(), describe(checks)} {
		for line := range strings.SplitSeq(text, "\n") {
			if strings.ContainsAny(line, "\x1b\u202e") || strings.Contains(line, "\nrm") || len(line) > 64<<10 {
				t.Errorf("expected clean, short lines, found %d bytes: %q", len(line), line[:200])
			}
		}
	}
}
