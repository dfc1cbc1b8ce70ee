package mirror_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/storage"
	"assay/trust"
)

// snapshotOf is all that is served of the publisher's newest generation, byte for byte.
func (r *region) snapshotOf() map[string]string {
	r.t.Helper()
	served := map[string]string{}
	for name := range r.repo.Files(0) {
		if data, err := r.get(name); err == nil {
			served[name] = string(data)
		}
	}
	if len(served) == 0 {
		r.t.Fatal("expected something to be served, found nothing")
	}
	return served
}

// stillServes expects what was served to be served byte for byte.
func (r *region) stillServes(before map[string]string) {
	r.t.Helper()
	for name, want := range before {
		if got, err := r.get(name); err != nil || string(got) != want {
			r.t.Errorf("%s: expected the %d bytes of before, found %d, %v", name, len(want), len(got), err)
		}
	}
}

// holdsNot expects the storage to have no object of some bytes.
func (r *region) holdsNot(data []byte) {
	r.t.Helper()
	if _, err := r.folder.Stat(r.t.Context(), artifact.DigestOf(artifact.SHA256, data)); !errors.Is(err, storage.ErrMissing) {
		r.t.Errorf("storage: expected nothing of %.40q, found %v", data, err)
	}
}

// TestHostileMetadata: whatever an upstream does with its metadata ends the run with
// the reason, and changes nothing.
func TestHostileMetadata(t *testing.T) {
	junk := []byte(`{"signed":{"_type":"snapshot"},"signatures":[]}`)
	faults := []struct {
		name string
		do   func(r *region)
		want error
	}{
		{"freeze", func(r *region) { r.server.ServeGeneration(2); r.now = r.now.Add(25 * time.Hour) }, trust.ErrExpired},
		{"rollback", func(r *region) { r.server.ServeGeneration(1) }, trust.ErrRollback},
		{"longer timestamp", func(r *region) { r.server.Endless("timestamp.json") }, trust.ErrTooLarge},
		{"longer snapshot", func(r *region) { r.server.Endless("snapshot.json") }, trust.ErrMismatch},
		{"another snapshot", func(r *region) { r.server.Replace("snapshot.json", junk) }, trust.ErrMismatch},
		{"shorter snapshot", func(r *region) { r.server.Truncate("snapshot.json") }, trust.ErrMismatch},
		{"more of a snapshot", func(r *region) { r.server.Extend("snapshot.json") }, trust.ErrMismatch},
		{"altered targets", func(r *region) { r.server.FlipByte("targets.json") }, trust.ErrMismatch},
		{"wrong length", func(r *region) { r.server.WrongLength("targets.json") }, wire.ErrSource},
		{"drip", func(r *region) { r.server.Drip("targets.json", 1) }, trust.ErrNoAnswer},
		{"reset", func(r *region) { r.server.Cut("snapshot.json", 10) }, wire.ErrSource},
		{"delegated role gone", func(r *region) { r.server.Status("2.hello.json", 404) }, trust.ErrNoMetadata},
		{"delegated role altered", func(r *region) { r.server.FlipByte("2.hello.json") }, trust.ErrMismatch},
		{"gzip bomb", func(r *region) { r.server.Gzip("timestamp.json") }, wire.ErrSource},
		{"redirects", func(r *region) { r.server.RedirectLoop("timestamp.json") }, wire.ErrSource},
		{"the clock jumps back", func(r *region) { r.now = r.now.Add(-2 * time.Hour) }, trust.ErrClock},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, testrepo.Options{})
			r.engine = wire.Options{Pause: time.Millisecond, Retries: -1, Answer: time.Second, Idle: time.Second, Document: time.Second}
			must(t, r.repo.AddTarget("first", []byte("first")))
			must(t, r.repo.Publish())
			r.sync(mirror.Done)
			before := r.snapshotOf()
			must(t, r.repo.AddTarget("second", []byte("second")))
			must(t, r.repo.AddTarget("hello/1.5.0/more", []byte("of hello"), "hello"))
			must(t, r.repo.Publish())
			clock := r.now
			f.do(r)
			run := r.sync(mirror.Failed)
			if !errors.Is(run.Err, f.want) {
				t.Errorf("expected %v, found %v", f.want, run.Err)
			}
			if run.Changed || run.Reason == "" || run.Generation != 1 {
				t.Errorf("expected a reason and no change, found %+v", run)
			}
			r.holdsNot([]byte("second"))
			if f.name == "freeze" {
				r.refused("timestamp.json", mirror.ErrExpired)
				r.now = clock
			}
			r.stillServes(before)
			r.server.Clear()
			r.server.Thaw()
			r.now = clock
			r.sync(mirror.Done)
			r.sameAsUpstream(nil)
		})
	}
}

