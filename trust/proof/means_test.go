package proof_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
	"assay/trust/provenance/slsa"
)

var errMeans = errors.New("the network is down")

// wantMeans asserts that a proof could not be had: an error of the means, which
// says nothing of the artifact.
func (b *bench) wantMeans(item proof.Item) {
	b.t.Helper()
	_, err := b.prove(item)
	var refusal *proof.Refusal
	if !errors.Is(err, errMeans) || errors.As(err, &refusal) {
		b.t.Errorf("expected %q, and no refusal, found %v", errMeans, err)
	}
	if failed, ok := item.Evidence.Failed(); ok {
		b.t.Errorf("an error of the means fails the check %+v", failed)
	}
}

// TestMeans: what can't be read is neither a proof nor a refusal, wherever it is.
func TestMeans(t *testing.T) {
	const sums, bill = "hello/1.4.2/checksums.txt", "hello/1.4.2/hello_1.4.2_linux_amd64.spdx.json"
	for _, call := range []string{
		"promise " + sums, "read " + sums, "promise " + sums + " again", "promise " + sums + ".sigstore.json",
		"promise " + tarball + ".sigstore.json", "read " + tarball + ".sigstore.json", "promise " + bill, "read " + bill,
	} {
		t.Run(call, func(t *testing.T) {
			b := newBench(t)
			b.release("hello", "1.4.2", &testrepo.Signing{Checksums: true})
			b.fails = map[string]error{call: errMeans}
			b.wantMeans(b.item("hello", "1.4.2"))
		})
	}
	t.Run("bundle beside a target", func(t *testing.T) {
		b := newBench(t)
		b.replace("tool", []byte("bytes"), "targets")
		b.fails = map[string]error{"promise tool.sigstore.json": errMeans}
		b.wantMeans(b.itemAt("tool"))
	})
	t.Run("hash", func(t *testing.T) {
		b := newBench(t)
		digest := artifact.DigestOf(artifact.SHA512, []byte("bytes"))
		text, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{Subjects: []testrepo.Subject{{Name: "tool", Digests: artifact.Digests{digest}}}})
		must(t, err)
		bundle, err := b.box.Bundle(testrepo.BundleOptions{Statement: text})
		must(t, err)
		must(t, b.repo.AddTarget("tool", []byte("bytes")))
		b.replace("tool.sigstore.json", bundle, "targets")
		b.fails = map[string]error{"hash": errMeans}
		b.wantMeans(b.itemAt("tool"))
	})
	t.Run("advisories", func(t *testing.T) {
		b := newBench(t)
		b.release("hello", "1.4.2", nil)
		b.config.Advisories = func(context.Context) (*advisory.Set, error) { return nil, errMeans }
		found, err := b.prove(b.item("hello", "1.4.2")) // nobody has asked for them
		must(t, err)
		wantResult(t, found.Evidence, trust.CheckAdvisories, trust.NotChecked)
		if len(found.Warnings) != 1 {
			t.Errorf("expected a warning, found %q", found.Warnings)
		}
		b.rules = []policy.Rule{{Advisories: policy.Warn}}
		b.wantMeans(b.item("hello", "1.4.2"))
		b.rules = nil
		ctx, stop := context.WithCancel(t.Context())
		b.config.Advisories = func(ctx context.Context) (*advisory.Set, error) {
			stop()
			return nil, context.Cause(ctx)
		}
		if _, err := b.prover().Prove(ctx, b.item("hello", "1.4.2")); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "advisories: ") {
			t.Errorf("expected it to end with its context, found %v", err)
		}
	})
	t.Run("profile", func(t *testing.T) {
		b := newBench(t)
		b.release("hello", "1.4.2", &testrepo.Signing{})
		b.config.Profiles[0].Load = func(context.Context) (provenance.Profile, string, error) { return provenance.Profile{}, "", errMeans }
		b.wantMeans(b.item("hello", "1.4.2"))
	})
}

// TestProfileErrors are of the configuration.
func TestProfileErrors(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	for _, test := range []struct {
		name    string
		profile proof.Profile
		want    error
	}{
		{"unknown", b.profile("other", provenance.Profile{Kind: provenance.PublicGood, Root: b.box.TrustedRoot()}), proof.ErrConfig},
		{"malformed", b.profile("acme", provenance.Profile{Kind: provenance.PublicGood, Root: []byte("{}")}), provenance.ErrProfile},
	} {
		b.config.Profiles = []proof.Profile{test.profile}
		_, err := b.prove(b.item("hello", "1.4.2"))
		var refusal *proof.Refusal
		if !errors.Is(err, test.want) || errors.As(err, &refusal) || !strings.Contains(err.Error(), "acme") {
			t.Errorf("%s: expected %q with the profile's name, and no refusal, found %v", test.name, test.want, err)
		}
	}
}

