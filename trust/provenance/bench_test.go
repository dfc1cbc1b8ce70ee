package provenance

import (
	"testing"

	"assay/internal/testrepo"
)

// BenchmarkVerify is one bundle of version 0.3 with provenance, as all artifacts
// of a release have one.
func BenchmarkVerify(b *testing.B) {
	l := newLab(b)
	v := l.verifier(PublicGood)
	for name, o := range map[string]testrepo.BundleOptions{
		"statement": {Statement: statement(b, fileDigest)}, "message": {Data: fileData},
		"statement-rekor2": {Statement: statement(b, fileDigest), Preset: testrepo.PublicGoodV2},
	} {
		data := l.bundle(o)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(data, fileDigest); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewVerifier(b *testing.B) {
	root := newLab(b).TrustedRoot()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewVerifier(Profile{Name: "lab", Kind: PublicGood, Root: root}); err != nil {
			b.Fatal(err)
		}
	}
}
