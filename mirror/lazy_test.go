package mirror_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/storage"
	"assay/trust"
	"assay/trust/policy"
)

// count counts the requests for what has a text in its path.
func (r *region) asked(part string) (n int) {
	for _, request := range r.server.Requests() {
		if strings.Contains(request, part) {
			n++
		}
	}
	return n
}

func TestLazyMirrorFetchesOnceForMany(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.AddLarge("large/file", 4<<20, 7))
	must(t, r.repo.Publish())
	r.settings.Mode = mirror.Lazy
	r.sync(mirror.Done)
	if n := r.asked("large"); n != 0 {
		t.Fatalf("before anybody asks: expected no request for it, found %d", n)
	}
	held := r.server.Hold("large/")
	f, err := r.m.Find("acme", "targets/large/file")
	must(t, err)
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			object, err := r.m.Open(t.Context(), f)
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			object.Close()
		})
	}
	gone, cancel := context.WithCancel(t.Context())
	wait.Go(func() { // one that gives up leaves the others waiting
		if _, err := r.m.Open(gone, f); !errors.Is(err, context.Canceled) {
			t.Errorf("the one that gives up: expected %v, found %v", context.Canceled, err)
		}
	})
	for r.asked("large") == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	held.Release()
	wait.Wait()
	if n := r.asked("large"); n != 1 {
		t.Errorf("101 readers: expected one request, found %d", n)
	}
	if got, err := r.get("targets/large/file"); err != nil || artifact.DigestOf(artifact.SHA256, got) != f.Digests.Primary() {
		t.Errorf("expected the upstream's bytes, found %d others, %v", len(got), err)
	}
	r.sameAsUpstream(nil)
}

func TestLazyMirrorAfterARestart(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.settings.Mode = mirror.Lazy
	r.sync(mirror.Done)
	r.open()
	if _, err := r.get("targets/" + helloLinux); err != nil {
		t.Errorf("expected it to be fetched, found %v", err)
	}
	r.open()
	r.server.Silent()
	if _, err := r.get("targets/" + helloLinux); err != nil {
		t.Errorf("held: expected it to be served without the upstream, found %v", err)
	}
	r.refused("targets/"+helloWindows, mirror.ErrAbsent)
}

func TestLazyMirrorServesNothingUnproven(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.settings.Mode = mirror.Lazy
	r.sync(mirror.Done)
	r.server.FlipByte(".tar.gz")
	r.refused("targets/"+helloLinux, mirror.ErrAbsent)
	asked := r.asked(".tar.gz")
	r.refused("targets/"+helloLinux, mirror.ErrAbsent) // a failure answers those who come next
	if n := r.asked(".tar.gz"); n != asked {
		t.Errorf("right after a failure: expected no further request, found %d", n-asked)
	}
	data, _ := r.repo.Target(helloLinux)
	if _, err := r.folder.Stat(t.Context(), artifact.DigestOf(artifact.SHA256, data)); !errors.Is(err, storage.ErrMissing) {
		t.Errorf("storage: expected nothing of it, found %v", err)
	}
	r.server.Clear()
	r.now = r.now.Add(6 * time.Second)
	if _, err := r.get("targets/" + helloLinux); err != nil {
		t.Errorf("healed: expected it to be served, found %v", err)
	}
}

