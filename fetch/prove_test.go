package fetch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// signedBench is a bench whose client proves: acme's hello 2.0.0 is signed, by a
// Sigstore of the test's own.
type signedBench struct {
	*bench
	box    *testrepo.Sigstore
	memory *trust.MemStore // of proofs
	judge  proof.Config    // what a test changes of it
	rules  []policy.Rule
}

const signedTarball = "hello/2.0.0/hello_2.0.0_linux_amd64.tar.gz"

func newSigned(t *testing.T) *signedBench {
	t.Helper()
	box, err := testrepo.NewSigstore(nil)
	must(t, err)
	b := &signedBench{bench: newBench(t, testrepo.Options{}), box: box, memory: &trust.MemStore{}}
	b.release("hello", "2.0.0", &testrepo.Signing{Checksums: true, Bills: true})
	b.judge.Profiles = []proof.Profile{{Name: "acme", Load: func(context.Context) (provenance.Profile, string, error) {
		return provenance.Profile{Name: "acme", Kind: provenance.PublicGood, Root: box.TrustedRoot()}, "a test", nil
	}}}
	b.judge.Default = func(string) []string { return []string{"acme"} }
	return b
}

// release publishes a release in stable for linux/amd64, signed as is said.
func (b *signedBench) release(product, version string, signing *testrepo.Signing) {
	b.t.Helper()
	if signing != nil {
		signing.Sigstore = b.box
	}
	must(b.t, b.repo.AddRelease(testrepo.Release{
		Product: product, Version: version, Channel: "stable", Signing: signing,
		Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz"}},
	}))
	must(b.t, b.repo.Publish())
}

func (b *signedBench) prover() *proof.Prover {
	b.t.Helper()
	rules, err := policy.New(b.rules, nil)
	must(b.t, err)
	config := b.judge
	config.Policy, config.Now = rules, func() time.Time { return b.now }
	if config.Memory == nil {
		config.Memory = b.memory
	}
	p, err := proof.New(config)
	must(b.t, err)
	return p
}

func (b *signedBench) open() *cache.Store {
	b.t.Helper()
	store, err := cache.Open(b.dir, cache.Options{})
	must(b.t, err)
	return store
}

// client is a new run of the program, that proves.
func (b *signedBench) client() *fetch.Client {
	b.t.Helper()
	client, err := fetch.NewClient(fetch.Config{
		Repositories: append([]*fetch.Repository{b.repository("acme")}, b.more...),
		Cache:        b.open(), Engine: wire.New(b.engine), Transfer: transfer.Options{Pause: time.Millisecond}, Now: func() time.Time { return b.now }, Offline: b.offline,
		Prover: b.prover(), Warn: b.warn, Map: b.agree,
	})
	must(b.t, err)
	return client
}

func (b *signedBench) get(ref string) (fetch.Held, error) {
	b.t.Helper()
	return b.client().Get(b.t.Context(), request(b.t, ref))
}

func (b *signedBench) mustGet(ref string) fetch.Held {
	b.t.Helper()
	held, err := b.get(ref)
	must(b.t, err)
	return held
}

// byPath is get by a target path.
func (b *signedBench) byPath(path string) (fetch.Held, error) {
	b.t.Helper()
	client := b.client()
	selection, err := client.SelectTarget(b.t.Context(), "acme", path)
	if err != nil {
		return fetch.Held{}, err
	}
	return client.GetSelected(b.t.Context(), selection)
}

// receipts are all that are remembered, by target path.
func (b *signedBench) receipts() map[string]*proof.Receipt {
	b.t.Helper()
	p := b.prover()
	names, err := p.ReceiptNames(b.t.Context())
	must(b.t, err)
	found := map[string]*proof.Receipt{}
	for r, err := range p.Receipts(b.t.Context(), names) {
		must(b.t, err)
		found[r.Target] = r
	}
	return found
}

// hexOf is the SHA-256 of a target as it is published, by which blobs are named.
func (b *signedBench) hexOf(path string) string {
	b.t.Helper()
	data, ok := b.repo.Target(path)
	if !ok {
		b.t.Fatalf("no target %s", path)
	}
	return artifact.DigestOf(artifact.SHA256, data).Hex()
}

// found lists the products whose held artifacts have a component.
func (b *signedBench) found(component string) (list []cache.Match) {
	b.t.Helper()
	for match, err := range b.open().Find(b.t.Context(), cache.Query{Name: component}) {
		must(b.t, err)
		list = append(list, match)
	}
	return list
}

