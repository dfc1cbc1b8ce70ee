package testrepo_test

import (
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	sgverify "github.com/sigstore/sigstore-go/pkg/verify"
)

// signedManifest is what the tests read of a signed release.
type signedManifest struct {
	Published time.Time
	Build     struct{ Finished time.Time }
	Source    struct{ Repository, Revision, Tag string }
	Checksums struct {
		Target  string
		Bundles []string
	}
	Artifacts []struct {
		Target, SBOM  string
		URLs, Bundles []string
		Digests       artifact.Digests
	}
}

func signedManifestOf(t *testing.T, r *testrepo.Repo, target string) (found signedManifest) {
	t.Helper()
	must(t, json.Unmarshal(targetOf(t, r, target), &found))
	return found
}

func targetOf(t *testing.T, r *testrepo.Repo, target string) []byte {
	t.Helper()
	data, ok := r.Target(target)
	if !ok {
		t.Fatalf("no target %s", target)
	}
	return data
}

// predicateOf verifies a bundle that is a target, for a digest and by the
// identity that the release's source has, and returns what its statement says.
func predicateOf(t *testing.T, material root.TrustedMaterial, r *testrepo.Repo, m signedManifest, bundle string, digest artifact.Digest) *sgverify.VerificationResult {
	t.Helper()
	c := testrepo.WorkflowClaims(m.Source.Repository, ".github/workflows/release.yml", "refs/tags/"+m.Source.Tag, m.Source.Revision)
	san, err := sgverify.NewSANMatcher(c.Identity, "")
	must(t, err)
	issuer, err := sgverify.NewIssuerMatcher(c.Issuer, "")
	must(t, err)
	identity, err := sgverify.NewCertificateIdentity(san, issuer, certificate.Extensions{SourceRepositoryDigest: m.Source.Revision})
	must(t, err)
	result, err := check(material, demand(testrepo.PublicGood), targetOf(t, r, bundle), digest, sgverify.WithCertificateIdentity(identity))
	if err != nil {
		t.Fatalf("%s: %v", bundle, err)
	}
	return result
}

func TestSampleSigned(t *testing.T) {
	t.Parallel()
	r, s, err := testrepo.SampleSigned(testrepo.Options{Now: func() time.Time { return noon }})
	must(t, err)
	if string(targetOf(t, r, "trusted_root.json")) != string(s.TrustedRoot()) {
		t.Error("trusted_root.json is not the instance's")
	}
	material := trusted(t, s)
	for _, folder := range []string{"hello/1.5.0/", "ferry/0.9.0/"} {
		m := signedManifestOf(t, r, folder+"release.json")
		for _, a := range m.Artifacts {
			name, want := path.Base(a.Target), 2
			if len(a.URLs) > 0 { // which has no bill of materials
				name, want = path.Base(a.URLs[0]), 1
			}
			if len(a.Bundles) != want || a.Bundles[0] != folder+name+".sigstore.json" {
				t.Fatalf("%s: bundles %q", name, a.Bundles)
			}
			for i, bundle := range a.Bundles {
				digest, _ := a.Digests.Of(artifact.SHA256)
				statement := predicateOf(t, material, r, m, bundle, digest).Statement
				if kind := []string{testrepo.ProvenanceV1Type, testrepo.SPDXType}[i]; statement.GetPredicateType() != kind || statement.GetSubject()[0].GetName() != name {
					t.Errorf("%s: expected %s of %s, found %s of %v", bundle, kind, name, statement.GetPredicateType(), statement.GetSubject())
				}
			}
		}
		sums := artifact.DigestOf(artifact.SHA256, targetOf(t, r, m.Checksums.Target))
		result := predicateOf(t, material, r, m, m.Checksums.Bundles[0], sums)
		if result.Statement != nil {
			t.Errorf("%s: a statement over the checksums", folder)
		}
		if at := result.VerifiedTimestamps[0].Timestamp; at.Before(m.Build.Finished) || at.After(m.Published) {
			t.Errorf("%s: signed at %v, built at %v, published at %v", folder, at, m.Build.Finished, m.Published)
		}
	}
}

