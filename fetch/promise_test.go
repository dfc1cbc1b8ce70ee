package fetch_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
)

func TestZeroTargetIsNotFetched(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	if _, err := b.client().Fetch(t.Context(), trust.Target{}); !errors.Is(err, fetch.ErrUnknown) {
		t.Errorf("expected ErrUnknown, found %v", err)
	}
}

// Every promise has to hold, whether the bytes come or are held already under
// the one digest that is right.
func TestEveryPromiseHasToHold(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(*metadata.TargetFiles){
		"length":        func(f *metadata.TargetFiles) { f.Length++ },
		"second digest": func(f *metadata.TargetFiles) { f.Hashes["sha512"] = bytes.Repeat([]byte{1}, 64) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			must(t, b.repo.AddTarget("x.bin", []byte("exactly these")))
			must(t, b.repo.Publish())
			get := func() error {
				client := b.client()
				selection, err := client.SelectTarget(t.Context(), "acme", "x.bin")
				must(t, err)
				_, err = client.GetSelected(t.Context(), selection)
				return err
			}
			must(t, get())
			must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) { forge(s.(*metadata.TargetsType).Targets["x.bin"]) }}))
			must(t, b.repo.Publish())
			if err := get(); !errors.Is(err, trust.ErrMismatch) {
				t.Errorf("held: expected trust.ErrMismatch, found %v", err)
			}
			b.dir = t.TempDir()
			if err := get(); !errors.Is(err, cache.ErrMismatch) {
				t.Errorf("fetched: expected cache.ErrMismatch, found %v", err)
			}
			b.nothingStaged()
		})
	}
}

// A server may store the file under any one of its promised digests.
func TestFileUnderItsSecondDigest(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Algorithms: []artifact.Algorithm{artifact.SHA256, artifact.SHA512}})
	data, _ := b.repo.Target("hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz")
	b.server.Status(artifact.DigestOf(artifact.SHA256, data).Hex()+".", 404)
	if held := b.mustGet("hello"); !strings.Contains(held.From, artifact.DigestOf(artifact.SHA512, data).Hex()) {
		t.Errorf("expected it to come by its sha512, found %s", held.From)
	}
}

// Who may sign some target must not be able to put up a shop: the catalog is
// the top-level role's.
func TestCatalogOfADelegatedRoleIsNone(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	catalog, _ := b.repo.Target("catalog.json")
	must(t, b.repo.RemoveTarget("catalog.json"))
	must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "greedy", Paths: []string{"*"}}))
	must(t, b.repo.AddTarget("catalog.json", catalog, "greedy"))
	must(t, b.repo.Publish())
	products, err := b.client().Products(t.Context(), "")
	if err != nil || len(products) != 0 {
		t.Errorf("expected nothing on offer, found %v, %v", products, err)
	}
	b.refuses("hello", fetch.ErrUnknown)
	b.offline = true
	b.refuses("hello@1.5.0", fetch.ErrUnknown)
}

func TestRepositoryIsAskedOncePerClient(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustGet("hello")
	client := b.client()
	b.server.ResetCounters()
	for range 3 {
		_, err := client.Get(t.Context(), request(t, "hello"))
		must(t, err)
	}
	if asked := b.server.Requests(); len(asked) != 2 {
		t.Errorf("expected the next root and the timestamp, once, found %v", asked)
	}
}

// A source that is too slow is covered by the grace like one that is silent.
func TestGraceIsWarnedOfOnce(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*bench){
		"gone": func(b *bench) { b.server.Close() },
		"slow": func(b *bench) {
			b.server.Drip("timestamp", 10)
			b.engine.Document = 600 * time.Millisecond
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": time.Hour}})
			var warnings []string
			b.grace, b.warn = 3*time.Hour, func(text string) { warnings = append(warnings, text) }
			b.mustGet("hello")
			harm(b)
			b.now = b.now.Add(2 * time.Hour)
			client := b.client()
			for range 2 {
				held, err := client.Get(t.Context(), request(t, "hello"))
				must(t, err)
				if held.Moved != 0 {
					t.Errorf("%d bytes moved from a server that gives none", held.Moved)
				}
			}
			if len(warnings) != 1 || !strings.Contains(warnings[0], "grace") {
				t.Errorf("expected one warning of the grace, found %q", warnings)
			}
			b.now = b.now.Add(3 * time.Hour)
			b.refuses("hello", trust.ErrExpired)
		})
	}
}

func TestDocumentAboveItsLimitIsNotAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.AddLarge("catalog.json", release.MaxCatalogBytes+1, 1))
	must(t, b.repo.Publish())
	b.refuses("hello", release.ErrMalformed)
	for _, path := range b.server.Requests() {
		if strings.Contains(path, "catalog.json") {
			t.Errorf("it was asked for: %s", path)
		}
	}
}

// One URL listed for two platforms, with other bytes promised for each: what is
// fetched must be what was promised for the platform that was asked for.
func TestOneURLForTwoPlatforms(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	digest := strings.Repeat("ab", 32)
	must(t, b.repo.EditDocument("ferry/0.9.0/release.json", func(doc map[string]any) {
		list := doc["artifacts"].([]any)
		first, last := list[0].(map[string]any), list[len(list)-1].(map[string]any)
		delete(first, "target")
		first["urls"], first["digests"] = last["urls"], map[string]any{"sha256": digest}
	}))
	must(t, b.repo.Publish())
	r := request(t, "ferry")
	r.Platform = artifact.Platform{OS: "windows", Arch: "amd64"}
	selection, err := b.client().Resolve(t.Context(), r)
	must(t, err)
	if got := selection.Target.Digests().Primary().Hex(); got == digest || got != selection.Artifact.Digests[0].Hex() {
		t.Errorf("expected the promise of %s, found %s", selection.Artifact.Digests[0].Hex(), got)
	}
}

// Whoever waited for another one's transfer finds the bytes there.
func TestWaitingForATransferIsEnough(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	_, err := b.client().Resolve(t.Context(), request(t, "hello")) // the documents are held
	must(t, err)
	b.server.ResetCounters()
	hold := b.server.Hold("hello_1.5.0_linux_amd64")
	inParallel(2, func(i int) {
		if i == 1 {
			<-hold.Reached
			time.AfterFunc(500*time.Millisecond, hold.Release)
		}
		if _, err := b.get("hello"); err != nil {
			t.Error(err)
		}
	})
	moved := 0
	for _, path := range b.server.Requests() {
		if strings.Contains(path, "hello_1.5.0_linux_amd64") {
			moved++
		}
	}
	if moved != 1 {
		t.Errorf("expected one transfer, found %d", moved)
	}
}

// A repository of another program, with a catalog.json of its own, must not get
// in the way of the others, nor of a target named by its path.
func TestForeignCatalogIsNone(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	other := newBench(t, testrepo.Options{})
	must(t, other.repo.AddTarget("catalog.json", []byte(`{"things": []}`)))
	must(t, other.repo.AddTarget("hello/1.4.2/x", []byte("x")))
	must(t, other.repo.Publish())
	b.more = []*fetch.Repository{other.repository("beta")}
	b.mustGet("hello")
	if _, err := b.client().SelectTarget(t.Context(), "beta", "hello/1.4.2/x"); err != nil {
		t.Error(err)
	}
	// One that claims to be ours is read strictly.
	must(t, other.repo.AddTarget("catalog.json", []byte(`{"schema": "assay.catalog/v1", "products": 1}`)))
	must(t, other.repo.Publish())
	b.more = []*fetch.Repository{other.repository("beta")}
	b.refuses("hello", release.ErrMalformed)
}

func TestDocumentsThatNameWhatNobodyPromises(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"channel": "channel-hotfix/hello.json", "manifest": "hello/1.5.0/release.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			for _, role := range b.repo.Roles() {
				_ = b.repo.RemoveTarget(path, role) // only one of them has it
			}
			if _, still := b.repo.Target(path); still {
				t.Fatal("the target is still promised")
			}
			must(t, b.repo.Publish())
			b.refuses("hello", trust.ErrManifest)
		})
	}
}