func pattern(t *testing.T, text string) provenance.Pattern {
	t.Helper()
	p, err := provenance.ParsePattern(text)
	must(t, err)
	return p
}

// signedBy asks for the release workflow of a product.
func signedBy(t *testing.T, product string) policy.Rule {
	t.Helper()
	return policy.Rule{Signers: []provenance.Identity{{
		Issuer:  pattern(t, testrepo.GitHubIssuer),
		Subject: pattern(t, "https://git.example/"+product+"/"+product+"/.github/workflows/release.yml@refs/tags/*"),
	}}}
}

// resultOf is how the checks of an id ended, if all ended alike.
func resultOf(e *trust.Evidence, id string) (result trust.Result) {
	for _, c := range e.Checks {
		if c.ID == id {
			if result != "" && result != c.Result {
				return "mixed"
			}
			result = c.Result
		}
	}
	return result
}

func TestProvenGet(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.rules = []policy.Rule{signedBy(t, "hello")}
	digest := "hello@sha256:" + b.hexOf(signedTarball)
	for name, get := range map[string]func() (fetch.Held, error){
		"by channel": func() (fetch.Held, error) { return b.get("hello") },
		"by version": func() (fetch.Held, error) { return b.get("hello@2.0.0") },
		"by digest":  func() (fetch.Held, error) { return b.get(digest) },
		"by path":    func() (fetch.Held, error) { return b.byPath(signedTarball) },
	} {
		held, err := get()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, id := range []string{trust.CheckSignature, trust.CheckSubject, trust.CheckIdentity, trust.CheckProvenance, trust.CheckSBOM, trust.CheckPromise, trust.CheckDigest, policy.IDSigners} {
			want := trust.Pass
			if id == trust.CheckSubject {
				want = "mixed" // the signature over the checksums file names nothing
			}
			if got := resultOf(held.Evidence, id); got != want {
				t.Errorf("%s: %s: expected %s, found %q", name, id, want, got)
			}
		}
		if r := held.Receipt; r == nil || r.Outcome != proof.Proven || r.Target != signedTarball || len(r.Verdicts) != 3 || len(r.Evidence.Checks) != len(held.Evidence.Checks) {
			t.Errorf("%s: the receipt lacks something: %+v", name, r)
		}
	}
	if all := b.receipts(); len(all) != 1 || all[signedTarball] == nil {
		t.Errorf("expected one receipt, found %v", all)
	}
}

// TestProvenIsDescribed: the cache's index tells what the artifact is made of,
// also after the index was lost.
func TestProvenIsDescribed(t *testing.T) {
	t.Parallel()
	for name, signing := range map[string]*testrepo.Signing{"attested": {Bills: true}, "as a document": {}} {
		t.Run(name, func(t *testing.T) {
			b := newSigned(t)
			b.release("hello", "2.1.0", signing)
			wanted := func() {
				t.Helper()
				list := b.found("golang.org/x/text")
				if len(list) != 1 || len(list[0].Matched) != 1 || list[0].Matched[0].Version != "v0.30.0" {
					t.Fatalf("expected one artifact with one component, found %+v", list)
				}
				m := list[0]
				if m.Repository != "acme" || m.Product != "hello" || m.Version != "2.1.0" || m.Platform != "linux/amd64" || m.License != "Apache-2.0" ||
					!strings.Contains(m.Builder, "release.yml@refs/tags/v2.1.0") || m.Source != "https://git.example/hello/hello" || len(m.Revision) != 40 ||
					len(m.Signers) == 0 || !strings.Contains(m.Signers[0], "release.yml") {
					t.Errorf("the facts lack something: %+v", m)
				}
			}
			b.mustGet("hello")
			wanted()
			b.mustGet("hello") // the bill is not read again
			wanted()
			must(t, os.RemoveAll(b.dir))
			b.mustGet("hello")
			wanted()
		})
	}
}

