package proof_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
	"assay/trust/sbom"
)

func pattern(t *testing.T, text string) provenance.Pattern {
	t.Helper()
	p, err := provenance.ParsePattern(text)
	must(t, err)
	return p
}

// acmeSigner is who signs hello, whatever the tag.
func acmeSigner(t *testing.T, product string) provenance.Identity {
	return provenance.Identity{
		Issuer:  pattern(t, testrepo.GitHubIssuer),
		Subject: pattern(t, "https://git.example/"+product+"/"+product+"/.github/workflows/release.yml@refs/tags/*"),
	}
}

// TestSignedRelease goes through every check that passes.
func TestSignedRelease(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Checksums: true, Bills: true})
	b.rules = []policy.Rule{{Signers: []provenance.Identity{acmeSigner(t, "hello")}, Require: []policy.Kind{policy.KindProvenance, policy.KindSBOM}}}
	first := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, first.Evidence, trust.CheckUnchanged, trust.NotChecked) // there is nothing to compare with yet
	wantResult(t, first.Evidence, trust.CheckRatchet, trust.NotChecked)
	found := b.proven(b.item("hello", "1.4.2"))
	for _, id := range []string{
		trust.CheckName, trust.CheckUnchanged, trust.CheckChecksums, trust.CheckSignature, trust.CheckIdentity,
		trust.CheckProvenance, trust.CheckSource, trust.CheckSBOM, trust.CheckAge, trust.CheckRatchet,
		policy.IDSigners, policy.IDRequire,
	} {
		wantResult(t, found.Evidence, id, trust.Pass)
	}
	e := found.Evidence
	if len(e.Signatures) != 3 || len(e.Builds) != 1 || e.Policy.IsZero() || !e.FreshUntil.After(start) || len(e.Metadata) != 4 {
		t.Errorf("expected three signatures, one build, a policy, freshness and four roles; found %+v", e)
	}
	for _, s := range e.Signatures {
		if s.Bundle.IsZero() || s.Root.IsZero() || s.Profile != "acme" || s.Issuer != testrepo.GitHubIssuer ||
			!strings.Contains(s.Signer, "release.yml@refs/tags/v1.4.2") || s.Signed.IsZero() || len(s.Logged) != 1 {
			t.Errorf("the evidence of a signature lacks something: %+v", s)
		}
	}
	if build := e.Builds[0]; build.Builder == "" || build.Source == "" || build.Revision == "" || build.Ref != "refs/tags/v1.4.2" || len(build.Parameters) == 0 {
		t.Errorf("the evidence of the build lacks something: %+v", build)
	}
	if len(e.Claims) == 0 || e.Claims[0].What != "team" {
		t.Errorf("expected what the manifest only claims, found %+v", e.Claims)
	}
	if len(found.Subject.Components) == 0 {
		t.Error("expected components of the bill of materials")
	}
}

func TestUnsignedRelease(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	found := b.proven(b.item("hello", "1.4.2"))
	for _, id := range []string{trust.CheckSignature, trust.CheckProvenance, policy.IDPolicy} {
		wantResult(t, found.Evidence, id, trust.NotChecked)
	}
}

// TestNoProfile: what no profile may judge is not checked, and says so.
func TestNoProfile(t *testing.T) {
	b := newBench(t)
	b.config.Default = nil
	b.release("hello", "1.4.2", &testrepo.Signing{})
	found := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, found.Evidence, trust.CheckSignature, trust.NotChecked)
	if len(found.Evidence.Signatures) != 0 {
		t.Errorf("expected no signature to count, found %+v", found.Evidence.Signatures)
	}
}

// TestNoIdentity: the cryptography is checked, who signed is told and not judged.
func TestNoIdentity(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	found := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, found.Evidence, trust.CheckSignature, trust.Pass)
	wantResult(t, found.Evidence, trust.CheckIdentity, trust.NotChecked)
}

func TestForgedBundles(t *testing.T) {
	for _, test := range []struct {
		forgery testrepo.BundleForgery
		reason  error
	}{
		{testrepo.WrongSignature, provenance.ErrSignature},
		{testrepo.ForeignCertificate, provenance.ErrCertificate},
		{testrepo.ForeignSCT, provenance.ErrCertificate},
		{testrepo.SignedLate, provenance.ErrTime},
		{testrepo.SignedEarly, provenance.ErrTime},
		{testrepo.ForeignCheckpoint, provenance.ErrLog},
		{testrepo.WrongInclusion, provenance.ErrLog},
		{testrepo.UnknownLog, provenance.ErrLog},
		{testrepo.OtherEntry, provenance.ErrLog},
	} {
		t.Run(string(test.forgery), func(t *testing.T) {
			b := newBench(t)
			b.release("hello", "1.4.2", &testrepo.Signing{Change: func(_ string, o *testrepo.BundleOptions) { o.Forgeries = []testrepo.BundleForgery{test.forgery} }})
			b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSignature, test.reason)
		})
	}
}

