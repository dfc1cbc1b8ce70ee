package provenance

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
)

// noon is when everything made in these tests is signed.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

var (
	fileData   = []byte("hello, verified world\n")
	fileDigest = artifact.Digests{artifact.DigestOf(artifact.SHA256, fileData), artifact.DigestOf(artifact.SHA512, fileData)}
	otherFile  = artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte("other")), artifact.DigestOf(artifact.SHA512, []byte("other"))}
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lab is an instance of Sigstore with bundles to order.
type lab struct {
	*testrepo.Sigstore
	t testing.TB
}

func newLab(t testing.TB) lab {
	t.Helper()
	s, err := testrepo.NewSigstore(func() time.Time { return noon })
	must(t, err)
	return lab{s, t}
}

func (l lab) bundle(o testrepo.BundleOptions) []byte {
	l.t.Helper()
	data, err := l.Bundle(o)
	must(l.t, err)
	return data
}

func (l lab) verifier(kind Kind, least ...Thresholds) *Verifier {
	l.t.Helper()
	p := Profile{Name: "lab", Kind: kind, Root: l.TrustedRoot()}
	for _, p.Least = range least {
	}
	return verifier(l.t, p)
}

func verifier(t testing.TB, p Profile) *Verifier {
	t.Helper()
	v, err := NewVerifier(p)
	must(t, err)
	return v
}

// statement is one about the file, under a name.
func statement(t testing.TB, about ...artifact.Digests) []byte {
	t.Helper()
	var subjects []testrepo.Subject
	for _, digests := range about {
		subjects = append(subjects, testrepo.Subject{Name: "hello_1.0.0_linux_amd64.tar.gz", Digests: digests})
	}
	data, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{Subjects: subjects})
	must(t, err)
	return data
}

// forms are the two kinds of bundles.
func forms(t testing.TB) map[string]testrepo.BundleOptions {
	return map[string]testrepo.BundleOptions{"message": {Data: fileData}, "statement": {Statement: statement(t, fileDigest)}}
}

// refused wants Verify to fail for this reason and no other.
func refused(t testing.TB, v *Verifier, bundle []byte, digests artifact.Digests, kind error) *VerifyError {
	t.Helper()
	signed, err := v.Verify(bundle, digests)
	found, ok := errors.AsType[*VerifyError](err)
	if !ok || signed != nil {
		t.Fatalf("expected %q, found %v, %v", kind, signed, err)
	}
	if found.Kind != kind || !errors.Is(err, kind) {
		t.Fatalf("expected %q, found %v", kind, err)
	}
	if found.Expected == "" || found.Found == "" {
		t.Errorf("expected and found are not told: %v", err)
	}
	return found
}

// object is JSON to be edited.
type object = map[string]any

// edited changes a bundle's JSON.
func edited(t testing.TB, bundle []byte, change func(object)) []byte {
	t.Helper()
	var tree object
	must(t, json.Unmarshal(bundle, &tree))
	change(tree)
	out, err := json.Marshal(tree)
	must(t, err)
	return out
}

// at walks down objects and the first elements of lists.
func at(tree any, keys ...string) object {
	for _, key := range keys {
		tree = tree.(object)[key]
		if list, ok := tree.([]any); ok {
			tree = list[0]
		}
	}
	return tree.(object)
}
