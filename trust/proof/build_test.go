package proof_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// finished has the statement of each bundle whose path has this text say when
// the build ended.
func finished(t *testing.T, at map[string]time.Time) func(string, *testrepo.BundleOptions) {
	return func(path string, o *testrepo.BundleOptions) {
		for text, end := range at {
			if !strings.HasSuffix(path, text) {
				continue
			}
			var s map[string]any
			must(t, json.Unmarshal(o.Statement, &s))
			s["predicate"].(map[string]any)["runDetails"].(map[string]any)["metadata"].(map[string]any)["finishedOn"] = end.Format(time.RFC3339)
			var err error
			o.Statement, err = json.Marshal(s)
			must(t, err)
		}
	}
}

// TestWhenItWasBuilt is the first build's end, by those whose word counts; later
// builds were of the same once more.
func TestWhenItWasBuilt(t *testing.T) {
	other := testrepo.WorkflowClaims("https://git.example/other/other", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	first, second := start.Add(-3*time.Hour), start.Add(-2*time.Hour)
	hello := policy.Rule{Signers: []provenance.Identity{acmeSigner(t, "hello")}}
	for _, test := range []struct {
		name           string
		rules          []policy.Rule
		build, rebuild time.Time
		want           time.Time
	}{
		{"nobody is named", nil, second, first, first},
		{"nobody is named, in order", nil, first, second, first},
		{"a stranger's older word", []policy.Rule{hello}, second, first, first},
		{"the accepted one's word", []policy.Rule{hello}, first, second, first},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.release("hello", "1.4.2", &testrepo.Signing{
				Rebuilders: []testrepo.Claims{rebuilder(other)},
				Change:     finished(t, map[string]time.Time{"gz.sigstore.json": test.build, "rebuild-1.sigstore.json": test.rebuild}),
			})
			b.rules = test.rules
			found, err := b.prove(b.item("hello", "1.4.2"))
			must(t, err)
			if !found.Subject.Built.Equal(test.want) {
				t.Errorf("expected %s, found %s", test.want, found.Subject.Built)
			}
		})
	}
}

// TestRebuilderOfAnother: only a signer whom a rule names as a rebuilder counts
// with a certificate of another repository than the one that was built.
func TestRebuilderOfAnother(t *testing.T) {
	other := testrepo.WorkflowClaims("https://git.example/other/other", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	rule := func(product string) policy.Rule {
		return policy.Rule{Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{acmeSigner(t, product)}}}
	}
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Rebuilders: []testrepo.Claims{other}})
	b.rules = []policy.Rule{rule("other")}
	wantResult(t, b.proven(b.item("hello", "1.4.2")).Evidence, trust.CheckProvenance, trust.Pass)
	b.rules = []policy.Rule{rule("third")}
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRebuilders, policy.ErrRefused)
}

// TestRebuilderIsNoBuilder: the provenance of a rebuilder whose certificate names
// another repository than it built counts as a rebuild, and for no rule that asks
// for provenance, whoever's rule names the rebuilder.
func TestRebuilderIsNoBuilder(t *testing.T) {
	other := testrepo.WorkflowClaims("https://git.example/other/other", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	asked := policy.Rule{Require: []policy.Kind{policy.KindProvenance}}
	for _, guest := range []bool{true, false} {
		b := newBench(t)
		b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsNothing, Rebuilders: []testrepo.Claims{other}})
		named := policy.Rule{Guest: guest, Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{acmeSigner(t, "other")}}}
		b.rules = []policy.Rule{named}
		found := b.proven(b.item("hello", "1.4.2"))
		wantResult(t, found.Evidence, policy.IDRebuilders, trust.Pass)
		if len(found.Subject.Signatures) != 1 || slices.Contains(found.Subject.Kinds(), policy.KindProvenance) {
			t.Errorf("guest %v: expected one signature and no provenance, found %v", guest, found.Subject.Kinds())
		}
		b.rules = []policy.Rule{asked, named}
		b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)
	}
}