// TestBundleOfAnotherArtifact: a good bundle, over other bytes.
func TestBundleOfAnotherArtifact(t *testing.T) {
	b := newBench(t)
	b.release("ferry", "0.9.0", &testrepo.Signing{})
	b.release("hello", "1.4.2", &testrepo.Signing{})
	stolen, _ := b.repo.Target("ferry/0.9.0/ferry_0.9.0_linux_amd64.tar.gz.sigstore.json")
	b.replace("hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz.sigstore.json", stolen, "hello")
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSignature, provenance.ErrDigest)
}

// replace publishes other bytes under a target's path.
func (b *bench) replace(path string, data []byte, role string) {
	b.t.Helper()
	must(b.t, b.repo.AddTarget(path, data, role))
	must(b.t, b.repo.Publish())
}

// edit changes a manifest and publishes it.
func (b *bench) edit(path string, change func(map[string]any)) {
	b.t.Helper()
	must(b.t, b.repo.EditDocument(path, change))
	must(b.t, b.repo.Publish())
}

// TestSwaps: the publisher's key is in bad hands and swaps entries of a manifest
// whose artifacts all have valid bundles.
func TestSwaps(t *testing.T) {
	// Each makes its files, and then says how the manifest is changed.
	entry := func(m map[string]any, i int) map[string]any { return m["artifacts"].([]any)[i].(map[string]any) }
	for _, test := range []struct {
		name   string
		swap   func(b *bench) func(m map[string]any)
		id     string
		reason error
	}{
		{"platform", func(*bench) func(map[string]any) {
			// The archive for linux/arm64, with its bundle, is said to be for amd64.
			return func(m map[string]any) {
				amd, arm := entry(m, 0), entry(m, 1)
				amd["arch"], arm["arch"] = arm["arch"], amd["arch"]
			}
		}, trust.CheckName, proof.ErrDisagree},
		{"platform under a new name", func(b *bench) func(map[string]any) {
			return b.copyOf("hello/1.4.2/hello_1.4.2_linux_arm64.tar.gz", "hello/1.4.2/hello_1.4.2_linux_amd64.tgz")
		}, trust.CheckSubject, proof.ErrDisagree},
		{"version", func(b *bench) func(map[string]any) {
			return b.copyOf("hello/1.4.1/hello_1.4.1_linux_amd64.tar.gz", "hello/1.4.2/hello_1.4.1_linux_amd64.tar.gz")
		}, trust.CheckName, proof.ErrDisagree},
		{"version under a new name", func(b *bench) func(map[string]any) {
			return b.copyOf("hello/1.4.1/hello_1.4.1_linux_amd64.tar.gz", "hello/1.4.2/hello_1.4.2_linux_amd64.tgz")
		}, trust.CheckSubject, proof.ErrDisagree},
		{"product", func(b *bench) func(map[string]any) {
			return b.copyOf("ferry/0.9.0/ferry_0.9.0_linux_amd64.tar.gz", "hello/1.4.2/ferry_0.9.0_linux_amd64.tar.gz")
		}, trust.CheckSource, proof.ErrDisagree},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.release("ferry", "0.9.0", &testrepo.Signing{})
			b.release("hello", "1.4.1", &testrepo.Signing{})
			b.release("hello", "1.4.2", &testrepo.Signing{})
			swap := test.swap(b)
			b.edit("hello/1.4.2/release.json", func(m map[string]any) { delete(m, "checksums"); swap(m) })
			b.wantRefusal(b.item("hello", "1.4.2"), test.id, test.reason)
		})
	}
}

// copyOf copies an artifact, with its bundle, to another path, and puts it into
// the first entry of a manifest.
func (b *bench) copyOf(from, to string) func(m map[string]any) {
	b.t.Helper()
	data, ok := b.repo.Target(from)
	bundle, ok2 := b.repo.Target(from + ".sigstore.json")
	if !ok || !ok2 {
		b.t.Fatalf("no %s with a bundle", from)
	}
	must(b.t, b.repo.AddTarget(to, data, "hello"))
	must(b.t, b.repo.AddTarget(to+".sigstore.json", bundle, "hello"))
	return func(m map[string]any) {
		entry := m["artifacts"].([]any)[0].(map[string]any)
		digests := map[string]any{"sha256": artifact.DigestOf(artifact.SHA256, data).Hex()}
		entry["target"], entry["length"], entry["digests"], entry["bundles"] = to, len(data), digests, []any{to + ".sigstore.json"}
		delete(entry, "sbom")
	}
}

// TestEditedManifest: the manifest's source is not what was built.
func TestEditedManifest(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	b.edit("hello/1.4.2/release.json", func(m map[string]any) {
		m["source"].(map[string]any)["revision"] = strings.Repeat("ab", 20)
	})
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSource, proof.ErrDisagree)
}

