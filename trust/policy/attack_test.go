package policy_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"assay/trust"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// One signer never counts twice, in whatever disguise.
func TestSameSignerTwice(t *testing.T) {
	t.Parallel()
	upper := keyIdentity("acme")
	upper.Key = "sha256:" + strings.ToUpper(strings.TrimPrefix(upper.Key, "sha256:"))
	upper.Profile = ""
	releases, anyOfAcme := workflowIdentity(source+"/.github/workflows/release.yml@refs/tags/*"), workflowIdentity("https://github.com/acme/**")
	for name, test := range map[string]struct {
		signers    []provenance.Identity
		signatures []policy.Signature
		ok         bool
	}{
		"two bundles of one key":              {[]provenance.Identity{keyIdentity("acme"), keyIdentity("other")}, []policy.Signature{byKey("acme"), byKey("acme")}, false},
		"one key, written in two ways":        {[]provenance.Identity{keyIdentity("acme"), upper}, []policy.Signature{byKey("acme"), byKey("acme")}, false},
		"a bundle that fits two identities":   {[]provenance.Identity{releases, anyOfAcme}, []policy.Signature{byWorkflow(workflow)}, false},
		"one workflow at two tags":            {[]provenance.Identity{releases, anyOfAcme}, []policy.Signature{byWorkflow(workflow), byWorkflow(strings.Replace(workflow, "v1.4.2", "v1.4.3", 1))}, false},
		"two signers that fit one identity":   {[]provenance.Identity{anyOfAcme, keyIdentity("acme")}, []policy.Signature{byWorkflow(workflow), byWorkflow("https://github.com/acme/x/.github/workflows/y.yml@refs/heads/z")}, false},
		"two signers, the first for either":   {[]provenance.Identity{anyOfAcme, releases}, []policy.Signature{byWorkflow(workflow), byWorkflow("https://github.com/acme/x/.github/workflows/y.yml@refs/heads/z")}, true},
		"two signers, the last for either":    {[]provenance.Identity{releases, anyOfAcme}, []policy.Signature{byWorkflow("https://github.com/acme/x/.github/workflows/y.yml@refs/heads/z"), byWorkflow(workflow)}, true},
		"a stranger beside one of them":       {[]provenance.Identity{anyOfAcme, releases}, []policy.Signature{byWorkflow(workflow), byKey("stranger")}, false},
		"two keys":                            {[]provenance.Identity{keyIdentity("acme"), keyIdentity("other")}, []policy.Signature{byKey("other"), byKey("acme")}, true},
		"a key, and another of other profile": {[]provenance.Identity{keyIdentity("acme"), keyIdentity("other")}, []policy.Signature{byKey("acme"), byWorkflow(workflow)}, false},
	} {
		for _, kind := range []string{"signers", "rebuilders"} {
			rule, id := policy.Rule{Signers: test.signers, Threshold: pointer(2)}, policy.IDSigners
			s := good()
			s.Signatures = slices.Clone(test.signatures)
			if kind == "rebuilders" {
				rule, id = policy.Rule{Rebuilders: &policy.Rebuilders{Need: 2, Of: test.signers}}, policy.IDRebuilders
				for i := range s.Signatures {
					s.Signatures[i] = built(s.Signatures[i], "https://builder.example")
				}
			}
			got := failing(t, newPolicy(t, rule), s)
			if want := map[bool][]string{true: nil, false: {id}}[test.ok]; !slices.Equal(got, want) {
				t.Errorf("%s, %s: expected %v to fail, found %v", kind, name, want, got)
			}
		}
	}
}

