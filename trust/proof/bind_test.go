package proof_test

import (
	"strings"
	"testing"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// subjectsOf has each statement say these are its subjects.
func subjectsOf(t *testing.T, subjects ...any) *testrepo.Signing {
	return statement(t, func(s map[string]any) { s["subject"] = subjects })
}

func subject(name string, digests ...artifact.Digest) map[string]any {
	listed := map[string]any{}
	for _, d := range digests {
		listed[string(d.Algorithm())] = d.Hex()
	}
	return map[string]any{"name": name, "digest": listed}
}

// TestSubjects is what a statement may call the artifact.
func TestSubjects(t *testing.T) {
	const file = "hello_1.4.2_linux_amd64.tar.gz"
	data := []byte("the bytes of an artifact")
	right, wrong := artifact.DigestOf(artifact.SHA256, data), artifact.DigestOf(artifact.SHA256, []byte("others"))
	for _, test := range []struct {
		name     string
		subjects []any
		result   trust.Result
		found    string // of a failing check
	}{
		{"its name", []any{subject(file, right)}, trust.Pass, ""},
		{"its name, below folders", []any{subject("dist/out/"+file, right)}, trust.Pass, ""},
		{"among others", []any{subject("x", wrong), subject(file, right), subject("y", right)}, trust.Pass, ""},
		{"no name", []any{subject("", right)}, trust.NotChecked, ""},
		{"another name", []any{subject("other.tar.gz", right)}, trust.Fail, "the digest under the name other.tar.gz"},
		{"another name and none", []any{subject("", right), subject("other.tar.gz", right)}, trust.Fail, "the digest under the name other.tar.gz"},
		{"other bytes under its name", []any{subject("", right), subject(file, wrong)}, trust.Fail, wrong.String() + " under that name"},
		{"other bytes under its name, and its own under another", []any{subject("x", right), subject(file, wrong)}, trust.Fail, wrong.String() + " under that name"},
		{"the end of its name", []any{subject("evil-"+file, right)}, trust.Fail, "the digest under the name evil-" + file},
		{"a long name", []any{subject(strings.Repeat("x", 300), right)}, trust.Fail, "the digest under the name " + strings.Repeat("x", 200) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			signing := subjectsOf(t, test.subjects...)
			b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Signing: signing, Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz", Data: data}}})
			item := b.item("hello", "1.4.2")
			if test.result == trust.Fail {
				refusal := b.wantRefusal(item, trust.CheckSubject, proof.ErrDisagree)
				if failed, _ := refusal.Evidence.Failed(); failed.Found != test.found {
					t.Errorf("expected to find %q, found %q", test.found, failed.Found)
				}
				return
			}
			wantResult(t, b.proven(item).Evidence, trust.CheckSubject, test.result)
		})
	}
}

// TestSubjectByEitherAlgorithm: a target of two digests may be meant by either,
// whichever it was that the signature was found to be over.
func TestSubjectByEitherAlgorithm(t *testing.T) {
	b := newBench(t)
	both := []artifact.Algorithm{artifact.SHA256, artifact.SHA512}
	var err error
	b.repo, err = testrepo.New(testrepo.Options{Now: b.config.Now, Algorithms: both})
	must(t, err)
	data := []byte("bytes")
	short, long := artifact.DigestOf(artifact.SHA256, data), artifact.DigestOf(artifact.SHA512, data)
	for _, subjects := range [][]testrepo.Subject{
		{{Name: "tool", Digests: artifact.Digests{long}}, {Name: "other", Digests: artifact.Digests{short}}},
		{{Name: "other", Digests: artifact.Digests{short}}, {Name: "tool", Digests: artifact.Digests{long}}},
		{{Name: "other", Digests: artifact.Digests{long}}, {Name: "tool", Digests: artifact.Digests{short}}},
	} {
		text, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{Subjects: subjects})
		must(t, err)
		bundle, err := b.box.Bundle(testrepo.BundleOptions{Statement: text})
		must(t, err)
		must(t, b.repo.AddTarget("tool", data))
		b.replace("tool.sigstore.json", bundle, "targets")
		found, err := b.prove(b.itemAt("tool"))
		must(t, err)
		wantResult(t, found.Evidence, trust.CheckSubject, trust.Pass)
	}
}