// TestProvenanceAgainstCertificate: the builder may write what it likes into a
// statement; the certificate authority knows where it ran. A third party that
// tells otherwise counts for nothing, and gets in nobody's way; one that a rule
// names, or that is the source's own workflow, is refused.
func TestProvenanceAgainstCertificate(t *testing.T) {
	evil := testrepo.WorkflowClaims("https://git.example/hello/hello-evil", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Claims: evil})
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckProvenance, trust.NotChecked)
	if len(found.Evidence.Builds) != 0 {
		t.Errorf("expected it to count for nothing, found %+v", found.Evidence.Builds)
	}
	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindProvenance}}}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)
	b.rules = []policy.Rule{{Signers: []provenance.Identity{{Issuer: pattern(t, testrepo.GitHubIssuer), Subject: pattern(t, evil.Identity)}}}}
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckProvenance, proof.ErrClaims)

	b = newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Change: func(_ string, o *testrepo.BundleOptions) {
		o.Statement = bytes.ReplaceAll(o.Statement, []byte("actions/runs/4211"), []byte("actions/runs/4212"))
	}})
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckProvenance, proof.ErrClaims)
}

// TestLookAlike: another repository whose name only begins like the accepted
// one's, with a bundle that is good in itself.
func TestLookAlike(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsMessage, Claims: testrepo.WorkflowClaims("https://git.example/hello/hello-evil", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))})
	b.rules = []policy.Rule{{Signers: []provenance.Identity{{Issuer: pattern(t, testrepo.GitHubIssuer), Subject: pattern(t, "/https://git.example/hello/hello/")}}}}
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckIdentity, proof.ErrIdentity)
	b.rules[0].Signers[0].Subject = pattern(t, "https://git.example/hello/hello*/.github/workflows/release.yml@refs/tags/*")
	wantResult(t, b.proven(b.item("hello", "1.4.2")).Evidence, trust.CheckIdentity, trust.Pass)
}

// TestMessageSignature names nothing: that is told.
func TestMessageSignature(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsMessage})
	found := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, found.Evidence, trust.CheckSubject, trust.NotChecked)
}

// TestManySubjects: one statement over all artifacts.
func TestManySubjects(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Together: true})
	found := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, found.Evidence, trust.CheckSubject, trust.Pass)
	wantResult(t, found.Evidence, trust.CheckProvenance, trust.Pass)
}

// TestSubjectIsAPackage: a package URL is a name, if product, version and
// platform are in it.
func TestSubjectIsAPackage(t *testing.T) {
	for _, test := range []struct {
		purl string
		fits trust.Result
	}{
		{"pkg:generic/hello@1.4.2", trust.NotChecked},
		{"pkg:generic/hello@1.4.2?os=linux", trust.NotChecked},
		{"pkg:generic/acme/hello@v1.4.2?os=linux&arch=amd64", trust.Pass},
		{"pkg:generic/hello@1.4.1", trust.Fail},
		{"pkg:generic/ferry@1.4.2", trust.Fail},
		{"pkg:generic/hello@1.4.2?os=darwin", trust.Fail},
		{"pkg:generic/hello@1.4.2?arch=arm64", trust.Fail},
	} {
		t.Run(test.purl, func(t *testing.T) {
			b := newBench(t)
			b.release("hello", "1.4.2", &testrepo.Signing{Change: func(_ string, o *testrepo.BundleOptions) {
				var statement map[string]any
				must(t, json.Unmarshal(o.Statement, &statement))
				statement["subject"].([]any)[0].(map[string]any)["name"] = test.purl
				o.Statement, _ = json.Marshal(statement)
			}})
			item := b.item("hello", "1.4.2")
			if test.fits != trust.Fail {
				wantResult(t, b.proven(item).Evidence, trust.CheckSubject, test.fits)
				return
			}
			b.wantRefusal(item, trust.CheckSubject, proof.ErrDisagree)
		})
	}
}

// TestSignedChecksums: a signature over the checksums file counts for what it
// lists, and for nothing else.
func TestSignedChecksums(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsNothing, Checksums: true})
	b.rules = []policy.Rule{{Signers: []provenance.Identity{acmeSigner(t, "hello")}}}
	found := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, found.Evidence, trust.CheckChecksums, trust.Pass)
	wantResult(t, found.Evidence, policy.IDSigners, trust.Pass)

	for _, test := range []struct {
		name, file, id string
		reason         error
	}{
		{"another digest", strings.Repeat("ab", 32) + "  hello_1.4.2_linux_amd64.tar.gz\n", trust.CheckChecksums, proof.ErrDisagree},
		{"not listed", strings.Repeat("ab", 32) + "  hello_1.4.2_linux_arm64.tar.gz\n", policy.IDSigners, policy.ErrRefused},
		{"no list", "<html>\n", trust.CheckChecksums, proof.ErrDocument},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsNothing, Checksums: true})
			bundle, err := b.box.Bundle(testrepo.BundleOptions{Data: []byte(test.file), Claims: testrepo.WorkflowClaims("https://git.example/hello/hello", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))})
			must(t, err)
			b.replace("hello/1.4.2/checksums.txt", []byte(test.file), "hello")
			b.replace("hello/1.4.2/checksums.txt.sigstore.json", bundle, "hello")
			b.rules = []policy.Rule{{Signers: []provenance.Identity{acmeSigner(t, "hello")}}}
			b.wantRefusal(b.item("hello", "1.4.2"), test.id, test.reason)
		})
	}
}

