package slsa

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const workflow = "https://github.com/acme/tool/.github/workflows/release.yml@refs/tags/v1.4.2"

// certified are the claims in the certificate that attestV1 is signed with.
func certified() Claims {
	return Claims{
		SourceRepository: "https://github.com/acme/tool", SourceDigest: commit, SourceRef: "refs/tags/v1.4.2",
		BuildSigner: workflow, BuildConfig: workflow, RunInvocation: "https://github.com/acme/tool/actions/runs/99/attempts/1",
	}
}

func parseShape(t *testing.T, name string) *Provenance {
	t.Helper()
	p, err := Parse(shapes[name].predicateType, []byte(shapes[name].predicate))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheckClaims(t *testing.T) {
	main := "refs/heads/main"
	for _, test := range []struct {
		shape    string
		claims   Claims
		compared []string
	}{
		{"attest v1", certified(), []string{FieldBuilder, FieldRepository, FieldRevision, FieldRef, FieldEntryPoint, FieldInvocation}},
		{"attest v1", Claims{}, nil},
		{"attest v1", Claims{SourceDigest: strings.ToUpper(commit)}, []string{FieldRevision}},
		{"attest v1", Claims{SourceRepository: "https://GitHub.com/acme/tool.git"}, []string{FieldRepository}},
		{"generator v0.2", Claims{
			BuildSigner: "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v1.9.0",
			BuildConfig: workflow, RunInvocation: "https://github.com/acme/tool/actions/runs/4735384265/attempts/2",
		}, []string{FieldBuilder, FieldEntryPoint, FieldInvocation}},
		{"npm v0.2", Claims{BuildSigner: workflow, SourceRef: main}, []string{FieldRef}}, // the builder is no workflow
		{"npm GitLab v0.2", Claims{
			BuildSigner: "https://gitlab.com/acme/sub/tool//.gitlab-ci.yml@refs/heads/main", SourceRepository: "https://gitlab.com/acme/sub/tool",
			BuildConfig: "https://gitlab.com/acme/sub/tool//.gitlab-ci.yml@refs/heads/main", SourceRef: main,
			RunInvocation: "https://gitlab.com/acme/sub/tool/-/jobs/5",
		}, []string{FieldRepository, FieldInvocation}},
		{"GitLab v1", Claims{RunInvocation: "https://gitlab.com/acme/tool/-/jobs/5"}, []string{FieldInvocation}},
		{"BuildKit v1", Claims{BuildConfig: workflow, BuildSigner: workflow, RunInvocation: "x"}, nil},
	} {
		compared, err := parseShape(t, test.shape).CheckClaims(test.claims)
		if err != nil || !reflect.DeepEqual(compared, test.compared) {
			t.Errorf("%s with %+v: compared %q, %v, want %q", test.shape, test.claims, compared, err, test.compared)
		}
	}
}

func TestCheckClaimsComparesNoNames(t *testing.T) {
	p := &Provenance{Builder: "release.yml"}
	for _, p.Invocation = range []string{"", "abc", "-1", "99-", "99-x", "x-1", "99-1-1"} {
		p.EntryPoint = p.Invocation
		if compared, err := p.CheckClaims(certified()); err != nil || compared != nil {
			t.Errorf("%q: compared %q, %v", p.Invocation, compared, err)
		}
	}
}

func TestCheckClaimsDisagree(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Provenance, *Claims)
		want   DisagreementError
	}{
		{"other builder", func(_ *Provenance, c *Claims) {
			c.BuildSigner = "https://github.com/evil/tool/.github/workflows/release.yml@refs/tags/v1.4.2"
		}, DisagreementError{Field: FieldBuilder, Expected: "https://github.com/evil/tool/.github/workflows/release.yml@refs/tags/v1.4.2", Found: workflow}},
		{"builder at another ref", func(_ *Provenance, c *Claims) { c.BuildSigner = strings.Replace(workflow, "v1.4.2", "v1.4.3", 1) },
			DisagreementError{Field: FieldBuilder, Expected: strings.Replace(workflow, "v1.4.2", "v1.4.3", 1), Found: workflow}},
		{"builder without a ref", func(p *Provenance, _ *Claims) { p.Builder = "https://github.com/acme/tool/.github/workflows/other.yml" },
			DisagreementError{Field: FieldBuilder, Expected: workflow, Found: "https://github.com/acme/tool/.github/workflows/other.yml"}},
		{"other repository", func(_ *Provenance, c *Claims) { c.SourceRepository = "https://github.com/acme/tools" },
			DisagreementError{Field: FieldRepository, Expected: "https://github.com/acme/tools", Found: "https://github.com/acme/tool"}},
		{"other commit", func(_ *Provenance, c *Claims) { c.SourceDigest = strings.Repeat("a", 40) },
			DisagreementError{Field: FieldRevision, Expected: strings.Repeat("a", 40), Found: commit}},
		{"commit cut short", func(_ *Provenance, c *Claims) { c.SourceDigest = commit[:12] },
			DisagreementError{Field: FieldRevision, Expected: commit[:12], Found: commit}},
		{"other ref", func(_ *Provenance, c *Claims) { c.SourceRef = "refs/heads/v1.4.2" },
			DisagreementError{Field: FieldRef, Expected: "refs/heads/v1.4.2", Found: "refs/tags/v1.4.2"}},
		{"other short ref", func(p *Provenance, _ *Claims) { p.Source.Ref = "v1.4" },
			DisagreementError{Field: FieldRef, Expected: "refs/tags/v1.4.2", Found: "v1.4"}},
		{"branch with a name like a ref", func(p *Provenance, c *Claims) { p.Source.Ref, c.SourceRef = "refs/heads/x", "refs/heads/refs/heads/x" },
			DisagreementError{Field: FieldRef, Expected: "refs/heads/refs/heads/x", Found: "refs/heads/x"}},
		{"other workflow", func(p *Provenance, _ *Claims) { p.EntryPoint = ".github/workflows/test.yml" },
			DisagreementError{Field: FieldEntryPoint, Expected: workflow, Found: ".github/workflows/test.yml"}},
		{"end of a workflow", func(p *Provenance, _ *Claims) { p.EntryPoint = "release.yml" },
			DisagreementError{Field: FieldEntryPoint, Expected: workflow, Found: "release.yml"}},
		{"other run", func(p *Provenance, _ *Claims) {
			p.Invocation = "https://github.com/acme/tool/actions/runs/98/attempts/1"
		},
			DisagreementError{Field: FieldInvocation, Expected: certified().RunInvocation, Found: "https://github.com/acme/tool/actions/runs/98/attempts/1"}},
		{"other attempt", func(p *Provenance, _ *Claims) { p.Invocation = "99-2" },
			DisagreementError{Field: FieldInvocation, Expected: certified().RunInvocation, Found: "99-2"}},
		{"attempt taken for a run", func(p *Provenance, _ *Claims) { p.Invocation = "1" },
			DisagreementError{Field: FieldInvocation, Expected: certified().RunInvocation, Found: "1"}},
		{"end of a run", func(p *Provenance, _ *Claims) { p.Invocation = "9-1" },
			DisagreementError{Field: FieldInvocation, Expected: certified().RunInvocation, Found: "9-1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, claims := parseShape(t, "attest v1"), certified()
			test.change(p, &claims)
			compared, err := p.CheckClaims(claims)
			test.want.With = "the certificate"
			checkDisagreement(t, compared, err, test.want)
		})
	}
}

