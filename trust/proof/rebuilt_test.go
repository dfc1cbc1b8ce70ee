package proof_test

import (
	"strings"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// TestRatchetOfRebuilds: what strangers attest is no rebuild that newer versions
// would have to have again; what named rebuilders attest is.
func TestRatchetOfRebuilds(t *testing.T) {
	other := testrepo.WorkflowClaims("https://git.example/other/other", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Rebuilders: []testrepo.Claims{rebuilder(other)}})
	b.release("hello", "1.5.0", &testrepo.Signing{})
	named := policy.Rule{Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{acmeSigner(t, "hello"), acmeSigner(t, "other")}}}

	b.proven(b.item("hello", "1.4.2"))
	b.rules = []policy.Rule{named}
	wantResult(t, b.proven(b.item("hello", "1.5.0")).Evidence, trust.CheckRatchet, trust.Pass)

	b.proven(b.item("hello", "1.4.2"))
	b.wantRefusal(b.item("hello", "1.5.0"), trust.CheckRatchet, policy.ErrWeaker)
	b.rules = nil
	wantResult(t, b.proven(b.item("hello", "1.5.0")).Evidence, trust.CheckRatchet, trust.Pass)
}