// TestPromisedDocumentsAreThere: a manifest that names documents which the
// repository does not promise.
func TestPromisedDocumentsAreThere(t *testing.T) {
	for path, id := range map[string]string{
		"hello/1.4.2/checksums.txt":                                trust.CheckChecksums,
		"hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz.sigstore.json": trust.CheckSignature,
		"hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz.spdx.json":     trust.CheckSBOM,
	} {
		b := newBench(t)
		b.release("hello", "1.4.2", &testrepo.Signing{})
		if item := b.item("hello", "1.4.2"); id == trust.CheckSBOM {
			path = item.Artifact.SBOM
		}
		must(t, b.repo.RemoveTarget(path, "hello"))
		must(t, b.repo.Publish())
		b.wantRefusal(b.item("hello", "1.4.2"), id, proof.ErrDisagree)
	}
}

// TestTooLargeDocuments: what is promised to be too large is never read.
func TestTooLargeDocuments(t *testing.T) {
	for path, want := range map[string]struct {
		length int64
		id     string
		reason error
	}{
		"hello/1.4.2/checksums.txt":                                {checksums.MaxBytes + 1, trust.CheckChecksums, proof.ErrDocument},
		"hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz.sigstore.json": {100 << 20, trust.CheckSignature, provenance.ErrTooLarge},
		"hello/1.4.2/hello_1.4.2_linux_amd64.spdx.json":            {sbom.MaxBytes + 1, trust.CheckSBOM, proof.ErrDocument},
	} {
		b := newBench(t)
		b.release("hello", "1.4.2", &testrepo.Signing{})
		must(t, b.repo.AddLarge(path, want.length, 1, "hello"))
		must(t, b.repo.Publish())
		b.wantRefusal(b.item("hello", "1.4.2"), want.id, want.reason)
		if slices.Contains(b.read, path) {
			t.Errorf("%s was read", path)
		}
	}
}

// TestRatchet: provenance dropped in a newer release.
func TestRatchet(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.1", &testrepo.Signing{})
	b.release("hello", "1.4.2", nil)
	b.release("hello", "1.4.0", nil)
	b.proven(b.item("hello", "1.4.1"))
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckRatchet, policy.ErrWeaker)
	b.proven(b.item("hello", "1.4.0")) // an older one was never stronger

	item := b.item("hello", "1.4.2")
	memory := policy.NewMemory(b.memory)
	_, err := memory.Waive(t.Context(), item.Target.Digests().Primary(), "the signer is being replaced", b.now.Add(24*time.Hour), "a test", b.now)
	must(t, err)
	found, err := b.prove(item)
	must(t, err)
	if c := checksOf(found.Evidence, trust.CheckRatchet); len(c) != 1 || !strings.Contains(c[0].Found+c[0].Why, "the signer is being replaced") {
		t.Errorf("expected the waiver in the evidence, found %+v", c)
	}
	b.now = b.now.Add(25 * time.Hour)
	must(t, b.repo.Renew())
	must(t, b.repo.Publish())
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckRatchet, policy.ErrWeaker)
}

// TestChangedBytes: published bytes never change under their path.
func TestChangedBytes(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	b.proven(b.item("hello", "1.4.2"))
	path := "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"
	b.replace(path, []byte("other bytes"), "hello")
	b.edit("hello/1.4.2/release.json", func(m map[string]any) {
		delete(m, "checksums")
		entry := m["artifacts"].([]any)[0].(map[string]any)
		entry["length"], entry["digests"] = len("other bytes"), map[string]any{"sha256": artifact.DigestOf(artifact.SHA256, []byte("other bytes")).Hex()}
	})
	refusal := b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckUnchanged, policy.ErrChanged)
	var changed *policy.ChangedError
	if !errors.As(refusal, &changed) || len(changed.Seen) == 0 || len(changed.Found) == 0 {
		t.Errorf("expected both digests, found %v", refusal)
	}
}

