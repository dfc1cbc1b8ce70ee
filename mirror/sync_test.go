package mirror_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/trust"
)

const (
	helloLinux   = "hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz"
	helloWindows = "hello/1.5.0/hello_1.5.0_windows_amd64.zip"
)

func TestFullMirrorServesEveryFile(t *testing.T) {
	for _, plain := range []bool{false, true} {
		name := "consistent"
		if plain {
			name = "plain"
		}
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, testrepo.Options{PlainSnapshots: plain})
			run := r.sync(mirror.Done)
			if !run.Changed || run.Generation != 1 || run.Fetched == 0 {
				t.Errorf("the first run: expected generation 1, found %+v", run)
			}
			if n := r.sameAsUpstream(nil); n < 20 {
				t.Errorf("expected dozens of files, found %d", n)
			}
			st, err := r.m.Status("acme")
			must(t, err)
			if st.State != mirror.Fresh || !st.Serving || st.Targets.Missing != 0 || st.Targets.Held != st.Targets.Promised || st.Targets.Bytes == 0 {
				t.Errorf("status: expected all to be held, found %+v", st)
			}
			must(t, r.m.Ready())
			if _, err := r.m.Find("other", "timestamp.json"); !errors.Is(err, mirror.ErrNoRepository) {
				t.Errorf("another repository: expected %v, found %v", mirror.ErrNoRepository, err)
			}
			r.refused("targets/nothing", mirror.ErrNoFile)
			r.refused("7.root.json", mirror.ErrNoFile)
		})
	}
}

func TestSecondSyncAsksLittle(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	r.server.ResetCounters()
	if run := r.sync(mirror.Done); run.Changed || run.Fetched != 0 {
		t.Errorf("nothing new: expected nothing to change, found %+v", run)
	}
	if asked := r.server.Requests(); len(asked) != 2 {
		t.Errorf("nothing new: expected 2 requests (root, timestamp), found %q", asked)
	}
	must(t, r.repo.AddTarget("new/file", []byte("new")))
	must(t, r.repo.Publish())
	r.server.ResetCounters()
	if run := r.sync(mirror.Done); !run.Changed || run.Fetched != 1 {
		t.Errorf("a new target: expected it to be fetched, found %+v", run)
	}
	if asked := r.server.Requests(); len(asked) != 5 {
		t.Errorf("a new target: expected 5 requests (root, timestamp, snapshot, targets, it), found %q", asked)
	}
	r.sameAsUpstream(nil)
}

func TestRestartServesWithoutARequest(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	r.server.Silent()
	r.open()
	if n := r.sameAsUpstream(nil); n == 0 {
		t.Error("expected files to be served after a restart")
	}
	if st, _ := r.m.Status("acme"); st.Generation != 1 || st.Targets.Missing != 0 {
		t.Errorf("status after a restart: found %+v", st)
	}
}

func TestFailedRunKeepsWhatIsServed(t *testing.T) {
	faults := []struct {
		name   string
		break_ func(r *region)
		want   error
	}{
		{"silent", func(r *region) { r.server.Silent() }, trust.ErrNoAnswer},
		{"rollback", func(r *region) { r.server.ServeGeneration(1) }, trust.ErrRollback},
		{"html", func(r *region) { r.server.HTML() }, nil},
		{"vanished targets", func(r *region) { r.server.Status("targets.json", 404) }, trust.ErrNoMetadata},
		{"vanished snapshot", func(r *region) { r.server.Status("snapshot.json", 500) }, nil},
		{"gone between timestamp and targets", func(r *region) { r.server.Cut("targets/", 0) }, mirror.ErrUpstream},
		{"expired", func(r *region) { r.now = r.now.Add(48 * time.Hour) }, trust.ErrExpired},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			r := newRegion(t, testrepo.Options{})
			must(t, r.repo.AddTarget("first", []byte("first")))
			must(t, r.repo.Publish())
			r.sync(mirror.Done)
			before, err := r.get("timestamp.json")
			must(t, err)
			for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
				must(t, r.repo.AddTarget("more/"+name, []byte(name)))
			}
			must(t, r.repo.Publish())
			f.break_(r)
			run := r.sync(mirror.Failed)
			if f.want != nil && !errors.Is(run.Err, f.want) {
				t.Errorf("expected %v, found %v", f.want, run.Err)
			}
			if run.Changed || run.Reason == "" {
				t.Errorf("expected a reason and no change, found %+v", run)
			}
			if f.name == "expired" {
				r.refused("timestamp.json", mirror.ErrExpired)
				if err := r.m.Ready(); !errors.Is(err, mirror.ErrExpired) {
					t.Errorf("ready: expected %v, found %v", mirror.ErrExpired, err)
				}
				return
			}
			after, err := r.get("timestamp.json")
			must(t, err)
			if string(after) != string(before) {
				t.Error("expected the old timestamp, found another")
			}
			if _, err := r.get(r.hashed("first")); err != nil {
				t.Errorf("an old target: expected it to be served, found %v", err)
			}
			r.refused("targets/more/a", mirror.ErrNoFile)
		})
	}
}