func TestLazyMirrorEvictsWhatWasNotAskedFor(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	for _, name := range []string{"large/a", "large/b", "large/c"} {
		must(t, r.repo.AddLarge(name, 1<<20, uint64(name[6])))
	}
	must(t, r.repo.Publish())
	r.settings.Mode = mirror.Lazy
	r.sync(mirror.Done)
	st, err := r.m.Storage(t.Context())
	must(t, err)
	r.quota = st.Used + 5<<19
	r.open()
	r.sync(mirror.Done)
	for _, name := range []string{"large/a", "large/b", "large/a", "large/c"} {
		if _, err := r.get("targets/" + name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	r.server.ResetCounters()
	if _, err := r.get("targets/large/a"); err != nil || r.asked("large") != 0 {
		t.Errorf("asked for lately: expected it to be held, found %v after %d requests", err, r.asked("large"))
	}
	if _, err := r.get("targets/large/b"); err != nil || r.asked("large") != 1 {
		t.Errorf("asked for longest ago: expected it to be fetched again, found %v after %d requests", err, r.asked("large"))
	}
	st, err = r.m.Storage(t.Context())
	must(t, err)
	if st.Used > r.quota {
		t.Errorf("expected at most %d bytes, found %d", r.quota, st.Used)
	}
}

func TestScrubFindsDamageAndHealsIt(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	for _, name := range []string{"targets/" + helloLinux, "timestamp.json", "1.root.json"} {
		f, err := r.m.Find("acme", name)
		must(t, err)
		blob, err := r.folder.Cache().Get(f.Digests.Primary())
		must(t, err)
		must(t, os.Chmod(blob.Path(), 0o600))
		file, err := os.OpenFile(blob.Path(), os.O_WRONLY, 0)
		must(t, err)
		_, err = file.WriteAt([]byte{0xff}, 3)
		must(t, errors.Join(err, file.Close()))
	}
	damaged, err := r.m.ScrubNow(t.Context(), 0)
	if err != nil || damaged != 3 {
		t.Errorf("scrub: expected 3 damaged objects, found %d, %v", damaged, err)
	}
	r.sameAsUpstream(nil)
	st, err := r.m.Storage(t.Context())
	must(t, err)
	if st.Scrub.Damaged != 3 || st.Scrub.Healed != 3 || st.Scrub.Ended.IsZero() {
		t.Errorf("scrub: expected all to be healed, found %+v", st.Scrub)
	}
}

func TestHeldByHand(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	must(t, r.m.Hold(t.Context(), "acme", helloLinux, "looks odd"))
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
	r.refused(r.hashed(helloLinux), mirror.ErrQuarantined)
	run := r.sync(mirror.Partial)
	if !errors.Is(run.Err, mirror.ErrQuarantined) || run.Targets.Quarantined != 1 {
		t.Errorf("expected one in quarantine, found %v, %+v", run.Err, run.Targets)
	}
	if err := r.m.Hold(t.Context(), "acme", "no/such", "x"); !errors.Is(err, mirror.ErrNoFile) {
		t.Errorf("hold of nothing: expected %v, found %v", mirror.ErrNoFile, err)
	}
	must(t, r.m.Release(t.Context(), "acme", helloLinux))
	if err := r.m.Release(t.Context(), "acme", helloLinux); !errors.Is(err, mirror.ErrNoFile) {
		t.Errorf("release twice: expected %v, found %v", mirror.ErrNoFile, err)
	}
	r.sync(mirror.Done)
	r.sameAsUpstream(nil)
}

func TestPolicyKeepsArtifactsOut(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	r.policy, r.rules = "signed", []policy.Rule{{Require: []policy.Kind{policy.KindSignature}}}
	r.open()
	run := r.sync(mirror.Partial)
	if !errors.Is(run.Err, mirror.ErrRefused) || !errors.Is(run.Err, policy.ErrRefused) {
		t.Errorf("expected the policy to refuse, found %v", run.Err)
	}
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
	if _, err := r.get("targets/hello/1.5.0/release.json"); err != nil {
		t.Errorf("the manifest: expected it to be served, found %v", err)
	}
	must(t, r.m.Release(t.Context(), "acme", helloLinux))
	r.sync(mirror.Partial) // judged again, refused again
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
	r.policy, r.rules = "", nil
	r.open()
	r.sync(mirror.Done)
	r.sameAsUpstream(nil)
}

func TestOlderMetadataIsNotPublishedWhereTheMemoryWasLost(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	r.close()
	must(t, os.RemoveAll(r.dir+"/state"))
	r.server.ServeGeneration(1)
	r.open()
	if run := r.sync(mirror.Failed); !errors.Is(run.Err, trust.ErrRollback) {
		t.Errorf("expected %v, found %v", trust.ErrRollback, run.Err)
	}
	r.server.ServeGeneration(r.repo.Generation())
	r.sync(mirror.Done)
}

func TestSecondMirrorOnOneFolderStops(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.open()
	if _, err := storage.Open(r.dir+"/storage", storage.Options{}); !errors.Is(err, storage.ErrInUse) {
		t.Errorf("expected %v, found %v", storage.ErrInUse, err)
	}
}

func TestUpstreamFailover(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	second, err := testrepo.Serve(r.repo)
	must(t, err)
	defer second.Close()
	r.urls = []string{r.server.URL, second.URL}
	r.sync(mirror.Done)
	must(t, r.repo.AddTarget("new/file", []byte("new")))
	must(t, r.repo.Publish())
	r.server.Silent()
	r.sync(mirror.Done)
	r.sameAsUpstream(nil)
}

func TestOtherSettingsWhileItServes(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	r.settings.Mode, r.settings.Filter = mirror.Filtered, mirror.Filter{Products: []string{"ferry"}}
	must(t, r.m.Configure(t.Context(), r.config()))
	if _, err := r.get("targets/" + helloLinux); err != nil {
		t.Errorf("until the next run: expected it to be served, found %v", err)
	}
	r.sync(mirror.Done)
	r.refused("targets/"+helloLinux, mirror.ErrNotCarried)
	bad := r.config()
	bad.Repositories[0].Settings.Every = 0
	if err := r.m.Configure(t.Context(), bad); err == nil {
		t.Error("settings that can't be: expected an error")
	}
	r.sync(mirror.Done)
}