// TestVerdicts: the same bytes with the same bundle, root and policy are not
// verified twice; a change of any of them is.
func TestVerdicts(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	bundle := "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz.sigstore.json"
	wasRead := func() bool {
		defer func() { b.read = nil }()
		return strings.Contains(fmt.Sprint(b.read), bundle)
	}
	b.proven(b.item("hello", "1.4.2"))
	if !wasRead() {
		t.Fatal("the first proof did not read the bundle")
	}
	again := b.proven(b.item("hello", "1.4.2"))
	if wasRead() {
		t.Error("the second proof read the bundle again")
	}
	wantResult(t, again.Evidence, trust.CheckSignature, trust.Pass)
	wantResult(t, again.Evidence, trust.CheckProvenance, trust.Pass)

	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindProvenance}}}
	b.proven(b.item("hello", "1.4.2"))
	if !wasRead() {
		t.Error("under another policy the bundle was not read again")
	}

	// Another trusted root: the verdict of the first counts for nothing.
	other, err := testrepo.NewSigstore(func() time.Time { return b.now })
	must(t, err)
	b.config.Profiles = []proof.Profile{b.profile("acme", provenance.Profile{Kind: provenance.PublicGood, Root: other.TrustedRoot()})}
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSignature, provenance.ErrCertificate)
}

// TestProfilesThatDoNotApply: a signature by a plain key is no fault where only
// certificates can be judged; nor does it count.
func TestProfilesThatDoNotApply(t *testing.T) {
	b := newBench(t)
	key, err := testrepo.NewSigningKey(testrepo.ECDSA)
	must(t, err)
	b.release("hello", "1.4.2", &testrepo.Signing{Key: key})
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckSignature, trust.NotChecked)

	b.config.Profiles = append(b.config.Profiles, b.profile("key", provenance.Profile{Kind: provenance.Keys, Keys: [][]byte{key.PublicPEM()}}))
	b.config.Default = func(string) []string { return []string{"acme", "key"} }
	found, err = b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckSignature, trust.Pass)
}

// TestOtherAlgorithm: a bundle that vouches by SHA-512, for a target that lists
// SHA-256 only: the digest has to be computed from the bytes.
func TestOtherAlgorithm(t *testing.T) {
	b := newBench(t)
	data := []byte("bytes")
	must(t, b.repo.AddTarget("tool", data))
	statement, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{Subjects: []testrepo.Subject{{Name: "tool", Digests: artifact.Digests{artifact.DigestOf(artifact.SHA512, data)}}}})
	must(t, err)
	bundle, err := b.box.Bundle(testrepo.BundleOptions{Statement: statement})
	must(t, err)
	must(t, b.repo.AddTarget("tool.sigstore.json", bundle))
	must(t, b.repo.Publish())
	item := func() proof.Item {
		view := b.view()
		target, err := view.Target(t.Context(), "tool")
		must(t, err)
		return proof.Item{Target: target, Evidence: view.Evidence(), Documents: papers{b, view}}
	}
	found, err := b.prove(item())
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckSignature, trust.NotChecked)

	b.known = artifact.Digests{artifact.DigestOf(artifact.SHA512, data)}
	found, err = b.prove(item())
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckSignature, trust.Pass)

	b.known = artifact.Digests{artifact.DigestOf(artifact.SHA512, []byte("other"))}
	b.wantRefusal(item(), trust.CheckSignature, provenance.ErrDigest)
}

// TestReceipts survive, and are found by digest.
func TestReceipts(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	item := b.item("hello", "1.4.2")
	b.proven(item)
	p := b.prover()
	names, err := p.ReceiptsOf(t.Context(), item.Target.Digests().Primary())
	must(t, err)
	if len(names) != 1 || names[0].Repository != "acme" || names[0].Target != item.Target.Path() {
		t.Fatalf("expected one receipt, found %+v", names)
	}
	for receipt, err := range p.Receipts(t.Context(), names) {
		must(t, err)
		if receipt.Outcome != proof.Proven || receipt.Version != "1.4.2" || len(receipt.Evidence.Checks) == 0 || !receipt.At.Equal(start) {
			t.Errorf("the receipt lacks something: %+v", receipt)
		}
	}
	none, err := p.ReceiptsOf(t.Context(), artifact.DigestOf(artifact.SHA256, []byte("other")))
	if must(t, err); len(none) != 0 {
		t.Errorf("expected no receipt of other bytes, found %+v", none)
	}
}

// osv is one advisory on a component of the sample.
const osv = `{"id":"GO-2026-1","modified":"2026-01-01T00:00:00Z","summary":"a hole","affected":[
  {"package":{"ecosystem":"Go","name":"golang.org/x/text"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.31.0"}]}]}]}`

// TestAdvisories are told where nobody asks, and refuse where a rule says so.
func TestAdvisories(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	advise := func(text string) {
		doc, err := advisory.Parse("osv.json", []byte(text))
		must(t, err)
		set, err := advisory.NewSet(doc)
		must(t, err)
		b.config.Advisories = func(context.Context) (*advisory.Set, error) { return set, nil }
	}
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	if c := checksOf(found.Evidence, trust.CheckAdvisories); len(c) != 0 {
		t.Errorf("expected no check without advisories, found %+v", c)
	}
	advise(osv)
	found, err = b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckAdvisories, trust.NotChecked)
	if lines := found.Affected(); len(lines) != 1 || !strings.Contains(lines[0], "GO-2026-1") || len(found.Warnings) != 1 {
		t.Errorf("expected one component to be affected, found %q and %q", lines, found.Warnings)
	}
	b.rules = []policy.Rule{{Advisories: policy.Deny}}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDAdvisories, policy.ErrRefused)
	advise(strings.Replace(osv, "0.31.0", "0.30.0", 1))
	found, err = b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckAdvisories, trust.Pass)
	wantResult(t, found.Evidence, policy.IDAdvisories, trust.Pass)
}