func TestExpiredIsServedWhereTheSettingsSaySo(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.settings.ServeExpired = true
	r.sync(mirror.Done)
	r.now = r.now.Add(48 * time.Hour)
	if _, err := r.get("timestamp.json"); err != nil {
		t.Errorf("expected it to be served, found %v", err)
	}
	if st, _ := r.m.Status("acme"); st.State != mirror.Expired || !st.Serving {
		t.Errorf("status: expected expired and serving, found %+v", st)
	}
}

func TestOneBadTargetIsPutAside(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.AddTarget("good/file", []byte("good")))
	must(t, r.repo.AddTarget("bad/file", []byte("what was promised")))
	must(t, r.repo.Publish())
	r.server.FlipByte("bad/")
	run := r.sync(mirror.Partial)
	if !errors.Is(run.Err, cache.ErrMismatch) || !errors.Is(run.Err, mirror.ErrIncomplete) || len(run.Faults) != 1 || !run.Faults[0].Quarantined {
		t.Fatalf("expected one target in quarantine by its digest, found %v %+v", run.Err, run.Faults)
	}
	if n := r.asked("bad/"); n != 2 || run.Generation != 1 {
		t.Errorf("expected it to be asked for again before anything was published, found %d requests and generation %d", n, run.Generation)
	}
	r.refused("targets/bad/file", mirror.ErrQuarantined)
	r.sameAsUpstream(func(name string) bool { return strings.Contains(name, "bad/") })
	digest := artifact.DigestOf(artifact.SHA256, []byte("what was promised"))
	if _, err := r.m.Blob(digest); !errors.Is(err, mirror.ErrQuarantined) {
		t.Errorf("by its digest: expected %v, found %v", mirror.ErrQuarantined, err)
	}
	r.open() // the quarantine outlives the process
	r.refused("targets/bad/file", mirror.ErrQuarantined)
	r.server.Clear()
	if run := r.sync(mirror.Done); run.Fetched != 1 {
		t.Errorf("healed: expected one target to be fetched, found %+v", run)
	}
	r.sameAsUpstream(nil)
	if held, _ := r.m.Quarantine(""); len(held) != 0 {
		t.Errorf("quarantine: expected none, found %+v", held)
	}
}

func TestFilteredMirror(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	platform, err := artifact.ParsePlatform("linux/amd64")
	must(t, err)
	r.settings.Mode = mirror.Filtered
	r.settings.Filter = mirror.Filter{Products: []string{"hello"}, Channels: []string{"stable"}, Platforms: []artifact.Platform{platform}, Keep: 1}
	run := r.sync(mirror.Done)
	for _, name := range []string{"targets/catalog.json", "targets/channel-stable/hello.json", "targets/channel-hotfix/hello.json", "targets/hello/1.5.0/release.json", "targets/" + helloLinux} {
		if _, err := r.get(name); err != nil {
			t.Errorf("%s: expected it to be carried, found %v", name, err)
		}
	}
	for _, name := range []string{"targets/" + helloWindows, "targets/hello/1.4.2/release.json", "targets/hello/1.5.1/release.json", "targets/channel-stable/ferry.json", "targets/ferry/0.9.0/release.json"} {
		r.refused(name, mirror.ErrNotCarried)
	}
	if run.Targets.Carried >= run.Targets.Promised || run.Targets.Missing != 0 {
		t.Errorf("tally: expected a part of all, found %+v", run.Targets)
	}
	for name, want := range r.repo.Files(r.repo.Generation()) { // metadata is whole
		if strings.HasPrefix(name, "targets/") || strings.HasPrefix(name, "elsewhere/") {
			continue
		}
		if got, err := r.get(name); err != nil || string(got) != string(want) {
			t.Errorf("%s: expected the upstream's bytes, found %v", name, err)
		}
	}
}