// TestPartsThatAreNotHeld: offline, and with neither index nor bill of materials,
// the artifact is still proven; what it is made of is not known, and not guessed.
func TestPartsThatAreNotHeld(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.release("hello", "2.1.0", &testrepo.Signing{})
	b.mustGet("hello")
	must(t, os.Remove(filepath.Join(b.dir, "facts.db")))
	bill := b.hexOf("hello/2.1.0/hello_2.1.0_linux_amd64.spdx.json")
	must(t, os.Remove(filepath.Join(b.dir, "blobs", "sha256", bill[:2], bill)))
	b.offline = true
	held := b.mustGet("hello")
	if resultOf(held.Evidence, trust.CheckSBOM) != trust.Pass || len(b.found("golang.org/x/text")) != 0 {
		t.Errorf("expected a proof, and no components, found %+v", held.Evidence.Checks)
	}
	if known, err := b.open().Described(t.Context(), held.Target.Digests().Primary()); known || err != nil {
		t.Errorf("expected no facts, found %t, %v", known, err)
	}
}

// TestManifestIsDescribed: of a release that nobody signed, the manifest's claim.
func TestManifestIsDescribed(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.mustGet("ferry")
	if list := b.found("golang.org/x/text"); len(list) != 1 || list[0].Source != "https://git.example/ferry/ferry" || list[0].Builder != "" || len(list[0].Signers) != 0 {
		t.Errorf("expected the manifest's source, found %+v", list)
	}
}

// TestElsewhereIsProven: an artifact outside the repository, with its bundle in
// it.
func TestElsewhereIsProven(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddRelease(testrepo.Release{
		Product: "ferry", Version: "1.0.0", Channel: "stable", Signing: &testrepo.Signing{Sigstore: b.box},
		Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz", Elsewhere: true}},
	}))
	must(t, b.repo.Publish())
	b.rules = []policy.Rule{signedBy(t, "ferry")}
	held := b.mustGet("ferry")
	if resultOf(held.Evidence, trust.CheckSignature) != trust.Pass || held.Target.Manifest() == "" || b.receipts()[held.Target.Path()] == nil {
		t.Errorf("expected a proof of what lies elsewhere, found %+v", held.Evidence.Checks)
	}
	b.rules = []policy.Rule{signedBy(t, "hello")}
	if _, err := b.get("ferry"); !errors.Is(err, proof.ErrIdentity) {
		t.Errorf("expected ErrIdentity, found %v", err)
	}
}

// TestRefusedIsNotFetched, and the refusal is remembered, whichever way was taken.
func TestRefusedIsNotFetched(t *testing.T) {
	t.Parallel()
	for name, try := range map[string]func(b *signedBench) error{
		"by channel": func(b *signedBench) error { _, err := b.get("hello"); return err },
		"by digest":  func(b *signedBench) error { _, err := b.get("hello@sha256:" + b.hexOf(signedTarball)); return err },
		"by path":    func(b *signedBench) error { _, err := b.byPath(signedTarball); return err },
		"a file": func(b *signedBench) error {
			_, err := b.client().Identify(b.t.Context(), b.onDisk(signedTarball))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSigned(t)
			b.rules = []policy.Rule{signedBy(t, "ferry")}
			err := try(b)
			var refusal *proof.Refusal
			if !errors.Is(err, proof.ErrIdentity) || !errors.As(err, &refusal) {
				t.Fatalf("expected ErrIdentity, found %v", err)
			}
			if failed, _ := refusal.Evidence.Failed(); failed.ID != trust.CheckIdentity {
				t.Errorf("expected %s to fail, found %+v", trust.CheckIdentity, failed)
			}
			if b.blobs()[b.hexOf(signedTarball)] {
				t.Error("the artifact was fetched")
			}
			b.nothingStaged()
			r := b.receipts()[signedTarball]
			if r == nil || r.Outcome != proof.Refused || !strings.Contains(r.Reason, proof.ErrIdentity.Error()) || !r.Proven.IsZero() {
				t.Errorf("expected a refusal in memory, found %+v", r)
			}
		})
	}
}

// TestJudgeRemembersNothing, neither of what is right nor of what is not.
func TestJudgeRemembersNothing(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	judge := func() (fetch.Selection, error) {
		client := b.client()
		selection, err := client.Resolve(t.Context(), request(t, "hello"))
		must(t, err)
		return selection, client.Judge(t.Context(), &selection)
	}
	selection, err := judge()
	must(t, err)
	if resultOf(selection.Evidence, trust.CheckSignature) != trust.Pass {
		t.Errorf("expected the signature in the evidence, found %+v", selection.Evidence.Checks)
	}
	b.rules = []policy.Rule{signedBy(t, "ferry")}
	if _, err := judge(); !errors.Is(err, proof.ErrIdentity) {
		t.Errorf("expected ErrIdentity, found %v", err)
	}
	if n := len(b.memory.Entries()); n != 0 || b.blobs()[b.hexOf(signedTarball)] {
		t.Errorf("expected nothing to be remembered or fetched, found %d entries", n)
	}
	foreign := fetch.Selection{Target: selection.Target, Evidence: selection.Evidence}
	if err := b.client().Judge(t.Context(), &foreign); err == nil || errors.Is(err, proof.ErrConfig) {
		t.Errorf("expected a selection that no client made to be told, found %v", err)
	}
}

