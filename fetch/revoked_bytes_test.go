package fetch_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"assay/fetch"
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
