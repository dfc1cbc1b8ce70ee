package main

import (
	"errors"
	"strings"
	"testing"

	"assay/artifact"
	"assay/fetch/lockfile"
	"assay/trust/proof"
)

// TestOldReceipt: a receipt that was written before receipts named their manifest
// lets nothing be linked that only a lock says.
func TestOldReceipt(t *testing.T) {
	t.Parallel()
	digests := artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte("a manifest"))}
	locked := lockfile.Product{Name: "ferry", Repository: "acme", Manifest: lockfile.Manifest{Target: "ferry/0.9.0/release.json", Digests: digests}}
	_, err := (&syncing{}).manifestOf(t.Context(), locked, &proof.Receipt{})
	if !errors.Is(err, errLock) || !strings.Contains(err.Error(), "expected a receipt that says by which manifest it was proven, found one that does not") {
		t.Errorf("expected %v for the receipt, found %v", errLock, err)
	}
	if _, code, hint := describe(err); code.code != 30 || hint != "`assay lock --upgrade ferry` chooses another release" {
		t.Errorf("expected 30 and the next command, found %+v and %q", code, hint)
	}
}