// TestWithoutProver says what was not looked at.
func TestWithoutProver(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	held := b.bench.mustGet("hello")
	if resultOf(held.Evidence, trust.CheckSignature) != trust.NotChecked || held.Receipt != nil {
		t.Errorf("expected no proof, found %+v and %+v", held.Evidence.Checks, held.Receipt)
	}
	found, err := b.bench.client().Identify(t.Context(), b.onDisk(signedTarball))
	must(t, err)
	if resultOf(found.Evidence, trust.CheckSignature) != trust.NotChecked || found.Receipt != nil {
		t.Errorf("expected no proof, found %+v and %+v", found.Evidence.Checks, found.Receipt)
	}
}

func TestIdentifyProves(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.rules = []policy.Rule{signedBy(t, "hello")}
	found, err := b.client().Identify(t.Context(), b.onDisk(signedTarball))
	must(t, err)
	if found.Receipt == nil || found.Receipt.Outcome != proof.Proven || resultOf(found.Evidence, policy.IDSigners) != trust.Pass || resultOf(found.Evidence, trust.CheckDigest) != trust.Pass {
		t.Errorf("expected a proof, found %+v and %+v", found.Receipt, found.Evidence.Checks)
	}
	if b.blobs()[b.hexOf(signedTarball)] || len(b.found("golang.org/x/text")) != 0 {
		t.Error("a file that is held elsewhere is none of the cache")
	}
}

// otherAlgorithm publishes a tool that is signed under SHA-512, and promised by
// SHA-256.
func (b *signedBench) otherAlgorithm(data, signed []byte) {
	b.t.Helper()
	text, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{Subjects: []testrepo.Subject{{Name: "tool", Digests: artifact.Digests{artifact.DigestOf(artifact.SHA512, signed)}}}})
	must(b.t, err)
	bundle, err := b.box.Bundle(testrepo.BundleOptions{Statement: text})
	must(b.t, err)
	must(b.t, b.repo.AddTarget("tool", data))
	must(b.t, b.repo.AddTarget("tool.sigstore.json", bundle))
	must(b.t, b.repo.Publish())
}

// TestOtherAlgorithm: a signature under an algorithm that the target does not
// list needs the bytes. A get fetches them, a dry run does not, a file has them.
func TestOtherAlgorithm(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.otherAlgorithm([]byte("bytes"), []byte("bytes"))
	judge := func() trust.Result {
		client := b.client()
		selection, err := client.SelectTarget(t.Context(), "acme", "tool")
		must(t, err)
		must(t, client.Judge(t.Context(), &selection))
		return resultOf(selection.Evidence, trust.CheckSignature)
	}
	if got := judge(); got != trust.NotChecked || b.blobs()[b.hexOf("tool")] {
		t.Errorf("a dry run: expected not checked, and nothing fetched, found %s", got)
	}
	found, err := b.client().Identify(t.Context(), b.onDisk("tool"))
	must(t, err)
	if got := resultOf(found.Evidence, trust.CheckSignature); got != trust.Pass {
		t.Errorf("a file: expected pass, found %s", got)
	}
	b.memory = &trust.MemStore{}
	held, err := b.byPath("tool")
	must(t, err)
	if got := resultOf(held.Evidence, trust.CheckSignature); got != trust.Pass {
		t.Errorf("a get: expected pass, found %s", got)
	}
	b.memory = &trust.MemStore{}
	if got := judge(); got != trust.Pass {
		t.Errorf("a dry run with held bytes: expected pass, found %s", got)
	}
	b.otherAlgorithm([]byte("bytes"), []byte("others"))
	if _, err := b.byPath("tool"); !errors.Is(err, provenance.ErrDigest) {
		t.Errorf("expected ErrDigest, found %v", err)
	}
}

