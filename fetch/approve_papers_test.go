package fetch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// Whoever must agree need not list what lies beside an artifact; but who lists
// something else contradicts.
func TestPapersAreAgreedOn(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	manifest, sum := "hello/2.0.0/release.json", "hello/2.0.0/checksums.txt"
	other := b.approves("approvals", manifest)
	must(t, other.repo.Approve(b.repo, signedTarball))
	must(t, other.repo.Publish())
	b.mustAgree(2, "acme", "approvals")
	b.mustGet("hello@2.0.0")
	must(t, other.repo.AddTarget(sum, []byte("something else\n")))
	must(t, other.repo.Publish())
	if _, err := b.get("hello@2.0.0"); !errors.Is(err, trust.ErrDisagree) || !strings.Contains(err.Error(), sum) {
		t.Errorf("expected ErrDisagree about %s, found %v", sum, err)
	}
}

// A product's policy is for all that lies in its folder, whatever the path tells.
func TestProductsFolder(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddTarget("hello/0/a.tgz", []byte("bytes"), "targets"))
	must(t, b.repo.AddTarget("other.tgz", []byte("other bytes")))
	must(t, b.repo.Publish())
	rule := signedBy(t, "hello")
	rule.Product = pattern(t, "hello")
	b.rules = []policy.Rule{rule}
	var refusal *proof.Refusal
	if _, err := b.byPath("hello/0/a.tgz"); !errors.As(err, &refusal) || !errors.Is(err, policy.ErrRefused) {
		t.Errorf("expected the product's rule to refuse it, found %v", err)
	}
	if _, err := b.byPath("other.tgz"); err != nil {
		t.Errorf("of no product: %v", err)
	}
}

// Two repositories promise the same bytes: what the one would refuse is told.
func TestAnotherPromise(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	held := b.mustGet("hello@2.0.0")
	aaa, err := testrepo.New(testrepo.Options{Now: func() time.Time { return b.now }})
	must(t, err)
	data, _ := b.repo.Target(signedTarball)
	must(t, aaa.AddTarget("tool.tgz", data))
	must(t, aaa.Publish())
	b.join("aaa", aaa)
	found, err := b.client().Identify(t.Context(), held.Blob.Path())
	must(t, err)
	if found.Target.Repository() != "aaa" || len(found.Warnings) != 0 {
		t.Errorf("expected no warning, found %s, %q", found.Target.Repository(), found.Warnings)
	}
	rule := signedBy(t, "nobody")
	rule.Repository = pattern(t, "acme")
	b.rules = []policy.Rule{rule}
	found, err = b.client().Identify(t.Context(), held.Blob.Path())
	must(t, err)
	if len(found.Warnings) != 1 || !strings.Contains(found.Warnings[0], "acme promises these bytes, too, as "+signedTarball) {
		t.Errorf("expected a warning about acme, found %q", found.Warnings)
	}
}