// TestMixedSnapshot: files of two generations at once are never published together.
func TestMixedSnapshot(t *testing.T) {
	r := newRegion(t, testrepo.Options{PlainSnapshots: true})
	must(t, r.repo.AddTarget("file", []byte("one")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	before := r.snapshotOf()
	old := r.repo.Files(0)
	for _, name := range []string{"snapshot.json", "targets.json", "targets/file"} {
		must(t, r.repo.AddTarget("file", []byte("two "+name)))
		must(t, r.repo.Publish())
		r.server.Replace("/"+name, old[name])
		want, outcome := trust.ErrMismatch, mirror.Failed
		if name == "targets/file" {
			want, outcome = cache.ErrMismatch, mirror.Partial
		}
		if run := r.sync(outcome); !errors.Is(run.Err, want) {
			t.Errorf("%s of before: expected %v, found %v", name, want, run.Err)
		}
		if outcome == mirror.Failed {
			r.stillServes(before)
		} else {
			r.refused("targets/file", mirror.ErrQuarantined)
		}
		r.server.Clear()
		r.sync(mirror.Done)
		r.sameAsUpstream(nil)
		before, old = r.snapshotOf(), r.repo.Files(0)
	}
}

// TestUpstreamPublishesMeanwhile: what does not fit together at first does in the
// second try of the same run.
func TestUpstreamPublishesMeanwhile(t *testing.T) {
	for name, plain := range map[string]bool{"plain": true, "consistent": false} {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, testrepo.Options{PlainSnapshots: plain})
			r.sync(mirror.Done)
			must(t, r.repo.AddTarget("file", []byte("of the first")))
			must(t, r.repo.AddTarget("large", []byte(strings.Repeat("first", 100))))
			must(t, r.repo.Publish())
			held := r.server.Hold("large")
			runs := make(chan mirror.Run)
			go func() { runs <- r.sync(mirror.Done) }()
			<-held.Reached
			must(t, r.repo.AddTarget("large", []byte(strings.Repeat("other", 100))))
			must(t, r.repo.AddTarget("file", []byte("of the second")))
			must(t, r.repo.Publish())
			if plain {
				// What is under way is of the first, and ends as such: the next request is wrong.
				must(t, r.repo.AddTarget("large", []byte(strings.Repeat("third", 100))))
				must(t, r.repo.Publish())
			}
			held.Release()
			if run := <-runs; !run.Changed {
				t.Errorf("expected a new generation, found %+v", run)
			}
			r.server.Clear()
			r.sync(mirror.Done)
			r.sameAsUpstream(nil)
		})
	}
}

// TestOneTargetFails: the others are published; what failed is asked for again.
func TestOneTargetFails(t *testing.T) {
	faults := []struct {
		name        string
		do          func(r *region)
		want        error
		served      error // of the target, while the upstream is so
		quarantined bool
	}{
		{"404", func(r *region) { r.server.Status("bad/", 404) }, wire.ErrSource, mirror.ErrQuarantined, true},
		{"500", func(r *region) { r.server.Status("bad/", 500) }, wire.ErrSource, mirror.ErrAbsent, false},
		{"shorter", func(r *region) { r.server.Truncate("bad/") }, cache.ErrMismatch, mirror.ErrQuarantined, true},
		{"longer", func(r *region) { r.server.Extend("bad/") }, cache.ErrMismatch, mirror.ErrQuarantined, true},
		{"endless", func(r *region) { r.server.Endless("bad/") }, cache.ErrMismatch, mirror.ErrQuarantined, true},
		{"altered", func(r *region) { r.server.FlipByte("bad/") }, cache.ErrMismatch, mirror.ErrQuarantined, true},
		{"another", func(r *region) { r.server.Replace("bad/", []byte("what was not promised")) }, cache.ErrMismatch, mirror.ErrQuarantined, true},
		{"reset", func(r *region) { r.server.Cut("bad/", 4) }, wire.ErrSource, mirror.ErrAbsent, false},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, testrepo.Options{Algorithms: []artifact.Algorithm{artifact.SHA256, artifact.SHA512}})
			r.sync(mirror.Done)
			before := r.snapshotOf()
			promised := []byte("what was promised!!!!")
			must(t, r.repo.AddTarget("bad/file", promised))
			must(t, r.repo.AddTarget("good/file", []byte("good")))
			must(t, r.repo.Publish())
			f.do(r)
			run := r.sync(mirror.Partial)
			if !errors.Is(run.Err, mirror.ErrIncomplete) || !errors.Is(run.Err, f.want) {
				t.Errorf("expected %v, found %v", f.want, run.Err)
			}
			if len(run.Faults) != 1 || run.Faults[0].Path != "bad/file" || !run.Faults[0].Retry || run.Faults[0].Quarantined != f.quarantined {
				t.Errorf("expected one fault, quarantined=%v, to be tried again, found %+v", f.quarantined, run.Faults)
			}
			if _, err := r.get("targets/bad/file"); !errors.Is(err, f.served) {
				t.Errorf("expected %v, found %v", f.served, err)
			}
			r.holdsNot(promised)
			r.holdsNot([]byte("what was not promised"))
			for name, data := range before { // metadata is replaced, targets are not
				if got, err := r.get(name); strings.HasPrefix(name, "targets/") && (err != nil || string(got) != data) {
					t.Errorf("%s: expected what was served before, found %v", name, err)
				}
			}
			r.sameAsUpstream(func(name string) bool { return strings.Contains(name, "bad/") })
			r.sync(mirror.Partial) // still so
			r.server.Clear()
			r.sync(mirror.Done)
			r.sameAsUpstream(nil)
			if held, _ := r.m.Quarantine("acme"); len(held) != 0 {
				t.Errorf("quarantine: expected it to heal, found %+v", held)
			}
		})
	}
}

