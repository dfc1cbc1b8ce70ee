package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
)

// What a manifest names as text beside its artifacts is a paper, that no policy
// for artifacts is for.
func TestTextBesideAnArtifactIsPaper(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.mustGet("hello@2.0.0")
	b.release("hello", "2.1.0", nil)
	for _, path := range []string{"hello/2.1.0/checksums.txt", "hello/2.1.0/hello_2.1.0_linux_amd64.spdx.json"} {
		if _, err := b.byPath(path); err != nil {
			t.Errorf("%s: expected no error, found %v", path, err)
		}
	}
}

// A held artifact whose repository promises a second digest by now that its bytes
// do not have.
func TestJudgeHeldSecondDigest(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddTarget("x.bin", []byte("exactly these")))
	must(t, b.repo.Publish())
	held, err := b.byPath("x.bin")
	must(t, err)
	must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TargetsType).Targets["x.bin"].Hashes["sha512"] = bytes.Repeat([]byte{1}, 64)
	}}))
	must(t, b.repo.Publish())
	standing, err := b.client().JudgeHeld(t.Context(), held.Receipt)
	must(t, err)
	if standing.State != fetch.Changed || !errors.Is(standing.Err, trust.ErrMismatch) {
		t.Errorf("expected changed by ErrMismatch, found %s, %v", standing.State, standing.Err)
	}
}

// A paper that the manifest names and that nobody promises.
func TestBundleIsNotPromised(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.RemoveTarget(signedTarball+".sigstore.json", "hello"))
	must(t, b.repo.Publish())
	if _, err := b.get("hello@2.0.0"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("expected ErrNoTarget, found %v", err)
	}
}

// An artifact that its manifest says something else of is refused by its path,
// too.
func TestManifestContradictsByPath(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.edit("hello/1.5.0/release.json", func(doc map[string]any) {
		doc["artifacts"].([]any)[0].(map[string]any)["length"] = 1
	})
	if err := b.pathOf("acme", tarball("1.5.0")); !errors.Is(err, trust.ErrManifest) {
		t.Errorf("expected ErrManifest, found %v", err)
	}
}

// Of more components than the index takes the rest is not indexed, and that is
// told.
func TestTooManyComponents(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	parts := make([]testrepo.Component, 20_001)
	for i := range parts {
		name := fmt.Sprintf("golang.org/x/p%05d", i)
		parts[i] = testrepo.Component{Name: name, Version: "v1.0.0", PURL: "pkg:golang/" + name + "@v1.0.0"}
	}
	must(t, b.repo.AddRelease(testrepo.Release{
		Product: "hello", Version: "2.1.0", Channel: "stable", Signing: &testrepo.Signing{Sigstore: b.box}, Components: parts,
		Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz"}},
	}))
	// A manifest may list fewer.
	b.edit("hello/2.1.0/release.json", func(doc map[string]any) { delete(doc, "components") })
	var warned []string
	b.warn = func(text string) { warned = append(warned, text) }
	b.mustGet("hello@2.1.0")
	if len(warned) != 1 || !strings.Contains(warned[0], "has 20001 components") || len(b.found("golang.org/x/p00007")) != 1 || len(b.found("golang.org/x/p20000")) != 0 {
		t.Errorf("expected a warning and all but one, found %q", warned)
	}
}