// TestProvenanceAgreesWithTheManifest compares source and builder, in both
// versions.
func TestProvenanceAgreesWithTheManifest(t *testing.T) {
	t.Parallel()
	for version, at := range map[testrepo.Attested]struct{ builder, source, revision []string }{
		testrepo.AsProvenanceV1: {
			[]string{"runDetails", "builder", "id"}, []string{"buildDefinition", "externalParameters", "workflow", "repository"},
			[]string{"buildDefinition", "resolvedDependencies", "0", "digest", "gitCommit"},
		},
		testrepo.AsProvenanceV02: {
			[]string{"builder", "id"}, []string{"invocation", "configSource", "uri"}, []string{"materials", "0", "digest", "sha1"},
		},
	} {
		r, s := signedRelease(t, testrepo.Signing{Artifacts: version})
		m := signedManifestOf(t, r, "hello/1.4.2/release.json")
		digest, _ := m.Artifacts[0].Digests.Of(artifact.SHA256)
		predicate := predicateOf(t, trusted(t, s), r, m, m.Artifacts[0].Bundles[0], digest).Statement.GetPredicate().AsMap()
		find := func(keys []string) string {
			var value any = predicate
			for _, key := range keys {
				switch v := value.(type) {
				case map[string]any:
					value = v[key]
				case []any:
					value = v[0]
				}
			}
			text, _ := value.(string)
			return text
		}
		tag := "refs/tags/" + m.Source.Tag
		if found, want := find(at.builder), m.Source.Repository+"/.github/workflows/release.yml@"+tag; found != want {
			t.Errorf("%s: expected the builder %q, found %q", version, want, found)
		}
		if found := strings.TrimSuffix(strings.TrimPrefix(find(at.source), "git+"), "@"+tag); found != m.Source.Repository {
			t.Errorf("%s: expected the source %q, found %q", version, m.Source.Repository, found)
		}
		if found := find(at.revision); found != m.Source.Revision {
			t.Errorf("%s: expected the revision %q, found %q", version, m.Source.Revision, found)
		}
	}
}

// signedRelease is hello 1.4.2 for two platforms, signed.
func signedRelease(t *testing.T, how testrepo.Signing) (*testrepo.Repo, *testrepo.Sigstore) {
	t.Helper()
	s := lab(t)
	how.Sigstore = s
	r, err := testrepo.New(testrepo.Options{Now: func() time.Time { return noon }, Signing: &how})
	must(t, err)
	must(t, r.AddProduct("hello", "Prints a greeting", "stable"))
	must(t, r.AddRelease(testrepo.Release{
		Product: "hello", Version: "1.4.2", Channel: "stable", Artifacts: testrepo.DefaultArtifacts()[:2],
	}))
	return r, s
}

func TestWaysToSign(t *testing.T) {
	t.Parallel()
	const folder = "hello/1.4.2/"
	key, err := testrepo.NewSigningKey(testrepo.ECDSA)
	must(t, err)
	rebuilder := testrepo.Claims{Identity: "https://rebuild.example/a", Issuer: "https://issuer.example"}
	first := "hello_1.4.2_linux_amd64.tar.gz"
	for name, c := range map[string]struct {
		how     testrepo.Signing
		bundles []string // of the first artifact, without the folder
	}{
		"message":  {testrepo.Signing{Artifacts: testrepo.AsMessage}, []string{first + ".sigstore.json"}},
		"nothing":  {testrepo.Signing{Artifacts: testrepo.AsNothing, Checksums: true}, nil},
		"together": {testrepo.Signing{Together: true, Bills: true}, []string{first + ".sbom.sigstore.json", "hello_1.4.2.sigstore.json"}},
		"key":      {testrepo.Signing{Key: key}, []string{first + ".sigstore.json"}},
		"rebuilders": {
			testrepo.Signing{Rebuilders: []testrepo.Claims{rebuilder, rebuilder}},
			[]string{first + ".sigstore.json", first + ".rebuild-1.sigstore.json", first + ".rebuild-2.sigstore.json"},
		},
	} {
		r, s := signedRelease(t, c.how)
		m := signedManifestOf(t, r, folder+"release.json")
		var found []string
		for _, a := range m.Artifacts {
			digest, _ := a.Digests.Of(artifact.SHA256)
			for _, bundle := range a.Bundles {
				material, asked, who := root.TrustedMaterial(trusted(t, s)), demand(testrepo.PublicGood), sgverify.WithoutIdentitiesUnsafe()
				if c.how.Key != nil {
					material, asked, who = keyMaterial(t, key, false), demand(testrepo.Bare), sgverify.WithKey()
				}
				if _, err := check(material, asked, targetOf(t, r, bundle), digest, who); err != nil {
					t.Errorf("%s: %s: %v", name, bundle, err)
				}
			}
		}
		for _, bundle := range m.Artifacts[0].Bundles {
			found = append(found, strings.TrimPrefix(bundle, folder))
		}
		if !slices.Equal(found, c.bundles) || (len(m.Checksums.Bundles) == 1) != c.how.Checksums {
			t.Errorf("%s: expected %q, found %q and %q", name, c.bundles, found, m.Checksums.Bundles)
		}
	}
}

