package proof_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// start is the time at which every test begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is a repository, an instance of Sigstore, and a client's memory.
type bench struct {
	alone    map[string]bool // paths that not all who must agree promise
	t        testing.TB
	now      time.Time
	box      *testrepo.Sigstore
	repo     *testrepo.Repo
	memory   *trust.MemStore
	config   proof.Config
	rules    []policy.Rule
	builders []policy.Builder
	// known are the digests that Documents.Hash has; without, the bytes are not
	// to be had.
	known artifact.Digests
	// fails has errors of the means, by the call: "promise PATH", "read PATH" or
	// "hash". The call fails from the second time on where it ends with "again".
	fails map[string]error
	// read has the documents that were read, and promised those looked for.
	read, promised []string
}

// broken is the error that a call of Documents is to end with.
func (b *bench) broken(call string, before bool) error {
	if before {
		return cmp.Or(b.fails[call], b.fails[call+" again"])
	}
	return b.fails[call]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newBench has a profile "acme" of kind public-good for the repository acme.
func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, now: start, memory: &trust.MemStore{}}
	clock := func() time.Time { return b.now }
	var err error
	b.box, err = testrepo.NewSigstore(clock)
	must(t, err)
	b.repo, err = testrepo.New(testrepo.Options{Now: clock})
	must(t, err)
	must(t, b.repo.AddProduct("hello", "Prints a greeting", "stable"))
	must(t, b.repo.AddProduct("ferry", "Moves files", "stable"))
	b.config = proof.Config{
		Memory: b.memory, Now: clock,
		Default: func(string) []string { return []string{"acme"} },
		Profiles: []proof.Profile{
			b.profile("acme", provenance.Profile{Kind: provenance.PublicGood, Root: b.box.TrustedRoot()}),
		},
	}
	return b
}

func (b *bench) profile(name string, p provenance.Profile) proof.Profile {
	p.Name = name
	return proof.Profile{Name: name, Load: func(context.Context) (provenance.Profile, string, error) { return p, "a test", nil }}
}

// release publishes a release that is signed as the options say; nil: not at
// all.
func (b *bench) release(product, version string, signing *testrepo.Signing) {
	b.t.Helper()
	b.add(testrepo.Release{Product: product, Version: version, Signing: signing})
}

func (b *bench) add(r testrepo.Release) {
	b.t.Helper()
	r.Channel = "stable"
	if r.Signing != nil {
		r.Signing.Sigstore = b.box
	}
	must(b.t, b.repo.AddRelease(r))
	must(b.t, b.repo.Publish())
}

// Read implements trust.Remote.
func (b *bench) ReadMetadata(_ context.Context, name string, _ int64) ([]byte, error) {
	data, ok := b.repo.Files(0)[name]
	if !ok {
		return nil, trust.ErrNoMetadata
	}
	return data, nil
}

func (b *bench) view() *trust.View {
	b.t.Helper()
	r, err := trust.Open(trust.Config{Name: "acme", Root: b.repo.Root(), Store: &trust.MemStore{}, Remote: b, Now: func() time.Time { return b.now }})
	must(b.t, err)
	view, err := r.Refresh(b.t.Context())
	must(b.t, err)
	return view
}

// papers reads documents from the repository as it is.
type papers struct {
	bench *bench
	view  *trust.View
}

func (p papers) Promise(ctx context.Context, path string) (trust.Target, error) {
	err := p.bench.broken("promise "+path, slices.Contains(p.bench.promised, path))
	p.bench.promised = append(p.bench.promised, path)
	if err != nil {
		return trust.Target{}, err
	}
	return p.view.Target(ctx, path)
}

func (p papers) Agreed(path string) bool { return !p.bench.alone[path] }

func (p papers) Read(_ context.Context, target trust.Target, limit int64) ([]byte, error) {
	err := p.bench.broken("read "+target.Path(), slices.Contains(p.bench.read, target.Path()))
	p.bench.read = append(p.bench.read, target.Path())
	if err != nil {
		return nil, err
	}
	data, ok := p.bench.repo.Target(target.Path())
	if !ok || int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: no such file, or too large", target.Path())
	}
	return data, target.Check(data)
}

