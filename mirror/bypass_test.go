package mirror_test

import (
	"errors"
	"os"
	"testing"

	"assay/internal/testrepo"
	"assay/mirror"
	"assay/trust/policy"
)

// signedOnly is a policy that nothing of the sample fulfils.
func (r *region) signedOnly() {
	r.policy, r.rules = "signed", []policy.Rule{{Require: []policy.Kind{policy.KindSignature}}}
}

// plant has the storage hold the bytes of a target, as if another repository, with a
// policy of its own, had brought them.
func (r *region) plant(path string) {
	r.t.Helper()
	data, ok := r.repo.Target(path)
	if !ok {
		r.t.Fatalf("no target %s", path)
	}
	_, err := r.folder.Put(r.t.Context(), data)
	must(r.t, err)
}

func TestBytesOfAnotherRepositoryAreJudged(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.signedOnly()
	r.sync(mirror.Partial)
	must(t, r.repo.AddRelease(testrepo.Release{
		Product: "hello", Version: "1.6.0", Channel: "stable", Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz"}},
	}))
	must(t, r.repo.Publish())
	const added = "hello/1.6.0/hello_1.6.0_linux_amd64.tar.gz"
	r.plant(added)
	run := r.sync(mirror.Partial)
	if !errors.Is(run.Err, policy.ErrRefused) && !errors.Is(run.Err, mirror.ErrQuarantined) {
		t.Errorf("expected the policy to refuse, found %v", run.Err)
	}
	r.refused("targets/"+added, mirror.ErrQuarantined)
	r.refused(r.hashed(added), mirror.ErrQuarantined)
}

func TestLazyMirrorJudgesWhatAnotherRepositoryHolds(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.settings.Mode = mirror.Lazy
	r.signedOnly()
	r.open()
	// The same upstream once more, whole, and without a policy.
	other := &region{t: t, now: r.now, dir: t.TempDir(), repo: r.repo, upstreamURL: r.upstreamURL, engine: r.engine, folder: r.folder}
	c := r.config()
	c.Repositories = append(c.Repositories, mirror.Mirrored{
		Settings: mirror.Settings{Name: "other", Mode: mirror.Full, Every: r.settings.Every}, Upstream: other.upstream(),
	})
	must(t, r.m.Configure(t.Context(), c))
	r.sync(mirror.Done)
	if run, err := r.m.Sync(t.Context(), "other"); err != nil || run.Outcome != mirror.Done {
		t.Fatalf("the other: expected it to be done, found %v, %+v", err, run)
	}
	if _, err := r.m.Find("other", "targets/"+helloLinux); err != nil {
		t.Errorf("the other: expected it to be served, found %v", err)
	}
	if _, err := r.get("targets/" + helloLinux); !errors.Is(err, mirror.ErrRefused) || !errors.Is(err, mirror.ErrAbsent) {
		t.Errorf("bytes of another repository: expected %v, found %v", mirror.ErrRefused, err)
	}
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
}

func TestLazyMirrorJudgesAnewByANewPolicy(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.settings.Mode = mirror.Lazy
	r.sync(mirror.Done)
	if _, err := r.get("targets/" + helloLinux); err != nil {
		t.Fatalf("expected it to be served, found %v", err)
	}
	r.signedOnly()
	must(t, r.m.Configure(t.Context(), r.config()))
	if _, err := r.get("targets/" + helloLinux); !errors.Is(err, mirror.ErrRefused) {
		t.Errorf("expected the new policy to refuse, found %v", err)
	}
}

func TestReleasedTargetIsJudgedThoughItsBytesCameBack(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.signedOnly()
	r.sync(mirror.Partial)
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
	must(t, r.m.Release(t.Context(), "acme", helloLinux))
	r.plant(helloLinux)
	if _, err := r.get("targets/" + helloLinux); !errors.Is(err, mirror.ErrRefused) {
		t.Errorf("before the next run: expected %v, found %v", mirror.ErrRefused, err)
	}
	r.sync(mirror.Partial)
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
}

func TestReleasedTargetIsFetchedByTheNextRun(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	must(t, r.m.Hold(t.Context(), "acme", helloLinux, "looks odd"))
	must(t, r.m.Release(t.Context(), "acme", helloLinux))
	if st, err := r.m.Status("acme"); err != nil || st.Targets.Missing != 1 {
		t.Errorf("released: expected one to be missing, found %+v, %v", st.Targets, err)
	}
	if run := r.sync(mirror.Done); run.Fetched != 1 || run.Targets.Missing != 0 {
		t.Errorf("expected it to be fetched, found %+v", run)
	}
	r.server.Silent() // nobody asks for it in vain now
	if _, err := r.get("targets/" + helloLinux); err != nil {
		t.Errorf("expected it to be served, found %v", err)
	}
}

func TestWhatWasAsideDoesNotComeBackByItsHash(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.AddTarget("file", []byte("bad")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	must(t, r.m.Hold(t.Context(), "acme", "file", "looks odd"))
	old := r.hashed("file")
	must(t, r.repo.AddTarget("file", []byte("good")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	if got, err := r.get("targets/file"); err != nil || string(got) != "good" {
		t.Errorf("the new bytes: expected them to be served, found %q, %v", got, err)
	}
	if _, err := r.get(old); err == nil {
		t.Error("the old bytes: expected them to stay away, found them served")
	}
}

func TestFailedRunLeavesTheQuarantineOfWhatIsServed(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.AddTarget("file", []byte("bad")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	must(t, r.m.Hold(t.Context(), "acme", "file", "looks odd"))
	must(t, r.repo.AddTarget("file", []byte("good")))
	must(t, r.repo.Publish())
	// The quarantine of the new generation is written, the generation can't be.
	must(t, os.Remove(r.dir+"/storage/documents/current+acme"))
	run := r.sync(mirror.Failed)
	if run.Changed {
		t.Errorf("expected nothing to be published, found %+v", run)
	}
	r.refused("targets/file", mirror.ErrQuarantined)
}

func TestHeldByHandStaysWhileItIsNotCarried(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	must(t, r.m.Hold(t.Context(), "acme", helloLinux, "looks odd"))
	r.settings.Mode, r.settings.Filter = mirror.Filtered, mirror.Filter{Products: []string{"ferry"}}
	r.open()
	r.sync(mirror.Done)
	r.settings.Mode, r.settings.Filter = mirror.Full, mirror.Filter{}
	r.open()
	r.sync(mirror.Partial)
	r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
}

func TestRefusalNamesItsPathOnce(t *testing.T) {
	for text, want := range map[string]string{"a/b: not signed": "a/b: not signed", "not signed": "a/b: not signed"} {
		err := &mirror.RefusedError{Path: "a/b", Err: errors.New(text)}
		if err.Error() != want {
			t.Errorf("%q: expected %q, found %q", text, want, err)
		}
	}
}