// TestProvenOffline: with the documents that are held everything is proven anew;
// without them it is not known, which is no refusal.
func TestProvenOffline(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.rules = []policy.Rule{signedBy(t, "hello")}
	b.mustGet("hello")
	b.offline = true
	for _, name := range []string{"remembered", "not remembered"} {
		held := b.mustGet("hello")
		if resultOf(held.Evidence, trust.CheckSignature) != trust.Pass || resultOf(held.Evidence, trust.CheckFreshness) != trust.NotChecked {
			t.Errorf("%s: expected a proof without freshness, found %+v", name, held.Evidence.Checks)
		}
		b.memory = &trust.MemStore{}
	}
	bundle := b.hexOf(signedTarball + ".sigstore.json")
	must(t, os.Remove(filepath.Join(b.dir, "blobs", "sha256", bundle[:2], bundle)))
	_, err := b.get("hello")
	var refusal *proof.Refusal
	if !errors.Is(err, trust.ErrNotHeld) || errors.As(err, &refusal) || len(b.memory.Entries()) != 0 {
		t.Errorf("expected ErrNotHeld, and nothing to be remembered, found %v", err)
	}
}

// TestGivingUpIsNoRefusal: whoever gives up while signatures are judged leaves
// nothing behind.
func TestGivingUpIsNoRefusal(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	ctx, stop := context.WithCancel(t.Context())
	load := b.judge.Profiles[0].Load
	b.judge.Profiles[0].Load = func(ctx context.Context) (provenance.Profile, string, error) {
		stop()
		return load(ctx)
	}
	_, err := b.client().Get(ctx, request(t, "hello"))
	var refusal *proof.Refusal
	if !errors.Is(err, context.Canceled) || errors.As(err, &refusal) {
		t.Errorf("expected the caller's giving up, found %v", err)
	}
	if n := len(b.memory.Entries()); n != 0 {
		t.Errorf("expected nothing to be remembered, found %d entries", n)
	}
	b.nothingStaged()
}

// forgetful is a Store that does not write.
type forgetful struct{ trust.Store }

var errForgetful = errors.New("the disk is full")

func (forgetful) Update(context.Context, func(trust.Tx) error) error { return errForgetful }

// TestMemoryThatFails: a proof that can't be remembered is an error; a refusal is
// a refusal all the same.
func TestMemoryThatFails(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.judge.Memory = forgetful{b.memory}
	var warned []string
	b.warn = func(text string) { warned = append(warned, text) }
	if _, err := b.get("hello"); !errors.Is(err, errForgetful) {
		t.Errorf("expected the store's error, found %v", err)
	}
	b.rules = []policy.Rule{signedBy(t, "ferry")}
	if _, err := b.get("hello"); !errors.Is(err, proof.ErrIdentity) || errors.Is(err, errForgetful) {
		t.Errorf("expected ErrIdentity, found %v", err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], errForgetful.Error()) {
		t.Errorf("expected one warning, found %q", warned)
	}
}

// TestWarningsOfProof reach whoever asked.
func TestWarningsOfProof(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.advise(t, "0.31.0")
	var warned []string
	b.warn = func(text string) { warned = append(warned, text) }
	held := b.mustGet("hello")
	tells := func(list []string) bool {
		return slices.ContainsFunc(list, func(text string) bool { return strings.Contains(text, "GO-2026-1") })
	}
	if !tells(warned) || !tells(held.Warnings) {
		t.Errorf("expected the advisory in the warnings, found %q and %q", warned, held.Warnings)
	}
	found, err := b.client().Identify(t.Context(), b.onDisk(signedTarball))
	must(t, err)
	if !tells(found.Warnings) {
		t.Errorf("expected the advisory in the warnings, found %q", found.Warnings)
	}
}

// advise configures an advisory on a component of all samples, v0.30.0.
func (b *signedBench) advise(t *testing.T, fixed string) {
	t.Helper()
	doc, err := advisory.Parse("osv.json", []byte(`{"id":"GO-2026-1","modified":"2026-01-01T00:00:00Z","affected":[
  {"package":{"ecosystem":"Go","name":"golang.org/x/text"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"`+fixed+`"}]}]}]}`))
	must(t, err)
	set, err := advisory.NewSet(doc)
	must(t, err)
	b.judge.Advisories = func(context.Context) (*advisory.Set, error) { return set, nil }
}