// TestProfileIsLoadedOnce, unless whoever asked first gave up.
func TestProfileIsLoadedOnce(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	good := b.config.Profiles[0].Load
	loaded := 0
	b.config.Profiles[0].Load = func(ctx context.Context) (provenance.Profile, string, error) {
		loaded++
		if err := context.Cause(ctx); err != nil {
			return provenance.Profile{}, "", err
		}
		return good(ctx)
	}
	p := b.prover()
	item := b.item("hello", "1.4.2")
	ctx, stop := context.WithCancel(t.Context())
	item.Documents = stopping{item.Documents, stop, tarball + ".sigstore.json"}
	if _, err := p.Prove(ctx, item); !errors.Is(err, context.Canceled) {
		t.Fatalf("expected the caller's giving up, found %v", err)
	}
	for range 2 {
		_, err := p.Prove(t.Context(), b.item("hello", "1.4.2"))
		must(t, err)
	}
	if loaded != 2 {
		t.Errorf("expected one load for who gave up, and one for the others, found %d", loaded)
	}
}

// stopping has the caller give up when a document is looked for.
type stopping struct {
	proof.Documents
	stop context.CancelFunc
	at   string
}

func (s stopping) Promise(ctx context.Context, path string) (trust.Target, error) {
	if path == s.at {
		s.stop()
	}
	return s.Documents.Promise(context.WithoutCancel(ctx), path)
}

// TestMisuse is an error of the configuration, never a proof.
func TestMisuse(t *testing.T) {
	if _, err := proof.New(proof.Config{}); !errors.Is(err, proof.ErrConfig) {
		t.Errorf("without memory: expected ErrConfig, found %v", err)
	}
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	for name, change := range map[string]func(*proof.Item){
		"target": func(i *proof.Item) { i.Target = trust.Target{} }, "evidence": func(i *proof.Item) { i.Evidence = nil },
		"documents": func(i *proof.Item) { i.Documents = nil },
	} {
		item := b.item("hello", "1.4.2")
		change(&item)
		if _, err := b.prove(item); !errors.Is(err, proof.ErrConfig) {
			t.Errorf("without %s: expected ErrConfig, found %v", name, err)
		}
	}
}

// TestWithoutPolicy: no rules, and this machine's clock.
func TestWithoutPolicy(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	p, err := proof.New(proof.Config{Memory: b.memory})
	must(t, err)
	found, err := p.Prove(t.Context(), b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, policy.IDPolicy, trust.NotChecked)
	if !found.Evidence.Policy.IsZero() || found.Evidence.Judged.Before(start) {
		t.Errorf("expected no policy and a time, found %+v", found.Evidence)
	}
}

// TestManyBundles are refused before one is looked for.
func TestManyBundles(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	for n, want := range map[int]error{64: proof.ErrDisagree, 65: proof.ErrDocument} { // none of them is promised
		item := b.item("hello", "1.4.2")
		for i := range n {
			item.Artifact.Bundles = append(item.Artifact.Bundles, fmt.Sprintf("hello/1.4.2/%d.sigstore.json", i))
		}
		b.wantRefusal(item, trust.CheckSignature, want)
	}
}

// TestUnlistedTarget: of a target that no manifest lists nothing is asked that
// only a manifest could tell; and a bundle beside it counts by its name.
func TestUnlistedTarget(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.1", &testrepo.Signing{})
	b.release("hello", "1.4.2", nil)
	const path = "hello/1.4.2/extra.bin"
	b.replace(path, []byte("extra"), "hello")
	first := b.proven(b.itemAt(path))
	wantResult(t, first.Evidence, trust.CheckSignature, trust.NotChecked)
	b.replace(path, []byte("another extra"), "hello")
	second := b.proven(b.itemAt(path))
	for _, id := range []string{trust.CheckManifest, trust.CheckName, trust.CheckUnchanged, trust.CheckRatchet} {
		for _, c := range checksOf(second.Evidence, id) {
			if c.Of != "" || id == trust.CheckUnchanged || id == trust.CheckRatchet {
				wantResult(t, &trust.Evidence{Checks: []trust.Check{c}}, id, trust.NotChecked)
			}
		}
	}
	for _, id := range []string{trust.CheckChecksums, trust.CheckSource, trust.CheckSBOM, trust.CheckAge} {
		if c := checksOf(second.Evidence, id); len(c) != 0 {
			t.Errorf("expected no check %s, found %+v", id, c)
		}
	}
	// Once proof was seen, a file of a later version must have some, listed or not.
	item := b.itemAt(path)
	b.proven(b.item("hello", "1.4.1"))
	b.wantRefusal(item, trust.CheckRatchet, policy.ErrWeaker)
	b.memory = &trust.MemStore{}
	b.config.Memory = b.memory
	b.signAs(path, "extra.bin")
	signed := b.proven(b.itemAt(path))
	wantResult(t, signed.Evidence, trust.CheckSignature, trust.Pass)
	wantResult(t, signed.Evidence, trust.CheckSource, trust.NotChecked)

	b.config.Default, b.promised = nil, nil
	b.proven(b.itemAt(path))
	if slices.Contains(b.promised, path+".sigstore.json") {
		t.Error("a bundle was looked for that no profile may judge")
	}
}

