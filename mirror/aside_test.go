package mirror_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/mirror"
	"assay/trust/policy"
)

// TestHeldBytesStayAside: what a person has put aside is not served by its old name
// either, once the publisher has replaced it, nor while that is not published yet.
func TestHeldBytesStayAside(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	must(t, r.repo.AddTarget("file", []byte("bad")))
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	old := r.hashed("file")
	must(t, r.m.Hold(t.Context(), "acme", "file", "it is bad"))
	r.refused(old, mirror.ErrQuarantined)
	must(t, r.repo.AddTarget("file", []byte("good")))
	must(t, r.repo.Publish())
	r.server.Status(r.hashed("file"), 404)
	for range 9 { // a run that fails at its end
		must(t, r.repo.AddTarget(strings.Repeat("gone", r.repo.Generation()), []byte("x")))
		must(t, r.repo.Publish())
	}
	r.server.Status("gone", 500)
	if run := r.sync(mirror.Failed); !errors.Is(run.Err, mirror.ErrUpstream) {
		t.Errorf("expected %v, found %v", mirror.ErrUpstream, run.Err)
	}
	r.refused(old, mirror.ErrQuarantined)
	r.server.Clear()
	r.sync(mirror.Done)
	r.refused(old, mirror.ErrNoFile)
	if got, err := r.get("targets/file"); err != nil || string(got) != "good" {
		t.Errorf("the new one: expected it to be served, found %q, %v", got, err)
	}
	r.open()
	r.refused(old, mirror.ErrNoFile)
	r.now = r.now.Add(25 * time.Hour) // nobody follows the old timestamp any more
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	must(t, r.repo.Publish())
	r.sync(mirror.Done)
	if held, _ := r.m.Quarantine("acme"); len(held) != 0 {
		t.Errorf("expected nothing in quarantine in the end, found %+v", held)
	}
	r.refused(old, mirror.ErrNoFile)
}

// TestHeldBytesStayAsideWhereARunEnds: a run that settled and could not publish leaves
// what is served as it was, with what is aside.
func TestHeldBytesStayAsideWhereARunEnds(t *testing.T) {
	x := newBench(t, t.TempDir())
	must(t, x.open(0, false))
	x.sync()
	must(t, x.m.Hold(t.Context(), "acme", "replaced", "it is bad"))
	f := func() error { _, err := x.m.Find("acme", "targets/replaced"); return err }
	for n := int64(1); n < 200; n++ {
		if n == 1 {
			must(t, x.b.change())
		}
		x.disk.left.Store(n)
		run := x.sync()
		if x.disk.fired.Swap(nil) == nil {
			if n < 10 || run.Outcome != mirror.Done {
				t.Errorf("the last: expected a run without a fault, found %+v", run)
			}
			break
		}
		if err := f(); !errors.Is(err, mirror.ErrQuarantined) {
			t.Fatalf("call %d: expected %v, found %v", n, mirror.ErrQuarantined, err)
		}
	}
	must(t, f()) // other bytes by now
}

// TestStricterPolicyHoldsForWhatIsThere: in a lazy mirror, too, and where the proof does
// not come.
func TestStricterPolicyHoldsForWhatIsThere(t *testing.T) {
	signed := []policy.Rule{{Require: []policy.Kind{policy.KindSignature}}}
	for _, mode := range []mirror.Mode{mirror.Lazy, mirror.Full} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRegion(t, testrepo.Options{})
			r.settings.Mode = mode
			r.sync(mirror.Done)
			if _, err := r.get("targets/" + helloLinux); err != nil {
				t.Fatal(err)
			}
			r.policy, r.rules = "signed", signed
			r.open()
			run := r.sync(mirror.Partial)
			if !errors.Is(run.Err, policy.ErrRefused) {
				t.Errorf("expected %v, found %v", policy.ErrRefused, run.Err)
			}
			r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
			r.sync(mirror.Partial)
			r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
			r.policy, r.rules = "", nil
			r.open()
			r.sync(mirror.Done)
			r.sameAsUpstream(nil)
		})
	}
}

// TestUnjudgedBytesAreNotServed: bytes that came into the storage another way than
// through the policy are judged before they are published.
func TestUnjudgedBytesAreNotServed(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.policy, r.rules = "signed", []policy.Rule{{Require: []policy.Kind{policy.KindSignature}}}
	r.sync(mirror.Partial)
	must(t, r.repo.AddRelease(testrepo.Release{Product: "hello", Version: "1.6.0", Channel: "stable"}))
	must(t, r.repo.Publish())
	const path = "hello/1.6.0/hello_1.6.0_linux_amd64.tar.gz"
	data, _ := r.repo.Target(path)
	_, err := r.folder.Put(t.Context(), data) // as for a repository whose policy takes it
	must(t, err)
	r.sync(mirror.Partial)
	r.refused("targets/"+path, mirror.ErrQuarantined)
	if held, _ := r.m.Quarantine("acme"); !slices.ContainsFunc(held, func(q mirror.Quarantined) bool {
		return q.Path == path && q.Digest == artifact.DigestOf(artifact.SHA256, data) && !q.Retry
	}) {
		t.Errorf("expected it in quarantine by the policy, found %+v", held)
	}
}