// TestEdKeySignsTheBytes needs a SHA-512 digest, which the repository does not list.
func TestEdKeySignsTheBytes(t *testing.T) {
	t.Parallel()
	key, err := testrepo.NewSigningKey(testrepo.Ed25519)
	must(t, err)
	r, _ := signedRelease(t, testrepo.Signing{Key: key, Artifacts: testrepo.AsMessage})
	a := signedManifestOf(t, r, "hello/1.4.2/release.json").Artifacts[0]
	digest := artifact.DigestOf(artifact.SHA512, targetOf(t, r, a.Target))
	_, err = check(keyMaterial(t, key, true), demand(testrepo.Bare), targetOf(t, r, a.Bundles[0]), digest, sgverify.WithKey())
	must(t, err)
}

func TestSigningCanBeChangedOrLeftOut(t *testing.T) {
	t.Parallel()
	var seen []string
	r, s := signedRelease(t, testrepo.Signing{Checksums: true, Change: func(bundle string, o *testrepo.BundleOptions) {
		seen = append(seen, path.Base(bundle))
		o.Forgeries = []testrepo.BundleForgery{testrepo.ForeignCertificate}
	}})
	want := []string{"hello_1.4.2_linux_amd64.tar.gz.sigstore.json", "hello_1.4.2_linux_arm64.tar.gz.sigstore.json", "checksums.txt.sigstore.json"}
	if !slices.Equal(seen, want) {
		t.Errorf("expected %q, found %q", want, seen)
	}
	m := signedManifestOf(t, r, "hello/1.4.2/release.json")
	digest, _ := m.Artifacts[0].Digests.Of(artifact.SHA256)
	fails(t, "leaf certificate verification failed", func() error {
		_, err := check(trusted(t, s), demand(testrepo.PublicGood), targetOf(t, r, m.Artifacts[0].Bundles[0]), digest)
		return err
	})
	must(t, r.AddRelease(testrepo.Release{Product: "hello", Version: "1.4.3", Channel: "stable", Unsigned: true}))
	if m := signedManifestOf(t, r, "hello/1.4.3/release.json"); len(m.Artifacts[0].Bundles) > 0 || len(m.Checksums.Bundles) > 0 {
		t.Errorf("unsigned: %+v", m)
	}
	for name, how := range map[string]testrepo.Signing{
		"no instance": {}, "word": {Sigstore: s, Artifacts: "v3"}, "together": {Sigstore: s, Together: true, Artifacts: testrepo.AsMessage},
		"SCT of a key": {Sigstore: s, Key: &testrepo.SigningKey{}, Preset: testrepo.PublicGood},
	} {
		err := r.AddRelease(testrepo.Release{Product: "hello", Version: "2.0.0", Channel: "stable", Signing: &how})
		if !errors.Is(err, testrepo.ErrOptions) {
			t.Errorf("%s: expected %v, found %v", name, testrepo.ErrOptions, err)
		}
		if _, ok := r.Target("hello/2.0.0/release.json"); ok {
			t.Errorf("%s: an impossible release was added", name)
		}
	}
}