// Who may sign is not who may say anything: a statement by a stranger, or by one
// whom nobody pairs with the builder that it names, says nothing.
func TestProvenanceThatNobodyVouchesFor(t *testing.T) {
	t.Parallel()
	rule := policy.Rule{Builder: patterns("https://github.com/**"), Source: patterns(source), Ref: patterns("refs/tags/*")}
	all := []string{policy.IDBuilder, policy.IDSource, policy.IDRef}
	mail := byWorkflow("mallory@example.org")
	mail.Signer.Certificate = &provenance.Certificate{}
	selfMade := built(mail, "mallory@example.org")
	fork := built(byWorkflow(workflow), workflow)
	fork.Signer.Certificate = &provenance.Certificate{SourceRepository: "https://github.com/mallory/hello", SourceRef: "refs/heads/main"}
	bare := built(byWorkflow(workflow), workflow)
	bare.Signer.Certificate = nil
	for name, test := range map[string]struct {
		sig   policy.Signature
		fails []string
	}{
		"a key that nobody names":             {built(byKey("mallory"), generator), all},
		"a person who names a builder":        {built(mail, generator), all},
		"a person who is their own builder":   {selfMade, all},
		"a workflow that names another":       {built(byWorkflow(workflow), generator), all},
		"a workflow of a fork":                {fork, []string{policy.IDSource, policy.IDRef}},
		"a workflow's name on no certificate": {bare, all},
		"the workflow itself":                 {built(byWorkflow(workflow), workflow), nil},
		"a builder of the table":              {built(byWorkflow(generator), generator), nil},
	} {
		s := good()
		s.Signatures = []policy.Signature{test.sig}
		if got := failing(t, newPolicy(t, rule), s); !slices.Equal(got, test.fails) {
			t.Errorf("%s: expected %v to fail, found %v", name, test.fails, got)
		}
	}
	// The table may pair a builder with a signer of another name.
	ci := policy.Builder{Builder: pattern("https://github.com/ci/**"), Signer: keyIdentity("ci"), Level: 1}
	paired, err := policy.New([]policy.Rule{rule}, []policy.Builder{ci})
	s := good()
	s.Signatures = []policy.Signature{built(byKey("ci"), "https://github.com/ci/runner")}
	if got := failing(t, must(t, paired, err), s); got != nil {
		t.Errorf("expected the table to vouch, found %v", got)
	}
	if got := failing(t, newPolicy(t, rule), s); !slices.Equal(got, all) {
		t.Errorf("expected nobody to vouch without the table, found %v", got)
	}
	// Whom a rule names is believed, in that rule alone.
	named := rule
	named.Signers = []provenance.Identity{keyIdentity("acme")}
	s.Signatures = []policy.Signature{built(byKey("acme"), generator)}
	if got := failing(t, newPolicy(t, named), s); got != nil {
		t.Errorf("expected a named signer to be believed, found %v", got)
	}
	if got := failing(t, newPolicy(t, named, rule), s); !slices.Equal(got, all) {
		t.Errorf("expected another rule's signer to say nothing, found %v", got)
	}
}

// Where rules name signers, what is required is required of these; and to name one
// more makes nobody else's word count.
func TestRequiredOfTheSigners(t *testing.T) {
	t.Parallel()
	named := func(names ...string) (r policy.Rule) {
		for _, name := range names {
			r.Signers = append(r.Signers, keyIdentity(name))
		}
		return r
	}
	require := func(r policy.Rule) policy.Rule {
		r.Require = []policy.Kind{policy.KindSignature, policy.KindProvenance}
		return r
	}
	both := func(name string) policy.Signature { return built(byKey(name), generator) }
	rebuilt := require(named("acme"))
	rebuilt.Rebuilders = &policy.Rebuilders{Need: 1, Of: []provenance.Identity{keyIdentity("rebuilder")}}
	for name, test := range map[string]struct {
		rules      []policy.Rule
		signatures []policy.Signature
		found      []string // for each that fails
	}{
		"nobody is named":             {[]policy.Rule{require(named())}, []policy.Signature{both("any")}, nil},
		"by the signer":               {[]policy.Rule{require(named("acme"))}, []policy.Signature{both("acme")}, nil},
		"by one of them each":         {[]policy.Rule{require(named("acme", "ci"))}, []policy.Signature{byKey("acme"), both("ci")}, nil},
		"nothing":                     {[]policy.Rule{require(named("acme"))}, nil, []string{"none", "none", "no signature"}},
		"only a signature":            {[]policy.Rule{require(named("acme"))}, []policy.Signature{byKey("acme")}, []string{"none"}},
		"provenance by a stranger":    {[]policy.Rule{require(named("acme"))}, []policy.Signature{byKey("acme"), both("mallory")}, []string{"none by the signers of policy.1, but by " + quoted("mallory")}},
		"provenance by a rebuilder":   {[]policy.Rule{rebuilt}, []policy.Signature{byKey("acme"), both("rebuilder")}, []string{"none by the signers of policy.1, but by " + quoted("rebuilder")}},
		"by a builder of the table":   {[]policy.Rule{require(named("acme"))}, []policy.Signature{byKey("acme"), built(byWorkflow(generator), generator)}, []string{"none by the signers of policy.1, but by "}},
		"another rule names them":     {[]policy.Rule{require(named()), named("acme")}, []policy.Signature{byKey("acme"), both("mallory")}, []string{"none by the signers of policy.2, but by " + quoted("mallory")}},
		"another rule's, by them":     {[]policy.Rule{require(named()), named("acme")}, []policy.Signature{both("mallory"), both("acme")}, nil},
		"one more rule, to loosen":    {[]policy.Rule{require(named()), named("acme"), named("mallory")}, []policy.Signature{byKey("acme"), both("mallory")}, []string{"none by the signers of policy.2, but by " + quoted("mallory")}},
		"one that requires, likewise": {[]policy.Rule{require(named("acme")), named("mallory")}, []policy.Signature{byKey("acme"), both("mallory")}, []string{"none by the signers of policy.1, but by " + quoted("mallory")}},
		"one that requires, and more": {[]policy.Rule{require(named("ci")), named("acme")}, []policy.Signature{byKey("acme"), both("ci")}, nil},
		"two that name, both sign":    {[]policy.Rule{require(named()), named("ci"), named("acme")}, []policy.Signature{both("acme"), both("ci")}, nil},
	} {
		s := good()
		s.Signatures = test.signatures
		checks, _ := newPolicy(t, test.rules...).Judge(s, now())
		var found []string
		for _, c := range checks {
			if c.Result == trust.Fail && (c.ID == policy.IDRequire || c.ID == policy.IDSigners) {
				found = append(found, c.Found)
			}
			if c.ID == policy.IDRequire && c.Result == trust.Pass && strings.Contains(c.Found, "mallory") {
				t.Errorf("%s: expected whom no rule names not to be told as proof, found %+v", name, c)
			}
		}
		if !slices.EqualFunc(found, test.found, strings.HasPrefix) {
			t.Errorf("%s: expected %q, found %q", name, test.found, found)
		}
	}
}