// TestReadDocument: what the configuration names as a target of a repository.
func TestReadDocument(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddTrustedRoot(b.box))
	must(t, b.repo.AddTarget("osv/all.json", []byte("advisories")))
	must(t, b.repo.Publish())
	read := func(path string, limit int64) (string, string, error) {
		data, note, err := b.client().ReadDocument(t.Context(), "acme", path, limit)
		return string(data), note, err
	}
	for path, want := range map[string]string{"trusted_root.json": string(b.box.TrustedRoot()), "osv/all.json": "advisories"} {
		if data, note, err := read(path, 1<<20); err != nil || data != want || note != "" {
			t.Errorf("%s: expected what was published, found %d bytes, %q, %v", path, len(data), note, err)
		}
	}
	if _, _, err := read("osv/all.json", 9); err == nil || !strings.Contains(err.Error(), "at most 9 bytes") {
		t.Errorf("expected the bound to be told, found %v", err)
	}
	if _, _, err := read("none.json", 9); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("expected ErrNoTarget, found %v", err)
	}
	if _, _, err := b.client().ReadDocument(t.Context(), "nobody", "x", 9); !errors.Is(err, fetch.ErrUnknown) {
		t.Errorf("expected ErrUnknown, found %v", err)
	}

	b.offline = true
	for _, path := range []string{"trusted_root.json", "osv/all.json"} {
		if data, note, err := read(path, 1<<20); err != nil || data == "" || !strings.HasPrefix(note, "freshness not checked since ") {
			t.Errorf("%s: offline: expected it with a note, found %d bytes, %q, %v", path, len(data), note, err)
		}
	}
	b.now = b.now.Add(48 * time.Hour) // the timestamp has expired
	if data, note, err := read("trusted_root.json", 1<<20); err != nil || data == "" || note == "" {
		t.Errorf("offline and expired: expected it with a note, found %d bytes, %q, %v", len(data), note, err)
	}
	b.offline = false
	for _, path := range []string{"trusted_root.json", "osv/all.json"} {
		if _, _, err := read(path, 1<<20); !errors.Is(err, trust.ErrExpired) {
			t.Errorf("%s: expected ErrExpired, found %v", path, err)
		}
	}
}

// TestTrustedRootOfADelegatedRole counts for nothing, online and offline.
func TestTrustedRootOfADelegatedRole(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "anyone", Paths: []string{"*.json"}}))
	must(t, b.repo.AddTarget("trusted_root.json", b.box.TrustedRoot(), "anyone"))
	must(t, b.repo.AddTarget("osv.json", []byte("advisories"), "anyone"))
	must(t, b.repo.Publish())
	for _, offline := range []bool{false, true} {
		b.offline = offline
		if _, _, err := b.client().ReadDocument(t.Context(), "acme", "osv.json", 1<<20); err != nil {
			t.Errorf("offline %t: %v", offline, err)
		}
		if data, _, err := b.client().ReadDocument(t.Context(), "acme", "trusted_root.json", 1<<20); !errors.Is(err, trust.ErrNoTarget) || data != nil {
			t.Errorf("offline %t: expected ErrNoTarget, found %v", offline, err)
		}
	}
}

// TestRootOfTheSameRepository: a profile whose root is a target of the
// repository that it judges, which the evidence tells.
func TestRootOfTheSameRepository(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddTrustedRoot(b.box))
	must(t, b.repo.Publish())
	var reader atomic.Pointer[fetch.Client]
	b.judge.Profiles = []proof.Profile{{Name: "acme", Repository: "acme", Load: func(ctx context.Context) (provenance.Profile, string, error) {
		data, _, err := reader.Load().ReadDocument(ctx, "acme", "trusted_root.json", 1<<20)
		return provenance.Profile{Name: "acme", Kind: provenance.PublicGood, Root: data}, "trusted_root.json of acme", err
	}}}
	client := b.client()
	reader.Store(client)
	held, err := client.Get(t.Context(), request(t, "hello"))
	must(t, err)
	i := slices.IndexFunc(held.Evidence.Checks, func(c trust.Check) bool { return c.ID == trust.CheckSignature })
	if c := held.Evidence.Checks[i]; c.Result != trust.Pass || !strings.Contains(c.Found, "comes from the repository that publishes the artifact") || !strings.Contains(c.Expected, "trusted_root.json of acme") {
		t.Errorf("expected the root's origin to be told, found %+v", c)
	}
}