// TestWrongDocuments: a document whose bytes are wrong is put aside, what it decides
// about new files is not taken on trust, and the next run heals all.
func TestWrongDocuments(t *testing.T) {
	for _, path := range []string{"hello/1.6.0/release.json", "channel-stable/hello.json", "catalog.json"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, testrepo.Options{})
			r.sync(mirror.Done)
			must(t, r.repo.AddRelease(testrepo.Release{Product: "hello", Version: "1.6.0", Channel: "stable"}))
			must(t, r.repo.AddProduct("third", "Is new in the catalog", "stable"))
			must(t, r.repo.Publish())
			part := artifactOf(r, path).Hex() + "." + path[strings.LastIndexByte(path, '/')+1:]
			r.server.FlipByte(part)
			run := r.sync(mirror.Partial)
			if !errors.Is(run.Err, cache.ErrMismatch) {
				t.Errorf("expected %v, found %v", cache.ErrMismatch, run.Err)
			}
			r.refused("targets/"+path, mirror.ErrQuarantined)
			if strings.HasPrefix(path, "hello/") {
				data, _ := r.repo.Target("hello/1.6.0/hello_1.6.0_linux_amd64.tar.gz")
				r.holdsNot(data)
				r.refused("targets/hello/1.6.0/hello_1.6.0_linux_amd64.tar.gz", mirror.ErrQuarantined)
			}
			r.sync(mirror.Partial)
			r.server.Clear()
			r.sync(mirror.Done)
			r.sameAsUpstream(nil)
		})
	}
}

func artifactOf(r *region, path string) artifact.Digest {
	data, ok := r.repo.Target(path)
	if !ok {
		r.t.Fatalf("no target %s", path)
	}
	return artifact.DigestOf(artifact.SHA256, data)
}

// TestManifestThatDoesNotDecode: nobody knows what is an artifact beside it, nor can it
// be judged, so nothing of the release is served, in each run, until it is mended.
func TestManifestThatDoesNotDecode(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	others := r.snapshotOf()
	maps.DeleteFunc(others, func(name, _ string) bool { return !strings.HasPrefix(name, "targets/hello/1.4.2/hello") })
	good, _ := r.repo.Target("hello/1.5.0/release.json")
	must(t, r.repo.AddTarget("hello/1.5.0/release.json", []byte("{"), "hello"))
	must(t, r.repo.AddTarget("hello/1.5.0/more", []byte("of hello"), "hello"))
	must(t, r.repo.Publish())
	for i := range 3 {
		run := r.sync(mirror.Partial)
		told := slices.ContainsFunc(run.Faults, func(f mirror.Fault) bool { return f.Path == "hello/1.5.0/release.json" })
		if !errors.Is(run.Err, mirror.ErrIncomplete) || !told {
			t.Errorf("expected the manifest to be told of, found %v, %+v", run.Err, run.Faults)
		}
		r.stillServes(others)
		r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
		r.refused("targets/hello/1.5.0/more", mirror.ErrQuarantined)
		if i == 1 {
			r.open()
		}
	}
	must(t, r.repo.AddTarget("hello/1.5.0/release.json", good, "hello"))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	r.sameAsUpstream(nil)
}

// TestTargetWithoutSHA256: what is promised by SHA-512 alone is kept and found by it.
func TestTargetWithoutSHA256(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.repo.SetAlgorithms(artifact.SHA512)
	must(t, r.repo.AddTarget("long", []byte("long")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	digest := artifact.DigestOf(artifact.SHA512, []byte("long"))
	for _, name := range []string{"targets/long", "targets/" + digest.Hex() + ".long"} {
		if got, err := r.get(name); err != nil || string(got) != "long" {
			t.Errorf("%s: expected its bytes, found %q, %v", name, got, err)
		}
	}
	r.refused("targets/"+artifact.DigestOf(artifact.SHA256, []byte("long")).Hex()+".long", mirror.ErrNoFile)
	if run := r.sync(mirror.Done); run.Changed || run.Fetched != 0 {
		t.Errorf("expected nothing to be fetched again, found %+v", run)
	}
	must(t, r.repo.AddTarget("long", []byte("other")))
	must(t, r.repo.Publish())
	r.server.FlipByte(".long")
	r.sync(mirror.Partial)
	r.refused("targets/long", mirror.ErrQuarantined)
}