// TestBuildersAreNoSigners: that a table says how well some builder is guarded
// does not ask for releases of that builder.
func TestBuildersAreNoSigners(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	b.rules = []policy.Rule{{Statuses: []string{"current"}}}
	b.builders = []policy.Builder{{Builder: pattern(t, "https://builder.example/x"), Signer: acmeSigner(t, "other"), Level: 3}}
	found := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, found.Evidence, trust.CheckIdentity, trust.NotChecked)
}

// TestBackdated: a release that claims to be old, and was signed today.
func TestBackdated(t *testing.T) {
	b := newBench(t)
	fresh := func(_ string, o *testrepo.BundleOptions) { o.SignedAt = b.now.Add(-time.Hour) }
	b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Published: b.now.Add(-100 * 24 * time.Hour), Signing: &testrepo.Signing{Change: fresh}})
	week := policy.Span(7 * 24 * time.Hour)
	b.rules = []policy.Rule{{MinAge: &week}}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDAge, policy.ErrRefused)
	b.now = b.now.Add(8 * 24 * time.Hour)
	must(t, b.repo.Renew())
	must(t, b.repo.Publish())
	wantResult(t, b.proven(b.item("hello", "1.4.2")).Evidence, policy.IDAge, trust.Pass)
}

// TestSignedBeforeItWasBuilt: an old artifact that claims to be built today.
func TestSignedBeforeItWasBuilt(t *testing.T) {
	b := newBench(t)
	long := func(_ string, o *testrepo.BundleOptions) { o.SignedAt = b.now.Add(-700 * 24 * time.Hour) }
	b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsMessage, Change: long})
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckAge, trust.NotChecked)
	year := policy.Span(365 * 24 * time.Hour)
	b.rules = []policy.Rule{{MaxBuildAge: &year}}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDAge, policy.ErrRefused)
}

// TestDatesThatCannotBe are told, and are no refusal by themselves.
func TestDatesThatCannotBe(t *testing.T) {
	b := newBench(t)
	b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Published: b.now.Add(48 * time.Hour)})
	found := b.proven(b.item("hello", "1.4.2"))
	wantResult(t, found.Evidence, trust.CheckAge, trust.NotChecked)
	if len(found.Warnings) != 1 {
		t.Errorf("expected one warning, found %q", found.Warnings)
	}
}

// TestStrangersBill: a bill of materials signed by somebody whom no rule names
// does not count, and none hides what another lists.
func TestStrangersBill(t *testing.T) {
	deny := policy.Rule{Components: &policy.Components{Deny: []string{"golang.org/x/text"}}}
	for _, test := range []struct {
		name    string
		signers bool
		claims  testrepo.Claims
		bills   int
	}{
		{"of an accepted signer", true, testrepo.Claims{}, 2},
		{"of a stranger", true, testrepo.WorkflowClaims("https://git.example/x/y", ".github/workflows/release.yml", "refs/tags/v1", strings.Repeat("ab", 20)), 1},
		{"where nobody is named", false, testrepo.Claims{}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.release("hello", "1.4.2", &testrepo.Signing{Bills: true, Change: func(path string, o *testrepo.BundleOptions) {
				if !strings.Contains(path, ".sbom.") {
					return
				}
				if test.claims != (testrepo.Claims{}) {
					o.Claims = test.claims
				}
				var statement map[string]any
				must(t, json.Unmarshal(o.Statement, &statement))
				predicate := statement["predicate"].(map[string]any)
				predicate["packages"] = predicate["packages"].([]any)[:2] // the artifact, and one part
				predicate["relationships"] = []any{}
				o.Statement, _ = json.Marshal(statement)
			}})
			if test.signers {
				b.rules = []policy.Rule{{Signers: []provenance.Identity{acmeSigner(t, "hello")}}}
			}
			found, err := b.prove(b.item("hello", "1.4.2"))
			must(t, err)
			bills := checksOf(found.Evidence, trust.CheckSBOM)
			passed := 0
			for _, c := range bills {
				if c.Result == trust.Pass {
					passed++
				}
			}
			if len(bills) != 2 || passed != test.bills {
				t.Errorf("expected %d bills of materials that count, found %+v", test.bills, bills)
			}
			b.rules = append(b.rules, deny)
			b.wantRefusal(b.item("hello", "1.4.2"), policy.IDComponents, policy.ErrRefused)
		})
	}
}