// TestUnreadableDocuments refuse, each by its check.
func TestUnreadableDocuments(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	for _, test := range []struct {
		name   string
		play   func(b *bench)
		id     string
		reason error
	}{
		{"provenance", func(b *bench) {
			b.release("hello", "1.4.2", statement(b.t.(*testing.T), func(s map[string]any) { s["predicate"] = map[string]any{"buildDefinition": 1} }))
		}, trust.CheckProvenance, slsa.ErrMalformed},
		{"checksums that contradict themselves", func(b *bench) {
			b.release("hello", "1.4.2", nil)
			const file = "hello_1.4.2_linux_amd64.tar.gz"
			b.replace("hello/1.4.2/checksums.txt", []byte(digest+"  a/"+file+"\n"+strings.Repeat("cd", 32)+"  b/"+file+"\n"), "hello")
		}, trust.CheckChecksums, proof.ErrDisagree},
		{"attested bill of materials", func(b *bench) {
			b.release("hello", "1.4.2", &testrepo.Signing{Bills: true, Change: func(path string, o *testrepo.BundleOptions) {
				if strings.Contains(path, ".sbom.") {
					o.Statement = []byte(strings.Replace(string(o.Statement), `"SPDX-2.3"`, `"SPDX-9"`, 1))
				}
			}})
		}, trust.CheckSBOM, proof.ErrDocument},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			test.play(b)
			b.wantRefusal(b.item("hello", "1.4.2"), test.id, test.reason)
		})
	}
}

// TestManifestComponents are the manifest's claim, and no bill of materials.
func TestManifestComponents(t *testing.T) {
	b := newBench(t)
	for version, components := range map[string][]testrepo.Component{"1.4.1": {}, "1.4.2": {{Name: "left-pad", Version: "1.3.0"}}} {
		b.add(testrepo.Release{Product: "hello", Version: version, Components: components, Bill: testrepo.NoBill})
		found, err := b.prove(b.item("hello", version))
		must(t, err)
		wantResult(t, found.Evidence, trust.CheckSBOM, trust.NotChecked)
		want := "neither"
		if len(components) > 0 {
			want = "the manifest claims 1 components"
		}
		if c := checksOf(found.Evidence, trust.CheckSBOM); !strings.Contains(c[0].Why, want) || found.Subject.HasSBOM || len(found.Subject.Components) != len(components) {
			t.Errorf("%s: expected %q and %d components, found %+v and %+v", version, want, len(components), c, found.Subject)
		}
		if got := found.Release().Version.String(); got != version {
			t.Errorf("expected the manifest of %s, found that of %s", version, got)
		}
	}
}

// TestNoProduct: what is of no product, and what is only a paper of a release, is
// not asked for what an artifact must have.
func TestNoProduct(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.1", &testrepo.Signing{})
	b.proven(b.item("hello", "1.4.1"))
	b.release("hello", "1.4.2", nil)
	b.replace("tool", []byte("bytes"), "targets")
	paper := b.itemAt("hello/1.4.2/checksums.txt")
	paper.Paper = true
	for name, item := range map[string]proof.Item{"of no product": b.itemAt("tool"), "a paper": paper} {
		found := b.proven(item)
		for _, id := range []string{trust.CheckManifest, trust.CheckName, trust.CheckRatchet} {
			if c := checksOf(found.Evidence, id); len(c) != 0 {
				t.Errorf("%s: expected no check %s, found %+v", name, id, c)
			}
		}
		if c := checksOf(found.Evidence, trust.CheckUnchanged); len(c) != 0 && name == "of no product" {
			t.Errorf("%s: expected that it may change, found %+v", name, c)
		}
	}
}

// TestLargeBundle: one that is promised to be a byte too long is never read.
func TestLargeBundle(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	must(t, b.repo.AddLarge(tarball+".sigstore.json", provenance.MaxBundleBytes+1, 1, "hello"))
	must(t, b.repo.Publish())
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSignature, provenance.ErrTooLarge)
	if slices.Contains(b.read, tarball+".sigstore.json") {
		t.Error("it was read")
	}
}