// checkDisagreement asserts the error, and that its field is the last compared.
func checkDisagreement(t *testing.T, compared []string, err error, want DisagreementError) {
	t.Helper()
	got, ok := errors.AsType[*DisagreementError](err)
	if !ok || !errors.Is(err, ErrDisagree) || *got != want {
		t.Fatalf("got %v, want %v", err, &want)
	}
	if len(compared) == 0 || compared[len(compared)-1] != want.Field {
		t.Errorf("compared %q", compared)
	}
}

func TestCheckClaimsAgreesOnOtherSpellings(t *testing.T) {
	for _, change := range []func(*Provenance, *Claims){
		func(p *Provenance, _ *Claims) {
			p.Builder = "https://github.com/acme/tool/.github/workflows/release.yml"
		},
		func(p *Provenance, _ *Claims) { p.Source.Ref = "v1.4.2" },
		func(p *Provenance, c *Claims) { p.Source.Ref, c.SourceRef = "main", "refs/heads/main" },
		func(p *Provenance, _ *Claims) { p.EntryPoint = "/.github/workflows/release.yml" },
		func(p *Provenance, c *Claims) {
			p.EntryPoint, c.BuildConfig = ".gitlab-ci.yml", "https://github.com/acme/tool//.gitlab-ci.yml@refs/heads/main"
		},
		func(p *Provenance, c *Claims) {
			p.EntryPoint, c.BuildConfig = "acme/required/.github/workflows/x.yaml", "https://github.com/acme/required/.github/workflows/x.yaml@refs/heads/main"
		},
		func(p *Provenance, _ *Claims) { p.Invocation = "99" },
		func(p *Provenance, _ *Claims) { p.Invocation = "99-1" },
	} {
		p, claims := parseShape(t, "attest v1"), certified()
		change(p, &claims)
		if compared, err := p.CheckClaims(claims); err != nil || len(compared) != 6 {
			t.Errorf("%+v with %+v: compared %q, %v", p, claims, compared, err)
		}
	}
}