// TestPackageIsTheArtifact: a package URL names what was released, and no other
// file of the release.
func TestPackageIsTheArtifact(t *testing.T) {
	const purl = "pkg:generic/hello@1.4.2"
	t.Run("not the checksums file", func(t *testing.T) {
		b := newBench(t)
		b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsNothing, Checksums: true})
		b.signAs("hello/1.4.2/checksums.txt", purl)
		b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSubject, proof.ErrDisagree)
	})
	t.Run("not a file that the manifest does not list", func(t *testing.T) {
		b := newBench(t)
		b.release("hello", "1.4.2", nil)
		b.replace("hello/1.4.2/extra.bin", []byte("extra"), "hello")
		b.signAs("hello/1.4.2/extra.bin", purl)
		b.wantRefusal(b.itemAt("hello/1.4.2/extra.bin"), trust.CheckSubject, proof.ErrDisagree)
	})
	t.Run("no package at all", func(t *testing.T) {
		b := newBench(t)
		b.release("hello", "1.4.2", statement(t, func(s map[string]any) { s["subject"].([]any)[0].(map[string]any)["name"] = "pkg:" }))
		b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSubject, proof.ErrDisagree)
	})
	t.Run("qualifiers that can't be read", func(t *testing.T) {
		b := newBench(t)
		b.release("hello", "1.4.2", statement(t, func(s map[string]any) { s["subject"].([]any)[0].(map[string]any)["name"] = purl + "?os=%zz" }))
		b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSubject, proof.ErrDisagree)
	})
}

// signAs puts a provenance beside a target, that calls it by this name.
func (b *bench) signAs(path, name string) {
	b.t.Helper()
	data, _ := b.repo.Target(path)
	text, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{
		Repository: "https://git.example/hello/hello", Ref: "refs/tags/v1.4.2", Revision: strings.Repeat("cd", 20),
		Subjects: []testrepo.Subject{{Name: name, Digests: artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}}},
	})
	must(b.t, err)
	bundle, err := b.box.Bundle(testrepo.BundleOptions{Statement: text, Claims: testrepo.WorkflowClaims("https://git.example/hello/hello", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))})
	must(b.t, err)
	b.replace(path+".sigstore.json", bundle, "hello")
}

// TestChecksumsByAnotherAlgorithm: a signature over the checksums file under an
// algorithm that its target does not list.
func TestChecksumsByAnotherAlgorithm(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsNothing, Checksums: true})
	const path = "hello/1.4.2/checksums.txt"
	data, _ := b.repo.Target(path)
	sign := func(of []byte) {
		text, err := testrepo.Statement("https://example.com/none", map[string]any{}, testrepo.Subject{Name: "checksums.txt", Digests: artifact.Digests{artifact.DigestOf(artifact.SHA512, of)}})
		must(t, err)
		bundle, err := b.box.Bundle(testrepo.BundleOptions{Statement: text})
		must(t, err)
		b.replace(path+".sigstore.json", bundle, "hello")
	}
	sign(data)
	b.fails = map[string]error{"read " + path + " again": errMeans}
	b.wantMeans(b.item("hello", "1.4.2"))
	b.fails = nil
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckSignature, trust.Pass)
	wantResult(t, found.Evidence, trust.CheckSubject, trust.Pass)
	sign([]byte("other"))
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSignature, provenance.ErrDigest)
}

// TestPackageOfAnyPlatform: a package URL without a platform is enough where there
// is one artifact; among several it may mean another.
func TestPackageOfAnyPlatform(t *testing.T) {
	const purl = "pkg:generic/hello@1.4.2"
	for _, test := range []struct {
		name      string
		artifacts []testrepo.Artifact // nil: four
		want      trust.Result
	}{
		{purl, []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz"}}, trust.Pass},
		{purl, nil, trust.NotChecked},
		{purl + "?arch=amd64", nil, trust.NotChecked},
		{purl + "?os=linux", nil, trust.NotChecked},
		{purl + "?os=linux&arch=amd64", nil, trust.Pass},
	} {
		b := newBench(t)
		signing := statement(t, func(s map[string]any) { s["subject"].([]any)[0].(map[string]any)["name"] = test.name })
		b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Signing: signing, Artifacts: test.artifacts})
		found, err := b.prove(b.item("hello", "1.4.2"))
		must(t, err)
		wantResult(t, found.Evidence, trust.CheckSubject, test.want)
	}
}