func (p papers) Hash(_ context.Context, algorithm artifact.Algorithm) (artifact.Digest, error) {
	if err := p.bench.broken("hash", false); err != nil {
		return artifact.Digest{}, err
	}
	if digest, ok := p.bench.known.Of(algorithm); ok {
		return digest, nil
	}
	return artifact.Digest{}, trust.ErrNotHeld
}

// item is the artifact of a release for linux/amd64.
func (b *bench) item(product, version string) proof.Item {
	b.t.Helper()
	view := b.view()
	v, err := artifact.ParseVersion(version)
	must(b.t, err)
	manifest, err := view.Target(b.t.Context(), release.ManifestPath(product, v))
	must(b.t, err)
	data, _ := b.repo.Target(manifest.Path())
	doc, err := view.Release(manifest, data)
	must(b.t, err)
	i := slices.IndexFunc(doc.Artifacts, func(a release.Artifact) bool { return a.OS == "linux" && a.Arch == "amd64" })
	target, err := view.Artifact(b.t.Context(), manifest, data, i)
	must(b.t, err)
	return proof.Item{
		Manifest: manifest.Digests(),
		Target:   target, Release: doc, Artifact: doc.Artifacts[i], Product: product, Version: v, Channel: "stable",
		Status: release.StatusCurrent, Platform: doc.Artifacts[i].Platform(), Evidence: view.Evidence(), Documents: papers{b, view},
	}
}

func (b *bench) prover() *proof.Prover {
	b.t.Helper()
	rules, err := policy.New(b.rules, b.builders)
	must(b.t, err)
	b.config.Policy = rules
	p, err := proof.New(b.config)
	must(b.t, err)
	return p
}

// itemAt is a target that no manifest lists. One below a release is of its
// product.
func (b *bench) itemAt(path string) proof.Item {
	b.t.Helper()
	view := b.view()
	target, err := view.Target(b.t.Context(), path)
	must(b.t, err)
	item := proof.Item{Target: target, Evidence: view.Evidence(), Documents: papers{b, view}}
	if product, rest, ok := strings.Cut(path, "/"); ok {
		text, _, _ := strings.Cut(rest, "/")
		item.Product = product
		item.Version, err = artifact.ParseVersion(text)
		must(b.t, err)
	}
	return item
}

func (b *bench) prove(item proof.Item) (*proof.Proof, error) {
	b.t.Helper()
	return b.prover().Prove(b.t.Context(), item)
}

// proven is prove and Record, without an error.
func (b *bench) proven(item proof.Item) *proof.Proof {
	b.t.Helper()
	p := b.prover()
	found, err := p.Prove(b.t.Context(), item)
	must(b.t, err)
	_, err = p.Record(b.t.Context(), found)
	must(b.t, err)
	return found
}

// checkOf finds the checks of an id.
func checksOf(e *trust.Evidence, id string) (list []trust.Check) {
	for _, c := range e.Checks {
		if c.ID == id {
			list = append(list, c)
		}
	}
	return list
}

// wantResult asserts how the checks of an id ended: all of them alike.
func wantResult(t *testing.T, e *trust.Evidence, id string, want trust.Result) {
	t.Helper()
	list := checksOf(e, id)
	if len(list) == 0 {
		t.Errorf("expected the check %s: %s, found none", id, want)
	}
	for _, c := range list {
		if c.Result != want || want == trust.NotChecked && c.Why == "" {
			t.Errorf("expected the check %s: %s, found %+v", id, want, c)
		}
	}
}

// wantRefusal asserts that the hearing ended with a failing check of this id, as
// its last, for this reason, and that nothing was remembered.
func (b *bench) wantRefusal(item proof.Item, id string, reason error) *proof.Refusal {
	b.t.Helper()
	before := b.memory.Entries()
	_, err := b.prove(item)
	var refusal *proof.Refusal
	if !errors.As(err, &refusal) || !errors.Is(err, reason) {
		b.t.Fatalf("expected a refusal for %q, found %v", reason, err)
	}
	failed, ok := refusal.Evidence.Failed()
	if !ok || failed.ID != id || failed.Expected == "" || failed.Found == "" {
		b.t.Errorf("expected the check %s to have failed, with what was expected and found; found %+v", id, failed)
	}
	if after := b.memory.Entries(); len(after) != len(before) {
		b.t.Errorf("a refusal left %d entries in memory, there were %d", len(after), len(before))
	}
	return refusal
}