func TestCheckSource(t *testing.T) {
	for _, test := range []struct {
		shape                     string
		repository, revision, tag string
		compared                  []string
	}{
		{"attest v1", "https://github.com/acme/tool", commit, "v1.4.2", []string{FieldRepository, FieldRevision, FieldTag}},
		{"attest v1", "git@github.com:acme/tool.git", strings.ToUpper(commit), "refs/tags/v1.4.2", []string{FieldRepository, FieldRevision, FieldTag}},
		{"attest v1", "", "", "", nil},
		{"npm v0.2", "https://github.com/acme/tool", commit, "v1.4.2", []string{FieldRepository, FieldRevision}}, // built from a branch
		{"GitLab v1", "https://gitlab.com/acme/tool", commit, "v1.4.2", []string{FieldRepository, FieldRevision}},
	} {
		compared, err := parseShape(t, test.shape).CheckSource(test.repository, test.revision, test.tag)
		if err != nil || !reflect.DeepEqual(compared, test.compared) {
			t.Errorf("%+v: compared %q, %v", test, compared, err)
		}
	}
	if compared, err := (&Provenance{}).CheckSource("https://github.com/acme/tool", commit, "v1"); err != nil || compared != nil {
		t.Errorf("nothing known: compared %q, %v", compared, err)
	}
}

func TestCheckSourceDisagrees(t *testing.T) {
	for _, test := range []struct{ repository, revision, tag, field, expected, found string }{
		{"https://github.com/acme/other", commit, "v1.4.2", FieldRepository, "https://github.com/acme/other", "https://github.com/acme/tool"},
		{"https://github.com/acme/tool", strings.Repeat("a", 40), "v1.4.2", FieldRevision, strings.Repeat("a", 40), commit},
		{"https://github.com/acme/tool", commit, "v1.4.3", FieldTag, "v1.4.3", "v1.4.2"},
		{"", "", "v1.4.2-rc", FieldTag, "v1.4.2-rc", "v1.4.2"},
	} {
		compared, err := parseShape(t, "attest v1").CheckSource(test.repository, test.revision, test.tag)
		checkDisagreement(t, compared, err, DisagreementError{test.field, "the release manifest", test.expected, test.found})
	}
}

func TestDisagreementIsFitForATerminal(t *testing.T) {
	p := parseShape(t, "attest v1")
	_, err := p.CheckSource("https://github.com/\x1b[2J"+strings.Repeat("x", 1000), "", "")
	if err == nil || strings.ContainsFunc(err.Error(), isUnprintable) || len(err.Error()) > 600 {
		t.Errorf("got %q", err)
	}
}
