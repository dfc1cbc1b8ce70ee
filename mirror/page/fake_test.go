package page

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/mirror"
	"assay/mirror/counters"
)

var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fake is a mirror, and what was done to it.
type fake struct {
	statuses []mirror.Status
	aside    []mirror.Quarantined
	storage  mirror.StorageStatus
	set      counters.Set
	ready    error
	failed   error // of what is done
	hang     bool  // a run does not end
	now      time.Time

	mu    sync.Mutex
	calls []string
}

func (f *fake) Statuses() []mirror.Status { return f.statuses }

func (f *fake) Storage(context.Context) (mirror.StorageStatus, error) { return f.storage, nil }

func (f *fake) Ready() error { return f.ready }

func (f *fake) Quarantine(repository string) (list []mirror.Quarantined, err error) {
	for _, q := range f.aside {
		if repository == "" || q.Repository == repository {
			list = append(list, q)
		}
	}
	if repository != "" && len(list) == 0 {
		return nil, fmt.Errorf("%w: %q", mirror.ErrNoRepository, repository)
	}
	return list, nil
}

func (f *fake) call(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *fake) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

// token is one that counts, until it is taken back.
const token = "0123456789abcdef0123456789abcdef"

// page is a page of the mirror: with tokens, where a set of names by token is given.
func (f *fake) page(tokens map[string]string) *Page {
	c := Config{
		Mirror: f, Counters: &f.set, Now: func() time.Time { return f.now },
		Sync: func(ctx context.Context, who, repository string) error {
			f.call("sync %s by %s", repository, who)
			if f.hang {
				<-ctx.Done()
				return nil
			}
			return f.failed
		},
		Release: func(_ context.Context, who, repository, path string) error {
			f.call("release %s %s by %s", repository, path, who)
			return f.failed
		},
		Peer: func(*http.Request) string { return "user 1000" },
	}
	if tokens != nil {
		c.Token = func(hash [sha256.Size]byte) string {
			for text, name := range tokens {
				if sha256.Sum256([]byte(text)) == hash {
					return name
				}
			}
			return ""
		}
	}
	return New(c)
}

func digestOf(text string) artifact.Digest { return artifact.DigestOf(artifact.SHA256, []byte(text)) }

// healthy is a repository where all is well.
func healthy(name string) mirror.Status {
	published := today.Add(-40 * time.Minute)
	roles := []mirror.RoleVersion{
		{Role: "root", Version: 4, Expires: today.Add(300 * 24 * time.Hour)}, {Role: "timestamp", Version: 1841, Expires: published.Add(24 * time.Hour)},
		{Role: "snapshot", Version: 212, Expires: today.Add(12 * 24 * time.Hour)}, {Role: "targets", Version: 97, Expires: today.Add(80 * 24 * time.Hour)},
	}
	for i := range roles {
		roles[i].Soon = roles[i].Expires.Add(-6 * time.Hour)
	}
	return mirror.Status{
		Schema: mirror.StatusSchema, Repository: name, Mode: mirror.Full, State: mirror.Fresh, Serving: true, Generation: 1841, Published: published,
		Roles: roles, Expires: roles[1].Expires, Confirmed: today.Add(-11 * time.Minute), Next: today.Add(4 * time.Minute),
		Good: true, Since: today.Add(-19 * 24 * time.Hour), Upstream: &mirror.Answer{Asked: today.Add(-11 * time.Minute), Took: 182 * time.Millisecond, Roles: roles},
		Targets: mirror.Tally{Promised: 4310, Carried: 4310, Held: 4310, Bytes: 81_400_000_000},
		LastRun: &mirror.Run{
			Repository: name, Began: today.Add(-11 * time.Minute), Took: 3200 * time.Millisecond, Outcome: mirror.Done, Changed: true, Generation: 1841, Fetched: 12, Bytes: 73_000_000,
		},
	}
}

