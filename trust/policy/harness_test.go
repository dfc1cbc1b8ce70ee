package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/provenance"
	"assay/trust/provenance/slsa"
	"assay/trust/sbom"
)

const (
	github    = "https://token.actions.githubusercontent.com"
	source    = "https://github.com/acme/hello"
	workflow  = source + "/.github/workflows/release.yml@refs/tags/v1.4.2"
	generator = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.0.0"
)

// now is when the tests judge.
func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func ago(d time.Duration) time.Time { return now().Add(-d) }

const day = 24 * time.Hour

func keyOf(name string) string {
	return artifact.DigestOf(artifact.SHA256, []byte("key "+name)).String()
}

func digestsOf(text string) artifact.Digests {
	return artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte(text))}
}

func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func pattern(text string) provenance.Pattern {
	p, err := provenance.ParsePattern(text)
	if err != nil {
		panic(err)
	}
	return p
}

func patterns(texts ...string) []provenance.Pattern {
	var list []provenance.Pattern
	for _, text := range texts {
		list = append(list, pattern(text))
	}
	return list
}

func workflowIdentity(subject string) provenance.Identity {
	return provenance.Identity{Profile: "public-good", Issuer: pattern(github), Subject: pattern(subject)}
}

func keyIdentity(name string) provenance.Identity {
	return provenance.Identity{Profile: "keys", Key: keyOf(name)}
}

// byKey is a signature over the bytes of good by a plain key.
func byKey(name string) policy.Signature {
	return policy.Signature{Of: "hello.sigstore.json", Signed: provenance.Signed{
		Profile: "keys", Kind: provenance.Keys, Artifact: digestsOf("hello")[0], Signer: provenance.Signer{Key: keyOf(name)},
	}}
}

// byWorkflow is one by a certificate for a workflow that ran in source.
func byWorkflow(identity string) policy.Signature {
	return policy.Signature{Of: "hello.sigstore.json", Signed: provenance.Signed{
		Profile: "public-good", Kind: provenance.PublicGood, Artifact: digestsOf("hello")[0],
		Signer: provenance.Signer{Issuer: github, Identity: identity, Certificate: &provenance.Certificate{
			BuildSigner: identity, SourceRepository: source, SourceRef: "refs/tags/v1.4.2",
		}},
	}}
}

// built adds a provenance that names a builder.
func built(sig policy.Signature, builder string) policy.Signature {
	sig.Provenance = &slsa.Provenance{Version: "v1", Builder: builder, Source: slsa.Source{Repository: source, Ref: "refs/tags/v1.4.2"}}
	return sig
}

// good has everything that a rule can ask for.
func good() policy.Subject {
	version, err := artifact.ParseVersion("1.4.2")
	if err != nil {
		panic(err)
	}
	return policy.Subject{
		Repository: "acme", Product: "hello", Version: version, Channel: "stable", Status: "current",
		Target: "hello/1.4.2/hello.tar.gz", Digests: digestsOf("hello"),
		Published: ago(10 * day), Built: ago(11 * day), License: "MIT",
		Signatures: []policy.Signature{built(byWorkflow(generator), generator), byWorkflow(workflow), byKey("acme"), built(byKey("rebuilder"), "https://rebuilder.example/a")},
		HasSBOM:    true,
		Components: []sbom.Component{
			{Name: "log4j-core", Version: "2.20.0", PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.20.0", License: "Apache-2.0"},
			{Name: "tiny", Version: "1.0.0", PURL: "pkg:npm/tiny@1.0.0", License: "MIT OR AGPL-3.0-only"},
		},
		Advisories: []string{"osv.json"},
		Agreed:     []string{"acme", "approvals"},
		Rebuilders: []provenance.Identity{workflowIdentity(generator), keyIdentity("rebuilder")},
	}
}

func finding(state advisory.State) advisory.Finding {
	return advisory.Finding{ID: "CVE-2026-1", State: state, Component: sbom.Component{Name: "tiny", Version: "1.0.0"}, Source: "osv.json"}
}

// builders is the table of builders of the tests.
func builders() []policy.Builder {
	return []policy.Builder{{
		Builder: pattern("https://github.com/slsa-framework/slsa-github-generator/**@refs/tags/*"),
		Signer:  workflowIdentity("https://github.com/slsa-framework/slsa-github-generator/**@refs/tags/*"),
		Level:   3,
	}}
}

func newPolicy(t testing.TB, rules ...policy.Rule) *policy.Policy {
	t.Helper()
	p, err := policy.New(rules, builders())
	return must(t, p, err)
}

func pointer[T any](v T) *T { return &v }

// failing lists the ids of the checks that a judgement refuses for, each once.
// It is a fault if the error is no Refusal with exactly the checks that fail.
func failing(t testing.TB, p *policy.Policy, s policy.Subject) []string {
	t.Helper()
	checks, err := p.Judge(s, now())
	var fails []trust.Check
	var ids []string
	for _, c := range checks {
		if c.Result == trust.Fail {
			fails = append(fails, c)
			if !slices.Contains(ids, c.ID) {
				ids = append(ids, c.ID)
			}
		}
	}
	var refusal *policy.Refusal
	switch {
	case err == nil && fails == nil:
	case !errors.Is(err, policy.ErrRefused) || !errors.As(err, &refusal) || !slices.Equal(refusal.Checks, fails):
		t.Errorf("expected a Refusal with the checks %v, found %v", fails, err)
	default:
		for _, c := range fails {
			if text := err.Error(); !strings.Contains(text, c.ID) || !strings.Contains(text, c.Found) || c.Found == "" || c.Expected == "" {
				t.Errorf("expected the message to tell of %+v, found %s", c, text)
			}
		}
	}
	return ids
}

func describe(checks []trust.Check) string {
	var lines []string
	for _, c := range checks {
		lines = append(lines, fmt.Sprintf("%s %s: expected %s; found %s; %s", c.ID, c.Result, c.Expected, c.Found, c.Why))
	}
	return strings.Join(lines, "\n")
}