// TestChangedAndUnlisted: the bytes are replaced, and the manifest lists them no
// more, so that nothing but the memory tells.
func TestChangedAndUnlisted(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	b.proven(b.item("hello", "1.4.2"))
	path := "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"
	b.replace(path, []byte("other bytes"), "hello")
	for _, paper := range []bool{false, true} {
		item := b.itemAt(path)
		item.Paper = paper // or it calls them a bundle
		b.wantRefusal(item, trust.CheckUnchanged, policy.ErrChanged)
	}
}

// TestStrangersCountForNothing: where rules name signers, what others have signed
// fulfils nothing that a rule asks for, and is not remembered.
func TestStrangersCountForNothing(t *testing.T) {
	b := newBench(t)
	stranger := testrepo.WorkflowClaims("https://git.example/x/y", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("ab", 20))
	b.release("hello", "1.4.2", &testrepo.Signing{Checksums: true, Artifacts: testrepo.AsNothing, Rebuilders: []testrepo.Claims{stranger}, Change: func(_ string, o *testrepo.BundleOptions) {
		if o.Statement != nil { // agree with the certificate of the stranger
			o.Statement = bytes.ReplaceAll(o.Statement, []byte("https://git.example/hello/hello"), []byte("https://git.example/x/y"))
		}
	}})
	b.edit("hello/1.4.2/release.json", func(m map[string]any) { delete(m, "source") })
	b.rules = []policy.Rule{{Signers: []provenance.Identity{acmeSigner(t, "hello")}}}
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	if len(found.Evidence.Builds) != 0 || len(found.Subject.Signatures) != 1 {
		t.Errorf("expected the stranger's build to be left out, found %+v", found.Evidence.Builds)
	}
	b.rules[0].Require = []policy.Kind{policy.KindProvenance}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)

	b = newBench(t) // nor is one whose certificate says nothing against it told as its build
	b.release("hello", "1.4.2", &testrepo.Signing{Rebuilders: []testrepo.Claims{rebuilder(stranger)}})
	b.rules = []policy.Rule{{Signers: []provenance.Identity{acmeSigner(t, "hello")}}}
	if builds := b.proven(b.item("hello", "1.4.2")).Evidence.Builds; len(builds) != 1 || !strings.Contains(builds[0].Signer, "hello/hello") {
		t.Errorf("expected the build by an accepted signer alone, found %+v", builds)
	}
}

// TestGuestsProfile: a project's rule can't have a bundle judged by a profile that
// nothing else lets judge the repository.
func TestGuestsProfile(t *testing.T) {
	b := newBench(t)
	lab, err := testrepo.NewSigstore(func() time.Time { return b.now })
	must(t, err)
	b.config.Profiles = append(b.config.Profiles, b.profile("lab", provenance.Profile{Kind: provenance.PublicGood, Root: lab.TrustedRoot()}))
	b.release("hello", "1.4.2", &testrepo.Signing{})
	path := "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"
	item := b.item("hello", "1.4.2")
	bundle, err := lab.Bundle(testrepo.BundleOptions{Digest: item.Target.Digests().Primary()})
	must(t, err)
	b.replace(path+".sigstore.json", bundle, "hello")
	signer := acmeSigner(t, "hello")
	signer.Profile = "lab"
	b.rules = []policy.Rule{{Guest: true, Signers: []provenance.Identity{signer}}}
	b.builders = []policy.Builder{{Builder: pattern(t, "https://builder.example/x"), Signer: signer, Level: 3}}
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSignature, provenance.ErrCertificate)
	b.rules[0].Guest = false
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckIdentity, proof.ErrIdentity) // it may judge now
}

// TestBundlesTogether: many large bundles would fill memory and state.
func TestBundlesTogether(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	for i := range 5 {
		must(t, b.repo.AddLarge(fmt.Sprintf("hello/1.4.2/%d.sigstore.json", i), 4<<20, uint64(i), "hello"))
	}
	must(t, b.repo.Publish())
	item := b.item("hello", "1.4.2")
	b.read = nil
	for i := range 5 {
		item.Artifact.Bundles = append(item.Artifact.Bundles, fmt.Sprintf("hello/1.4.2/%d.sigstore.json", i))
	}
	item.Documents = emptyPapers{item.Documents}
	b.wantRefusal(item, trust.CheckSignature, provenance.ErrTooLarge)
}

// emptyPapers reads bundles that no profile may judge.
type emptyPapers struct{ proof.Documents }

func (p emptyPapers) Read(ctx context.Context, target trust.Target, limit int64) ([]byte, error) {
	if !strings.HasSuffix(target.Path(), ".sigstore.json") {
		return p.Documents.Read(ctx, target, limit)
	}
	return nil, &provenance.VerifyError{Kind: provenance.ErrInapplicable}
}

