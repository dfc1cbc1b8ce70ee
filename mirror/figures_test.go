package mirror_test

import (
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/mirror"
)

// TestFilesSayWhatTheyBelongTo shows that a product and its channel are known of what
// is served, after a start, too.
func TestFilesSayWhatTheyBelongTo(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	for _, when := range []string{"published", "after a start"} {
		f, err := r.m.Find("acme", "targets/"+helloLinux)
		if err != nil || f.Product != "hello" || f.Channel != "stable" {
			t.Errorf("%s: expected hello in stable, found %q in %q, %v", when, f.Product, f.Channel, err)
		}
		if f, err = r.m.Find("acme", "targets/catalog.json"); err != nil || f.Product != "" || f.Channel != "" {
			t.Errorf("%s: a document: expected no product, found %q in %q, %v", when, f.Product, f.Channel, err)
		}
		r.open()
	}
	must(t, r.m.Hold(t.Context(), "acme", helloLinux, "odd"))
	if f, err := r.m.Find("acme", "targets/"+helloLinux); err == nil || f.Product != "hello" {
		t.Errorf("in quarantine: expected it to be said what it belongs to, found %q, %v", f.Product, err)
	}
}

// TestSinceWhenItIsGood shows since when runs go well, or don't.
func TestSinceWhenItIsGood(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.open()
	status := func() mirror.Status {
		st, err := r.m.Status("acme")
		must(t, err)
		return st
	}
	expect := func(when string, good bool, since time.Time) {
		t.Helper()
		if st := status(); st.Good != good || !st.Since.Equal(since) {
			t.Errorf("%s: expected good=%v since %s, found %v since %s", when, good, since, st.Good, st.Since)
		}
	}
	expect("before the first run", false, time.Time{})
	first := r.now
	r.sync(mirror.Done)
	expect("after it", true, first)
	r.now = r.now.Add(time.Minute)
	r.sync(mirror.Done)
	expect("after the second", true, first)
	r.server.Freeze()
	r.now = status().Expires.Add(time.Minute)
	expect("expired, and not asked yet", false, status().Expires)
	r.sync(mirror.Failed)
	expect("frozen until it has expired", false, r.now)
	if n := r.counts.Counter("assay_mirror_verification_failures_total", "repository", "acme", "kind", "expired").Value(); n != 1 {
		t.Errorf("expected one verification to have found it expired, found %d", n)
	}
}

func TestNextExpiries(t *testing.T) {
	day := func(n int) time.Time { return time.Unix(int64(n)*86400, 0) }
	list := mirror.NextExpiries([]mirror.Status{
		{Repository: "a", Roles: []mirror.RoleVersion{{Role: "root", Expires: day(9)}, {Role: "timestamp", Expires: day(3)}}},
		{Repository: "b", Roles: []mirror.RoleVersion{{Role: "timestamp", Expires: day(1)}}},
		{Repository: "empty"},
	})
	if len(list) != 3 || list[0].Repository != "b" || list[1].Role != "timestamp" || list[2].Role != "root" {
		t.Errorf("expected b, then the timestamp and the root of a, found %+v", list)
	}
}
