package proof_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// held reads what the repository has, but for the paths that end with one of lost.
func (b *bench) held(lost ...string) proof.Held {
	return func(_ context.Context, digest artifact.Digest, limit int64) ([]byte, error) {
		for path, data := range b.repo.Files(0) {
			if artifact.DigestOf(digest.Algorithm(), data) != digest || int64(len(data)) > limit {
				continue
			}
			for _, suffix := range lost {
				if strings.HasSuffix(path, suffix) {
					return nil, trust.ErrNotHeld
				}
			}
			return data, nil
		}
		return nil, trust.ErrNotHeld
	}
}

// TestJudgeAgain: a policy that was tightened since is for what is promised no
// longer, too, and finds what was proven of it.
func TestJudgeAgain(t *testing.T) {
	hour := policy.Span(time.Hour)
	rule := map[string]policy.Rule{
		"signature":  {Require: []policy.Kind{policy.KindSignature}},
		"provenance": {Require: []policy.Kind{policy.KindProvenance}},
		"sbom":       {Require: []policy.Kind{policy.KindSBOM}},
		"age":        {MaxAge: &hour},
		"status":     {Statuses: []string{"current"}},
		"parts":      {Components: &policy.Components{Deny: []string{"nothing-like-it"}}},
	}
	for name, c := range map[string]struct {
		signing *testrepo.Signing
		rule    string
		later   time.Duration
		lost    []string
		refused bool
	}{
		"no rule":                         {},
		"unsigned":                        {rule: "signature", refused: true},
		"signed":                          {signing: &testrepo.Signing{}, rule: "signature"},
		"signed, the bundles lost":        {signing: &testrepo.Signing{}, rule: "signature", lost: []string{".sigstore.json"}, refused: true},
		"built":                           {signing: &testrepo.Signing{}, rule: "provenance"},
		"with a bill":                     {signing: &testrepo.Signing{Bills: true}, rule: "sbom"},
		"with a bill, that is lost":       {rule: "sbom", lost: []string{".cdx.json", ".spdx.json", ".sbom.json"}, refused: true},
		"young":                           {rule: "age", later: -30 * time.Minute},
		"too old":                         {rule: "age", later: 2 * time.Hour, refused: true},
		"young, and who knows":            {rule: "age", later: -30 * time.Minute, lost: []string{"release.json"}, refused: true},
		"in no channel":                   {rule: "status", refused: true},
		"its parts":                       {signing: &testrepo.Signing{Bills: true}, rule: "parts"},
		"its parts, without the manifest": {signing: &testrepo.Signing{Bills: true}, rule: "parts", lost: []string{"release.json"}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Signing: c.signing, Published: start.Add(-time.Minute)})
			found, err := b.prove(b.item("hello", "1.4.2"))
			must(t, err)
			receipt, err := b.prover().Record(t.Context(), found)
			must(t, err)
			if r, ok := rule[c.rule]; ok {
				b.rules = []policy.Rule{r}
			}
			b.now = b.now.Add(c.later)
			err = b.prover().JudgeAgain(t.Context(), receipt, b.held(c.lost...))
			var refusal *proof.Refusal
			if refused := errors.Is(err, policy.ErrRefused) && errors.As(err, &refusal); refused != c.refused || !refused && err != nil {
				t.Errorf("expected it refused %v by %v, found %v", c.refused, policy.ErrRefused, err)
			}
			if refusal != nil {
				if r := refusal.Receipt(); r.Outcome != proof.Refused || r.Target != receipt.Target || refusal.Target != receipt.Target {
					t.Errorf("the refusal lacks something: %+v", r)
				}
			}
		})
	}
}

// TestJudgeAgainWithoutMeans: what can't be read is no refusal.
func TestJudgeAgainWithoutMeans(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	receipt, err := b.prover().Record(t.Context(), found)
	must(t, err)
	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindSignature}}}
	var refusal *proof.Refusal
	err = b.prover().JudgeAgain(t.Context(), receipt, func(context.Context, artifact.Digest, int64) ([]byte, error) { return nil, errMeans })
	if !errors.Is(err, errMeans) || errors.As(err, &refusal) {
		t.Errorf("expected %v, and no refusal, found %v", errMeans, err)
	}
	// Nor are other bytes under a digest what they should be.
	err = b.prover().JudgeAgain(t.Context(), receipt, func(context.Context, artifact.Digest, int64) ([]byte, error) { return []byte("other"), nil })
	if !errors.Is(err, policy.ErrRefused) {
		t.Errorf("expected %v, found %v", policy.ErrRefused, err)
	}
}

// TestManifestIsRemembered: by every way in which a receipt is written anew.
func TestManifestIsRemembered(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	item := b.item("hello", "1.4.2")
	want := item.Manifest.Primary()
	b.proven(item)
	check := func(when string) *proof.Receipt {
		t.Helper()
		names, err := b.prover().ReceiptNames(t.Context())
		must(t, err)
		for r, err := range b.prover().Receipts(t.Context(), names) {
			must(t, err)
			if r.Manifest.Primary() != want || len(r.Verdicts) == 0 {
				t.Errorf("%s: expected the manifest %s and its verdicts, found %s and %d", when, want, r.Manifest, len(r.Verdicts))
			}
			return r
		}
		t.Fatal("no receipt")
		return nil
	}
	r := check("proven")
	must(t, b.prover().Revise(t.Context(), r, &trust.Evidence{Repository: "acme"}, errMeans))
	check("revised")
	b.proven(b.itemAt(item.Target.Path()))
	check("proven by its path alone")
	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindAgreement}}}
	_, err := b.prove(b.itemAt(item.Target.Path()))
	var refusal *proof.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("expected a refusal, found %v", err)
	}
	must(t, b.prover().RecordRefusal(t.Context(), refusal))
	check("refused")
}
