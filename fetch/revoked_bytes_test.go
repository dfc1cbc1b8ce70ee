package fetch_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"assay/artifact"
	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust/policy"
	"assay/trust/proof"
)

// Revoked bytes are revoked under any name.
func TestRevokedBytesUnderAnotherName(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	const path = "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"
	data, ok := b.repo.Target(path)
	if !ok {
		t.Fatal("no such artifact")
	}
	must(t, b.repo.AddTarget("misc/tool.tgz", data))
	must(t, b.repo.Publish())
	file := filepath.Join(t.TempDir(), "tool.tgz")
	must(t, os.WriteFile(file, data, 0o600))
	b.mustGet("hello@1.4.2")
	if _, err := b.client().SelectTarget(t.Context(), "acme", "misc/tool.tgz"); err != nil {
		t.Fatalf("before it is revoked: %v", err)
	}
	must(t, b.repo.SetStatus("hello", "stable", "1.4.2", "revoked", "by a test", ""))
	must(t, b.repo.Publish())
	if _, err := b.client().SelectTarget(t.Context(), "acme", "misc/tool.tgz"); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("by another path: expected ErrRevoked, found %v", err)
	}
	if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("by its bytes: expected ErrRevoked, found %v", err)
	}

	// On a machine that has never seen them, the channels tell.
	fresh := newSigned(t)
	data, _ = fresh.repo.Target(path)
	must(t, fresh.repo.RemoveTarget(path, "hello"))
	must(t, fresh.repo.AddTarget("misc/tool.tgz", data))
	must(t, fresh.repo.SetStatus("hello", "stable", "1.4.2", "revoked", "by a test", ""))
	must(t, fresh.repo.Publish())
	must(t, os.WriteFile(file, data, 0o600))
	if _, err := fresh.client().Identify(t.Context(), file); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("on another machine: expected ErrRevoked, found %v", err)
	}
	if _, err := fresh.client().SelectTarget(t.Context(), "acme", "misc/tool.tgz"); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("by another path on another machine: expected ErrRevoked, found %v", err)
	}
}

// A judgement of what is held is explained afterwards, also where it came to no
// proof.
func TestHeldRevocationIsRemembered(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	held := b.mustGet("hello@1.4.2")
	must(t, b.repo.SetStatus("hello", "stable", "1.4.2", "revoked", "by a test", ""))
	must(t, b.repo.Publish())
	standing, err := b.client().JudgeHeld(t.Context(), held.Receipt)
	must(t, err)
	if standing.State != fetch.Revoked {
		t.Fatalf("expected it to be revoked, found %s", standing.State)
	}
	names, err := b.prover().ReceiptsOf(t.Context(), held.Blob.Digest())
	must(t, err)
	for receipt, err := range b.prover().Receipts(t.Context(), names) {
		must(t, err)
		failed, _ := receipt.Evidence.Failed()
		if receipt.Outcome != "refused" || receipt.Proven.IsZero() || failed.ID != "release.status" {
			t.Errorf("found %s, proven %s, failed %+v", receipt.Outcome, receipt.Proven, failed)
		}
	}
}

// A manifest may call a program its bill of materials: it is none by that.
func TestProgramCalledPaper(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.mustGet("hello@2.0.0")
	b.release("hello", "2.1.0", nil)
	must(t, b.repo.AddTarget("hello/2.1.0/evil.tgz", []byte("evil"), "hello"))
	must(t, b.repo.EditDocument("hello/2.1.0/release.json", func(m map[string]any) {
		m["artifacts"].([]any)[0].(map[string]any)["sbom"] = "hello/2.1.0/evil.tgz"
	}))
	must(t, b.repo.Publish())
	if _, err := b.byPath("hello/2.1.0/evil.tgz"); !errors.Is(err, policy.ErrWeaker) {
		t.Errorf("expected ErrWeaker, found %v", err)
	}
	if _, err := b.byPath("hello/2.1.0/release.json"); err != nil {
		t.Errorf("the manifest itself: %v", err)
	}
}

// The same bytes under two paths of one repository: what a channel lists is what
// the file is taken for, whichever was got first, and the other is told of.
func TestTwoPathsOfTheSameBytes(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	data, _ := b.repo.Target(signedTarball)
	must(t, b.repo.AddTarget("aaa/tool.tgz", data))
	must(t, b.repo.Publish())
	held, err := b.byPath("aaa/tool.tgz")
	must(t, err)
	b.mustGet("hello@2.0.0")
	found, err := b.client().Identify(t.Context(), held.Blob.Path())
	must(t, err)
	if found.Product != "hello" || found.Target.Path() != signedTarball {
		t.Errorf("expected the release, found %s", found.Target.Path())
	}
	rule := signedBy(t, "nobody")
	rule.Product = pattern(t, "hello")
	b.rules = []policy.Rule{rule}
	if _, err := b.client().Identify(t.Context(), held.Blob.Path()); !errors.Is(err, proof.ErrIdentity) {
		t.Errorf("expected the product's rule to refuse the file, found %v", err)
	}
}

// Revoked bytes that another role promises by an algorithm that the release does
// not list: they are known when they are here, and not handed out.
func TestRevokedBytesByAnotherAlgorithm(t *testing.T) {
	t.Parallel()
	for _, seen := range []bool{true, false} {
		b := newSigned(t)
		data, _ := b.repo.Target(signedTarball)
		if seen {
			b.mustGet("hello@2.0.0")
		}
		b.repo.SetAlgorithms(artifact.SHA512)
		must(t, b.repo.AddTarget("misc/tool.tgz", data))
		must(t, b.repo.Publish())
		b.repo.SetAlgorithms(artifact.SHA256)
		must(t, b.repo.SetStatus("hello", "stable", "2.0.0", "revoked", "by a test", ""))
		must(t, b.repo.Publish())
		if _, err := b.byPath("misc/tool.tgz"); !errors.Is(err, fetch.ErrRevoked) {
			t.Errorf("seen before: %t: expected ErrRevoked, found %v", seen, err)
		}
		file := filepath.Join(t.TempDir(), "tool.tgz")
		must(t, os.WriteFile(file, data, 0o600))
		if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, fetch.ErrRevoked) {
			t.Errorf("by its bytes, seen before: %t: expected ErrRevoked, found %v", seen, err)
		}
	}
}

// Revoked bytes as an artifact of another product.
func TestRevokedBytesByAnotherProduct(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	data, _ := b.repo.Target(signedTarball)
	b.mustGet("hello@2.0.0")
	must(t, b.repo.AddRelease(testrepo.Release{
		Product: "ferry", Version: "9.9.0", Channel: "stable",
		Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz", Data: data}},
	}))
	must(t, b.repo.SetStatus("hello", "stable", "2.0.0", "revoked", "by a test", ""))
	must(t, b.repo.Publish())
	if _, err := b.get("ferry@9.9.0"); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("expected ErrRevoked, found %v", err)
	}
}