// TestDates that a manifest can't mean.
func TestDates(t *testing.T) {
	for _, test := range []struct {
		name             string
		built, published time.Time
		want             trust.Result
	}{
		{"in order", start.Add(-2 * time.Hour), start.Add(-time.Hour), trust.Pass},
		{"published only", time.Time{}, start.Add(-time.Hour), trust.Pass},
		{"none", time.Time{}, time.Time{}, trust.NotChecked},
		{"built only", start.Add(-time.Hour), time.Time{}, trust.NotChecked},
		{"in the future", start.Add(-time.Hour), start.Add(time.Hour), trust.NotChecked},
		{"built after it was published", start.Add(-time.Hour), start.Add(-2 * time.Hour), trust.NotChecked},
	} {
		b := newBench(t)
		b.release("hello", "1.4.2", nil)
		item := b.item("hello", "1.4.2")
		item.Release.Build.Finished, item.Release.Published = test.built, test.published
		found, err := b.prove(item)
		must(t, err)
		if c := checksOf(found.Evidence, trust.CheckAge); len(c) != 1 || c[0].Result != test.want || (len(found.Warnings) > 0) != (test.want == trust.NotChecked) {
			t.Errorf("%s: expected %s, found %+v and %q", test.name, test.want, c, found.Warnings)
		}
	}
}

// TestBillOfTheChecksums: a bill of materials about the checksums file is none of
// the artifact.
func TestBillOfTheChecksums(t *testing.T) {
	b := newBench(t)
	b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Bill: testrepo.NoBill, Signing: &testrepo.Signing{Artifacts: testrepo.AsNothing, Checksums: true}})
	const path = "hello/1.4.2/checksums.txt"
	data, _ := b.repo.Target(path)
	bill, err := testrepo.Bill{Name: "hello", Product: "hello", Version: "1.4.2"}.Document(testrepo.SPDX)
	must(t, err)
	text, err := testrepo.Statement(testrepo.SPDXType, json.RawMessage(bill), testrepo.Subject{Name: "checksums.txt", Digests: artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}})
	must(t, err)
	bundle, err := b.box.Bundle(testrepo.BundleOptions{Statement: text})
	must(t, err)
	b.replace(path+".sigstore.json", bundle, "hello")
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckSBOM, trust.NotChecked)
	if c := checksOf(found.Evidence, trust.CheckSBOM); len(c) != 2 || found.Subject.HasSBOM || !strings.Contains(fmt.Sprint(c), "about the checksums file") {
		t.Errorf("expected the bill to be passed over, and the manifest's claim, found %+v", c)
	}
}

// TestOnlyRebuildersMayDiffer: that a rule names some rebuilder lets no other
// signer build another source than its certificate says.
func TestOnlyRebuildersMayDiffer(t *testing.T) {
	b := newBench(t)
	evil := testrepo.WorkflowClaims("https://git.example/evil/evil", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	b.release("hello", "1.4.2", &testrepo.Signing{Claims: evil})
	b.rules = []policy.Rule{{
		Signers:    []provenance.Identity{acmeSigner(t, "evil")},
		Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{acmeSigner(t, "third")}},
	}}
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckProvenance, proof.ErrClaims)
}

// TestStrangersClaims: what a third party says against its own certificate counts
// for nothing, and refuses nothing.
func TestStrangersClaims(t *testing.T) {
	stranger := testrepo.WorkflowClaims("https://git.example/x/y", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	sourceless := stranger
	sourceless.SourceRepository = ""
	for name, test := range map[string]struct {
		claims testrepo.Claims
		item   func(b *bench) proof.Item
	}{
		"of a release": {stranger, func(b *bench) proof.Item { return b.item("hello", "1.4.2") }},
		"of a release without a source": {sourceless, func(b *bench) proof.Item {
			item := b.item("hello", "1.4.2")
			item.Release.Source.Repository = ""
			return item
		}},
		"of a file that no manifest lists": {stranger, func(b *bench) proof.Item { return b.itemAt(tarball) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.release("hello", "1.4.2", &testrepo.Signing{Claims: test.claims, Change: func(_ string, o *testrepo.BundleOptions) {
				o.Statement = []byte(strings.ReplaceAll(string(o.Statement), "https://git.example/x/y/.github", "https://git.example/y/z/.github"))
			}})
			found, err := b.prove(test.item(b))
			must(t, err)
			wantResult(t, found.Evidence, trust.CheckProvenance, trust.NotChecked)
			if len(found.Evidence.Builds) != 0 || found.Subject.Signatures[0].Provenance != nil {
				t.Errorf("expected the provenance to count for nothing, found %+v", found.Evidence.Builds)
			}
		})
	}
}

// TestNothingInCommon: a certificate that tells nothing of a build bears out
// nothing of it.
func TestNothingInCommon(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Claims: testrepo.Claims{Identity: "release@hello.example", Issuer: "https://accounts.example"}})
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	wantResult(t, found.Evidence, trust.CheckProvenance, trust.NotChecked)
	if len(found.Evidence.Builds) != 1 {
		t.Errorf("expected one build to be told, found %+v", found.Evidence.Builds)
	}
}