func quoted(name string) string { return strconv.Quote(keyOf(name)) }

// One more rule never lets more pass, in whatever order.
func TestRuleThatTriesToLoosen(t *testing.T) {
	t.Parallel()
	strict := policy.Rule{Repository: pattern("acme"), Signers: []provenance.Identity{keyIdentity("acme"), keyIdentity("second")}, Threshold: pointer(2), Require: []policy.Kind{policy.KindSBOM}}
	loose := policy.Rule{Repository: pattern("acme"), Product: pattern("hello"), Channel: pattern("stable"), Signers: []provenance.Identity{keyIdentity("mallory")}}
	s := good()
	s.HasSBOM, s.Signatures = false, []policy.Signature{byKey("mallory"), byKey("acme")}
	want := []string{policy.IDRequire, policy.IDSigners}
	for _, rules := range [][]policy.Rule{{strict}, {strict, loose}, {loose, strict}} {
		if got := failing(t, newPolicy(t, rules...), s); !slices.Equal(got, want) {
			t.Errorf("expected %v to fail, found %v", want, got)
		}
	}
	s.HasSBOM, s.Signatures = true, []policy.Signature{byKey("second"), byKey("acme")}
	if got := failing(t, newPolicy(t, strict, loose), s); !slices.Equal(got, []string{policy.IDSigners}) {
		t.Errorf("expected the second rule to fail, too, found %v", got)
	}
}

// A rule is for whom it names, whole; and no name that is missing is a way around.
func TestWhomARuleIsFor(t *testing.T) {
	t.Parallel()
	ask := []policy.Kind{policy.KindSBOM}
	for name, test := range map[string]struct {
		rule                         policy.Rule
		repository, product, channel string
		applies                      bool
	}{
		"any":                            {policy.Rule{}, "", "", "", true},
		"exact":                          {policy.Rule{Repository: pattern("acme")}, "acme", "hello", "stable", true},
		"a look-alike behind":            {policy.Rule{Repository: pattern("acme")}, "acme-evil", "hello", "stable", false},
		"a look-alike before":            {policy.Rule{Repository: pattern("acme")}, "not-acme", "hello", "stable", false},
		"a glob":                         {policy.Rule{Repository: pattern("acme-*")}, "acme-eu", "", "", true},
		"a glob's look-alike":            {policy.Rule{Repository: pattern("acme-*")}, "evil-acme-eu", "", "", false},
		"another product":                {policy.Rule{Product: pattern("hello")}, "acme", "hello2", "stable", false},
		"a target outside the layout":    {policy.Rule{Product: pattern("*")}, "acme", "", "", false},
		"such a target, by repository":   {policy.Rule{Repository: pattern("acme")}, "acme", "", "", true},
		"such a target, by channel":      {policy.Rule{Channel: pattern("*")}, "acme", "", "", false},
		"a file of no repository":        {policy.Rule{Repository: pattern("*")}, "", "", "", false},
		"another channel":                {policy.Rule{Channel: pattern("stable")}, "acme", "hello", "nightly", false},
		"a channel that is not known":    {policy.Rule{Channel: pattern("stable")}, "acme", "hello", "", true},
		"another product, channel empty": {policy.Rule{Product: pattern("x"), Channel: pattern("stable")}, "acme", "hello", "", false},
	} {
		test.rule.Require = ask
		p := newPolicy(t, test.rule)
		if got := len(p.Match(test.repository, test.product, test.channel)) == 1; got != test.applies {
			t.Errorf("%s: expected that it applies: %v, found %v", name, test.applies, got)
		}
		got := failing(t, p, policy.Subject{Repository: test.repository, Product: test.product, Channel: test.channel})
		if (got != nil) != test.applies {
			t.Errorf("%s: expected a refusal: %v, found %v", name, test.applies, got)
		}
	}
}
