package fetch_test

import (
	"errors"
	"slices"
	"testing"

	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// delist has acme clear a product's channel away, and leave its files.
func (b *bench) delist(product string) {
	b.t.Helper()
	must(b.t, b.repo.EditDocument("channel-stable/"+product+".json", func(d map[string]any) { d["releases"] = []any{} }))
	must(b.t, b.repo.Publish())
}

// TestDelistedByItsManifest: of what no channel lists, the manifest tells which
// signatures there are, and those are judged.
func TestDelistedByItsManifest(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	exact := fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "2.0.0"), Channel: "stable"}
	part := fetch.Part{Platform: linux, Target: signedTarball, Held: true}
	b.delist("hello")
	if _, err := b.client().SelectExact(t.Context(), exact, part); !errors.Is(err, fetch.ErrWithdrawn) {
		t.Fatalf("expected %v, found %v", fetch.ErrWithdrawn, err)
	}
	b.rules = []policy.Rule{signedBy(t, "hello")}
	selection, err := b.client().SelectDelisted(t.Context(), exact, part)
	must(t, err)
	if selection.Release == nil || selection.Channel != "" || selection.Status != "" || selection.Manifest.Path() != "hello/2.0.0/release.json" || selection.Target.Path() != signedTarball {
		t.Errorf("found %+v", selection)
	}
	held, err := b.client().GetSelected(t.Context(), selection)
	must(t, err)
	if resultOf(held.Evidence, trust.CheckSignature) != trust.Pass || !slices.Equal(held.Receipt.Manifest, selection.Manifest.Digests()) {
		t.Errorf("expected its signatures, and its manifest to be remembered, found %+v", held.Receipt)
	}
	// The rules for every channel are for it; nobody else's signature will do.
	other := signedBy(t, "ferry")
	other.Channel = pattern(t, "candidate")
	b.rules = []policy.Rule{other}
	client := b.client()
	selection, err = client.SelectDelisted(t.Context(), exact, part)
	must(t, err)
	var refusal *proof.Refusal
	if _, err := client.GetSelected(t.Context(), selection); !errors.As(err, &refusal) || !errors.Is(err, proof.ErrIdentity) {
		t.Errorf("expected %v, found %v", proof.ErrIdentity, err)
	}
	b.rules = nil
	for path, kind := range map[string]error{"hello/2.0.0/release.json": fetch.ErrUnknown, "hello/2.0.0/none": fetch.ErrUnknown} {
		if _, err := b.client().SelectDelisted(t.Context(), exact, fetch.Part{Platform: linux, Target: path}); !errors.Is(err, kind) {
			t.Errorf("%s: expected %v, found %v", path, kind, err)
		}
	}
	must(t, b.repo.RemoveTarget("hello/2.0.0/release.json", "hello"))
	must(t, b.repo.Publish())
	if _, err := b.client().SelectDelisted(t.Context(), exact, part); !errors.Is(err, fetch.ErrWithdrawn) {
		t.Errorf("without its manifest: expected %v, found %v", fetch.ErrWithdrawn, err)
	}
}

// TestDelistedIsApproved: those who must agree are asked about the manifest, and about
// the artifact.
func TestDelistedIsApproved(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("approvals", "hello/1.5.0/hello_1.5.0_linux")
	exact := fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "1.5.0"), Channel: "stable"}
	part := fetch.Part{Platform: linux, Target: tarball("1.5.0"), Held: true}
	b.delist("hello")
	_, err := b.client().SelectDelisted(t.Context(), exact, part)
	must(t, err) // nobody need agree
	b.mustAgree(2, "acme", "approvals")
	if _, err := b.client().SelectDelisted(t.Context(), exact, part); !errors.Is(err, trust.ErrNotApproved) {
		t.Errorf("expected %v, as the manifest is acme's alone, found %v", trust.ErrNotApproved, err)
	}
}

// TestDelistedOnceRevoked: what was found revoked once is so, whatever is promised.
func TestDelistedOnceRevoked(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.mustGet("hello")
	b.revoke("2.0.0")
	s, err := b.client().JudgeHeld(t.Context(), b.receipts()[signedTarball])
	must(t, err)
	if s.State != fetch.Revoked {
		t.Fatalf("expected %s, found %s", fetch.Revoked, s.State)
	}
	b.delist("hello")
	exact := fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "2.0.0"), Channel: "stable"}
	if _, err := b.client().SelectDelisted(t.Context(), exact, fetch.Part{Platform: linux, Target: signedTarball, Held: true}); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("expected %v, found %v", fetch.ErrRevoked, err)
	}
}

// TestManifestOfReceipt is read from the cache by its digest alone.
func TestManifestOfReceipt(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	held := b.mustGet("hello")
	client := b.client()
	data, err := client.Manifest(t.Context(), held.Receipt)
	must(t, err)
	if want, _ := b.repo.Target("hello/2.0.0/release.json"); string(data) != string(want) {
		t.Errorf("expected the manifest, found %q", data)
	}
	none, other := *held.Receipt, *held.Receipt
	none.Manifest, other.Manifest = nil, held.Target.Digests()
	other.Manifest = append(other.Manifest, b.digest("hello/2.0.0/release.json"))
	for name, receipt := range map[string]*proof.Receipt{"none": &none, "other bytes": &other} {
		if _, err := client.Manifest(t.Context(), receipt); !errors.Is(err, trust.ErrNotHeld) {
			t.Errorf("%s: expected %v, found %v", name, trust.ErrNotHeld, err)
		}
	}
}
