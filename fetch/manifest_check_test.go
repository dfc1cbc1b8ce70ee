package fetch_test

import (
	"testing"

	"assay/trust"
)

// An artifact is held to its manifest, by whatever name it was found.
func TestManifestIsCheckedByEveryWay(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	held := b.mustGet("hello@2.0.0")
	byPath, err := b.client().SelectTarget(t.Context(), "acme", signedTarball)
	must(t, err)
	byBytes, err := b.client().Identify(t.Context(), held.Blob.Path())
	must(t, err)
	for way, evidence := range map[string]*trust.Evidence{"channel": held.Evidence, "path": byPath.Evidence, "bytes": byBytes.Evidence} {
		if got := resultOf(evidence, trust.CheckManifest); got != trust.Pass {
			t.Errorf("by %s: expected release.manifest to pass, found %q", way, got)
		}
	}
}