func TestFilterNeedsTheReleaseLayout(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.RemoveTarget("catalog.json"))
	must(t, r.repo.Publish())
	r.settings.Mode = mirror.Filtered
	r.settings.Filter = mirror.Filter{Products: []string{"hello"}}
	if run := r.sync(mirror.Failed); !errors.Is(run.Err, mirror.ErrNoLayout) {
		t.Errorf("expected %v, found %v", mirror.ErrNoLayout, run.Err)
	}
}

func TestWhatIsReplacedStaysUntilItsTimestampExpires(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.AddTarget("file", []byte("old")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	old := r.hashed("file")
	must(t, r.repo.AddTarget("file", []byte("new")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	for name, want := range map[string]string{old: "old", r.hashed("file"): "new", "targets/file": "new"} {
		if got, err := r.get(name); err != nil || string(got) != want {
			t.Errorf("%s: expected %q, found %q, %v", name, want, got, err)
		}
	}
	if _, err := r.get("2.snapshot.json"); err != nil {
		t.Errorf("the snapshot before: expected it to be served, found %v", err)
	}
	r.now = r.now.Add(25 * time.Hour)
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	r.refused(old, mirror.ErrNoFile)
	r.refused("2.snapshot.json", mirror.ErrNoFile)
	removed, _, err := r.m.Collect(t.Context())
	must(t, err)
	if removed == 0 {
		t.Error("collect: expected what nothing leads to to go")
	}
	if _, err := r.folder.Stat(t.Context(), artifact.DigestOf(artifact.SHA256, []byte("old"))); err == nil {
		t.Error("the old target: expected it to be gone")
	}
	r.sameAsUpstream(nil)
}

func TestQuotaIsReservedFirst(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	st, err := r.m.Storage(t.Context())
	must(t, err)
	must(t, r.repo.AddLarge("large/file", 1<<20, 1))
	must(t, r.repo.Publish())
	r.quota = st.Used + 1<<19
	r.open()
	r.server.ResetCounters()
	run := r.sync(mirror.Failed)
	if !errors.Is(run.Err, mirror.ErrQuota) {
		t.Errorf("expected %v, found %v", mirror.ErrQuota, run.Err)
	}
	for _, asked := range r.server.Requests() {
		if strings.Contains(asked, "large") {
			t.Errorf("expected nothing of it to be fetched, found %q", asked)
		}
	}
	r.refused("targets/large/file", mirror.ErrNoFile)
	r.quota = 0
	r.open()
	r.sync(mirror.Done)
	r.sameAsUpstream(nil)
}

func TestCancelledRunPublishesNothing(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	must(t, r.repo.AddTarget("slow/file", []byte("slow")))
	must(t, r.repo.Publish())
	held := r.server.Hold("slow/")
	done := make(chan mirror.Run)
	go func() {
		run, _ := r.m.Sync(t.Context(), "acme")
		done <- run
	}()
	for len(r.server.Requests()) == 0 || !strings.Contains(strings.Join(r.server.Requests(), " "), "slow") {
		time.Sleep(time.Millisecond)
	}
	if found, err := r.m.Cancel("acme"); err != nil || !found {
		t.Errorf("cancel: found %v, %v", found, err)
	}
	run := <-done
	held.Release()
	if run.Outcome != mirror.Cancelled || !errors.Is(run.Err, mirror.ErrCancelled) || run.Changed {
		t.Errorf("expected a cancelled run, found %+v", run)
	}
	r.refused("targets/slow/file", mirror.ErrNoFile)
	r.server.Clear()
	r.sync(mirror.Done)
	r.sameAsUpstream(nil)
}

func TestPlanTellsBytesByProductAndChannel(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.open()
	p, err := r.m.Plan(t.Context(), "acme")
	must(t, err)
	if !p.Changed || p.Targets == 0 || p.Bytes == 0 {
		t.Errorf("plan: expected something to fetch, found %+v", p)
	}
	found := map[string]bool{}
	for _, g := range p.Fetch {
		found[g.Product+"@"+g.Channel] = g.Targets > 0 && g.Bytes > 0
	}
	if !found["hello@stable"] || !found["ferry@stable"] {
		t.Errorf("plan: expected hello and ferry in stable, found %v", found)
	}
	if _, err := r.m.Find("acme", "timestamp.json"); !errors.Is(err, mirror.ErrNotReady) {
		t.Errorf("after a plan: expected %v, found %v", mirror.ErrNotReady, err)
	}
	r.sync(mirror.Done)
	if p, err = r.m.Plan(t.Context(), "acme"); err != nil || p.Changed || p.Targets != 0 {
		t.Errorf("plan after a run: expected nothing, found %+v, %v", p, err)
	}
}