// TestLongPredicates are verified each time, and not remembered.
func TestLongPredicates(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Change: func(_ string, o *testrepo.BundleOptions) {
		var statement map[string]any
		must(t, json.Unmarshal(o.Statement, &statement))
		statement["predicate"].(map[string]any)["padding"] = strings.Repeat("<", 200<<10)
		var err error
		o.Statement, err = json.Marshal(statement)
		must(t, err)
	}})
	for range 2 {
		b.read = nil
		b.proven(b.item("hello", "1.4.2"))
		if !strings.Contains(fmt.Sprint(b.read), ".sigstore.json") {
			t.Error("expected the bundle to be read each time")
		}
	}
	names, err := b.prover().ReceiptNames(t.Context())
	must(t, err)
	for receipt, err := range b.prover().Receipts(t.Context(), names) {
		must(t, err)
		if len(receipt.Verdicts) != 0 {
			t.Errorf("expected no verdict to be kept, found %d", len(receipt.Verdicts))
		}
	}
}

// TestManifestsComponents: a bill of materials hides nothing that the manifest
// lists.
func TestManifestsComponents(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	b.edit("hello/1.4.2/release.json", func(m map[string]any) {
		m["components"] = []any{map[string]any{"name": "left-pad", "version": "1.0.0", "license": "MIT"}}
	})
	b.rules = []policy.Rule{{Components: &policy.Components{Deny: []string{"left-pad"}}}}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDComponents, policy.ErrRefused)
}

// TestGuestsSigner is asked for by the project's rule, and is nobody for what is
// remembered.
func TestGuestsSigner(t *testing.T) {
	guest := testrepo.WorkflowClaims("https://git.example/x/y", ".github/workflows/release.yml", "refs/tags/v1", strings.Repeat("ab", 20))
	asked := policy.Rule{Guest: true, Signers: []provenance.Identity{{Issuer: pattern(t, testrepo.GitHubIssuer), Subject: pattern(t, guest.Identity)}}}
	host := policy.Rule{Signers: []provenance.Identity{acmeSigner(t, "hello")}}
	b := newBench(t)
	b.release("hello", "1.4.1", &testrepo.Signing{})
	b.rules = []policy.Rule{host}
	b.proven(b.item("hello", "1.4.1"))
	// The newer one has the host's signature over the list alone, and the guest's
	// over a provenance.
	b.release("hello", "1.4.2", &testrepo.Signing{Checksums: true, Change: func(path string, o *testrepo.BundleOptions) {
		if o.Statement != nil {
			o.Claims = guest
			o.Statement = bytes.ReplaceAll(o.Statement, []byte("https://git.example/hello/hello"), []byte("https://git.example/x/y"))
			o.Statement = bytes.ReplaceAll(o.Statement, []byte("refs/tags/v1.4.2"), []byte("refs/tags/v1"))
		}
	}})
	b.edit("hello/1.4.2/release.json", func(m map[string]any) { delete(m, "source") })
	b.rules = []policy.Rule{host, asked}
	_, err := b.prove(b.item("hello", "1.4.2"))
	if !errors.Is(err, policy.ErrWeaker) && !errors.Is(err, proof.ErrClaims) {
		t.Errorf("expected the guest's provenance not to count, found %v", err)
	}
}

// TestOneMoreRule can only refuse more: what a stranger's statement says against an
// artifact is heard, whoever is named as a signer.
func TestOneMoreRule(t *testing.T) {
	stranger := testrepo.WorkflowClaims("https://git.example/x/y", ".github/workflows/release.yml", "refs/tags/v1", strings.Repeat("ab", 20))
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Bills: true, Change: func(path string, o *testrepo.BundleOptions) {
		if strings.Contains(path, ".sbom.") {
			o.Claims = stranger
			o.Statement = bytes.ReplaceAll(o.Statement, []byte("golang.org/x/text"), []byte("example.org/bad/lib"))
		}
	}})
	deny := policy.Rule{Components: &policy.Components{Deny: []string{"example.org/bad/lib"}}}
	for _, guest := range []bool{false, true} {
		b.rules = []policy.Rule{deny}
		b.wantRefusal(b.item("hello", "1.4.2"), policy.IDComponents, policy.ErrRefused)
		b.rules = append(b.rules, policy.Rule{Guest: guest, Signers: []provenance.Identity{acmeSigner(t, "hello")}})
		b.wantRefusal(b.item("hello", "1.4.2"), policy.IDComponents, policy.ErrRefused)
	}
}

// TestBillsThatCountForNothing: one that lists nothing, and one that not all who
// must agree promise.
func TestBillsThatCountForNothing(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	item := b.item("hello", "1.4.2")
	b.alone = map[string]bool{item.Artifact.SBOM: true}
	found, err := b.prove(item)
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckSBOM, trust.NotChecked)
	if len(found.Subject.Components) == 0 || found.Subject.HasSBOM {
		t.Errorf("expected components that are judged, and no bill that counts; found %+v", found.Subject)
	}
	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindSBOM}}}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)

	b = newBench(t)
	b.release("hello", "1.4.2", nil)
	path := b.item("hello", "1.4.2").Artifact.SBOM
	b.replace(path, []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}`), "hello")
	b.edit("hello/1.4.2/release.json", func(m map[string]any) { delete(m, "components") })
	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindSBOM}}}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)
}
