package proof_test

import (
	"testing"
	"time"

	"assay/cache/state"
	"assay/internal/testrepo"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// BenchmarkProve is what proof adds to a held artifact, above hashing its bytes:
// one bundle with provenance, a checksums file, a bill of materials, a policy with
// a signer, and the state on disk, as a new process has it each time. First is
// with a bundle that was never verified here, again with one that was.
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
	const rounds = 20
	var first, again time.Duration
	n := 0
	for b.Loop() {
		for range rounds {
			dir := b.TempDir()
			first += once(dir)
			again += once(dir)
			n++
		}
	}
	b.ReportMetric(float64(first.Microseconds())/1000/float64(n), "ms-first")
	b.ReportMetric(float64(again.Microseconds())/1000/float64(n), "ms-again")
}
