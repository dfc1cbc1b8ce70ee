package proof_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"assay/cache/state"
	"assay/internal/testrepo"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// BenchmarkProve is what proof adds to a held artifact, above hashing its bytes:
// one bundle with provenance, a checksums file, a bill of materials, a policy with
// a signer, and the state on disk, as a new process has it each time. First is
// with a bundle that was never verified here, again with one that was. The peer is
// sigstore-go alone, with the same root, bundle and identity.
func BenchmarkProve(b *testing.B) {
	w := newBench(b)
	w.release("hello", "1.4.2", &testrepo.Signing{})
	issuer, err := provenance.ParsePattern(testrepo.GitHubIssuer)
	must(b, err)
	subject, err := provenance.ParsePattern("https://git.example/hello/hello/.github/workflows/release.yml@refs/tags/*")
	must(b, err)
	w.rules = []policy.Rule{{Require: []policy.Kind{policy.KindProvenance}, Signers: []provenance.Identity{{Issuer: issuer, Subject: subject}}}}
	once := func(dir string) time.Duration {
		item := w.item("hello", "1.4.2")
		began := time.Now()
		db, err := state.Open(dir, state.Options{Now: w.config.Now})
		must(b, err)
		w.config.Memory = db.Proofs()
		p := w.prover()
		found, err := p.Prove(b.Context(), item)
		must(b, err)
		_, err = p.Record(b.Context(), found)
		must(b, err)
		return time.Since(began)
	}
	item := w.item("hello", "1.4.2")
	data, _ := w.repo.Target(item.Artifact.Bundles[0])
	digest, err := hex.DecodeString(item.Target.Digests().Primary().Hex())
	must(b, err)
	const rounds = 20
	var first, again, peer time.Duration
	n := 0
	for b.Loop() {
		for range rounds {
			dir := b.TempDir()
			first += once(dir)
			again += once(dir)
			peer += bare(b, w.box.TrustedRoot(), data, digest)
			n++
		}
	}
	b.ReportMetric(float64(first)/float64(peer), "x-sigstore-first")
	b.ReportMetric(float64(again)/float64(peer), "x-sigstore-again")
	b.ReportMetric(float64(first.Microseconds())/1000/float64(n), "ms-first")
	b.ReportMetric(float64(again.Microseconds())/1000/float64(n), "ms-again")
}

// bare verifies a bundle by sigstore-go and nothing else.
func bare(b *testing.B, trusted, data, digest []byte) time.Duration {
	began := time.Now()
	material, err := root.NewTrustedRootFromJSON(trusted)
	must(b, err)
	verifier, err := verify.NewVerifier(material, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	must(b, err)
	var entity bundle.Bundle
	must(b, entity.UnmarshalJSON(data))
	identity, err := verify.NewShortCertificateIdentity(testrepo.GitHubIssuer, "", "", `^https://git\.example/hello/hello/\.github/workflows/release\.yml@refs/tags/.*$`)
	must(b, err)
	_, err = verifier.Verify(&entity, verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), verify.WithCertificateIdentity(identity)))
	must(b, err)
	return time.Since(began)
}
