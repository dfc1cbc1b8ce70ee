package provenance

import (
	"strings"
	"testing"

	"assay/internal/testrepo"
)

// BenchmarkVerify is one bundle of version 0.3 with provenance, as all artifacts
// of a release have one.
func BenchmarkVerify(b *testing.B) {
	l := newLab(b)
	v := l.verifier(PublicGood)
	for name, o := range map[string]testrepo.BundleOptions{
		"statement": {Statement: statement(b, fileDigest)}, "message": {Data: fileData},
		"statement-rekor2": {Statement: statement(b, fileDigest), Preset: testrepo.PublicGoodV2},
	} {
		data := l.bundle(o)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(data, fileDigest); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewVerifier(b *testing.B) {
	root := newLab(b).TrustedRoot()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewVerifier(Profile{Name: "lab", Kind: PublicGood, Root: root}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdentityMatches is one identity of a policy against one signer.
func BenchmarkIdentityMatches(b *testing.B) {
	const issuer, workflow = "https://token.actions.githubusercontent.com", "https://github.com/acme/tool/.github/workflows/release.yml@refs/tags/v1.4.2"
	signed := &Signed{Profile: "public", Signer: Signer{Issuer: issuer, Identity: workflow}}
	for name, test := range map[string]struct {
		subject string
		want    bool
	}{
		"text":             {workflow, true},
		"glob":             {"https://github.com/acme/*/.github/workflows/release.yml@refs/tags/v*", true},
		"glob-other":       {"https://github.com/other/*/.github/workflows/release.yml@refs/tags/v*", false},
		"expression":       {`/https://github\.com/acme/[^/]+/\.github/workflows/release\.yml@refs/tags/v[0-9.]{1,20}/`, true},
		"expression-other": {`/https://github\.com/other/[^/]+/\.github/workflows/release\.yml@refs/tags/v[0-9.]{1,20}/`, false},
	} {
		id := Identity{Issuer: pattern(b, issuer), Subject: pattern(b, test.subject)}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if id.Matches(signed) != test.want {
					b.Fatalf("expected %v", test.want)
				}
			}
		})
	}
}

// BenchmarkHeaviestPattern is what one pattern of a hostile file costs.
func BenchmarkHeaviestPattern(b *testing.B) {
	for name, text := range map[string]string{
		"stars":     "/" + strings.Repeat(".*", 170) + "!/",
		"optional":  "/(?:.?){170}!/",
		"groups":    "/(?:(.)*){113}!/",
		"classes":   `/(?i)` + strings.Repeat("[!-~]", 200) + "/",
		"glob":      strings.Repeat("**?", 340) + "!",
		"glob-runs": strings.Repeat("*", 1023) + "!",
		"refused":   "/" + strings.Repeat("[a-z]{1000}", 80) + "/",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := ParsePattern(text)
				if (err != nil) != (name == "refused") || p.MatchString("x") {
					b.Fatal(err)
				}
			}
		})
	}
}