// sick are repositories with something wrong, each in its way.
func sick() (list []mirror.Status, aside []mirror.Quarantined) {
	partial := healthy("tools")
	partial.Mode, partial.Targets.Held, partial.Targets.Quarantined, partial.Targets.Missing = mirror.Filtered, 4307, 2, 1
	partial.Good, partial.Since = false, today.Add(-11*time.Minute)
	const wrong = "expected length 5120443 and sha256:41a9…, found other bytes: the upstream sends what was not promised"
	partial.LastRun.Outcome, partial.LastRun.Faults = mirror.Partial, []mirror.Fault{
		{Path: "hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz", Reason: wrong, Quarantined: true, Retry: true},
		{Path: "kite/2.0.1/kite_2.0.1_darwin_arm64.tar.gz", Reason: "no answer within 30s from https://tuf.tools.example", Retry: true},
	}
	aside = []mirror.Quarantined{
		{Repository: "tools", Path: "hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz", Digest: digestOf("a"), Reason: wrong, Since: today.Add(-11 * time.Minute), Retry: true},
		{Repository: "tools", Path: "kite/1.9.0/kite_1.9.0_linux_amd64.tar.gz", Digest: digestOf("b"), Reason: "looks odd, asked the publisher", Since: today.Add(-26 * time.Hour), ByHand: true},
	}
	expired := healthy("frozen")
	expired.State, expired.Serving, expired.Good, expired.Since = mirror.Expired, false, false, today.Add(-3*time.Hour)
	expired.Roles = []mirror.RoleVersion{expired.Roles[0], {Role: "timestamp", Version: 77, Expires: today.Add(-3 * time.Hour)}}
	expired.Expires = expired.Roles[1].Expires
	expired.LastRun = &mirror.Run{Repository: "frozen", Began: today.Add(-2 * time.Minute), Took: 95 * time.Millisecond, Outcome: mirror.Failed, Reason: "timestamp.json expired 2026-11-22 09:00:00Z: the upstream serves an old state"}
	soon := healthy("slow")
	soon.Published = today.Add(-23 * time.Hour)
	soon.Roles = []mirror.RoleVersion{{Role: "timestamp", Version: 9, Expires: today.Add(time.Hour), Soon: today}}
	soon.Upstream = &mirror.Answer{Asked: today, Took: 2100 * time.Millisecond, Roles: []mirror.RoleVersion{{Role: "timestamp", Version: 10}}}
	return []mirror.Status{partial, expired, soon, {Repository: "unborn", Mode: mirror.Lazy, State: mirror.Empty}}, aside
}

// sickAside is what is in quarantine of a repository, for a reason.
func sickAside(repository, text string) []mirror.Quarantined {
	return []mirror.Quarantined{{Repository: repository, Path: text, Digest: digestOf(text), Reason: text, Since: today}}
}

// mirrorOf is a mirror of so many repositories, a few of them sick if there are many.
func mirrorOf(n int) *fake {
	f := &fake{now: today, storage: mirror.StorageStatus{
		Quota: 200_000_000_000, Used: 81_400_000_000, Objects: 4311, Free: 118_600_000_000,
		Scrub: mirror.Scrub{Ended: today.Add(-5 * time.Hour), Checked: 4311},
	}}
	names := []string{"acme"}
	if n > 10 {
		f.statuses, f.aside = sick()
		f.storage.Used, f.storage.Free, f.storage.Scrub.Damaged, f.storage.Scrub.Healed = 191_000_000_000, 9_000_000_000, 2, 1
		f.ready = fmt.Errorf("frozen: %w", mirror.ErrExpired)
		names = nil
		for i := range n - len(f.statuses) {
			names = append(names, fmt.Sprintf("repository-%02d", i))
		}
	}
	if n == 0 {
		names, f.storage = nil, mirror.StorageStatus{Free: -1}
	}
	for _, name := range names {
		f.statuses = append(f.statuses, healthy(name))
	}
	for i, name := range names {
		for _, channel := range []string{"stable", "beta"} {
			labels := []string{counters.LabelRepository, name, counters.LabelProduct, "hello", counters.LabelChannel, channel}
			f.set.Counter(counters.ReleaseRequests, append(labels, counters.LabelResult, "ok")...).Add(int64(900 * (i + 1)))
			f.set.Counter(counters.ReleaseRequests, append(labels, counters.LabelResult, "not_found")...).Add(3)
			f.set.Histogram(counters.ReleaseByte, labels...).Observe(3 * time.Millisecond)
		}
		f.set.Counter(counters.Requests, counters.LabelRepository, name, counters.LabelResult, "ok").Add(20_411)
		f.set.Counter(counters.Lookups, counters.LabelRepository, name, counters.LabelResult, "hit").Add(20_300)
		f.set.Counter(counters.Lookups, counters.LabelRepository, name, counters.LabelResult, "miss").Add(111)
		f.set.Histogram(counters.FirstByte, counters.LabelRepository, name).Observe(800 * time.Microsecond)
	}
	return f
}

// live fills the plots of a page as three hours would.
func (f *fake) live(p *Page) {
	for minute := range 180 {
		for i, st := range f.statuses {
			wave := int64((minute*7+i*31)%60) * 4_000_000
			f.set.Counter(counters.ResponseBytes, counters.LabelRepository, st.Repository).Add(wave)
			if minute%15 == 0 {
				f.set.Counter(fetchedBytes, counters.LabelRepository, st.Repository).Add(73_000_000)
			}
		}
		p.Sample()
	}
}

// nasty is text that would do something if it were not shown inert.
const nasty = `"><script>alert(1)</script><img src=x onerror=alert(2)>` + "\x1b[31m\u202egnp.exe\u2066\x00 &amp; {{.}} '` \xff"

func lines(text string) string { return strings.Join(strings.Fields(text), " ") }

func get(t *testing.T, p *Page, path string, change ...func(*http.Request)) answer {
	t.Helper()
	return ask(t, p, http.MethodGet, path, "", change...)
}
