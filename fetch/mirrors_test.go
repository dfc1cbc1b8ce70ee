package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/cache"
	"assay/fetch"
	"assay/fetch/mirrors"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// fleet is a publisher with mirrors, and one client machine.
type fleet struct {
	*bench
	mirrors []*testrepo.Server
	only    bool
	memory  *mirrors.Memory
	source  *fetch.Source // of the last client
	mu      sync.Mutex
	said    []string
}

func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{bench: newBench(t, testrepo.Options{})}
	for range n {
		server, err := testrepo.Serve(f.repo)
		must(t, err)
		t.Cleanup(func() { server.Close() })
		f.mirrors = append(f.mirrors, server)
	}
	f.forget()
	return f
}

// hurry is for tests in which somebody is silent: long enough for the honest ones
// on a busy machine.
func (f *fleet) hurry() {
	f.engine.Answer, f.engine.Idle, f.engine.Document = 2*time.Second, 2*time.Second, 4*time.Second
}

// forget makes the machine forget what it has learnt of mirrors.
func (f *fleet) forget() {
	f.memory = mirrors.NewMemory(mirrors.Options{Store: fetch.MemoryFile(filepath.Join(f.dir, "sources.json")), Now: func() time.Time { return f.now }})
}

// run is a new run of the program on the same machine.
func (f *fleet) run() *fetch.Client {
	f.t.Helper()
	f.said = nil
	warn := func(text string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.said = append(f.said, text)
	}
	config := fetch.SourceConfig{
		URL: f.server.URL, Layout: fetch.LayoutBase, MirrorsOnly: f.only, Memory: f.memory, Warn: warn,
		Patience: 5 * time.Second, Region: "eu-west",
	}
	for i, server := range f.mirrors {
		config.Mirrors = append(config.Mirrors, mirrors.Mirror{URL: server.URL, Weight: 100 - i, Origin: "the test"})
	}
	engine := wire.New(f.engine)
	source, err := fetch.NewSource(engine, config)
	must(f.t, err)
	f.source = source
	r, err := trust.Open(trust.Config{Name: "acme", Root: f.repo.Root(), Store: f.store, Remote: source, Grace: f.grace, Now: func() time.Time { return f.now }})
	must(f.t, err)
	store, err := cache.Open(f.dir, cache.Options{})
	must(f.t, err)
	client, err := fetch.NewClient(fetch.Config{
		Repositories: []*fetch.Repository{{Trust: r, Source: source}}, Cache: store, Engine: engine,
		Now: func() time.Time { return f.now }, Offline: f.offline, Warn: warn,
	})
	must(f.t, err)
	return client
}

// gets expects a release to be had, and starts counting requests before.
func (f *fleet) gets(ref string) {
	f.t.Helper()
	f.server.ResetCounters()
	for _, m := range f.mirrors {
		m.ResetCounters()
	}
	if _, err := f.run().Get(f.t.Context(), request(f.t, ref)); err != nil {
		f.t.Fatalf("get %s: %v", ref, err)
	}
}

// fails expects a view to be refused as kind.
func (f *fleet) fails(kind error) error {
	f.t.Helper()
	view, err := f.run().View(f.t.Context(), "acme")
	if !errors.Is(err, kind) {
		f.t.Fatalf("expected %v, found %v, %v", kind, view, err)
	}
	return err
}

// report is what is told of the i-th mirror.
func (f *fleet) report(i int) fetch.Report {
	f.t.Helper()
	for _, r := range f.source.Report() {
		if r.URL == f.mirrors[i].URL {
			return r
		}
	}
	f.t.Fatalf("mirror %d is not reported", i)
	return fetch.Report{}
}

// warned expects a warning that names the i-th mirror, or no warning at all.
func (f *fleet) warned(i int) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if text := strings.Join(f.said, "\n"); !strings.Contains(text, "the mirror "+f.mirrors[i].URL+" is given up") {
		f.t.Errorf("expected a warning that names mirror %d, found %q", i, text)
	}
}

func (f *fleet) quiet() {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.said) > 0 {
		f.t.Errorf("expected no warning, found %q", f.said)
	}
}

func bytesAsked(s *testrepo.Server) (n int) {
	for _, path := range s.Requests() {
		if strings.HasPrefix(path, "/targets/") {
			n++
		}
	}
	return n
}

func TestMirrorServesBytesAndWarmTakesTwoRequests(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.gets("hello")
	if asked := f.server.Requests(); len(asked) != 2 {
		t.Errorf("the repository's own place: expected the root and the timestamp, found %v", asked)
	}
	f.quiet()
	f.gets("hello")
	for name, server := range map[string]*testrepo.Server{"own": f.server, "mirror": f.mirrors[0]} {
		if asked := server.Requests(); strings.Join(asked, " ") != "/2.root.json /timestamp.json" {
			t.Errorf("%s: expected two requests, found %v", name, asked)
		}
	}
}

// A frozen mirror goes on serving what was right once, and has not expired.
func TestFrozenMirror(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.mirrors[0].Freeze()
	must(t, f.repo.SetStatus("hello", "stable", "1.5.0", "revoked", "by a test", ""))
	must(t, f.repo.Publish())
	f.gets("hello") // for the first time: no floor protects this client
	view, err := f.run().View(t.Context(), "acme")
	must(t, err)
	for _, role := range view.Roles() {
		if role.Role == "timestamp" && role.Version != f.repo.Version("timestamp") {
			t.Errorf("expected timestamp %d, found %d", f.repo.Version("timestamp"), role.Version)
		}
	}
	r := f.report(0)
	if r.Rank != 0 || r.Out == nil || !strings.Contains(r.Out.Error(), "it lags behind: its timestamp is 1, the newest 2") {
		t.Errorf("expected the mirror to be dropped as it lags, found rank %d, %v", r.Rank, r.Out)
	}
	f.gets("hello@1.4.2")
	if n := bytesAsked(f.mirrors[0]); n > 0 {
		t.Errorf("a mirror that lags was asked for %d targets", n)
	}
	f.mirrors[0].Thaw()
	f.gets("ferry")
	if bytesAsked(f.mirrors[0]) == 0 {
		t.Error("a mirror that has caught up is not used")
	}
}

// A mirror that claims the newest timestamp of all, which nobody signed.
func TestMirrorWithForgedNewestTimestamp(t *testing.T) {
	t.Parallel()
	genuine := string(newBench(t, testrepo.Options{}).repo.Files(0)["timestamp.json"])
	for name, forged := range map[string]string{
		"signed by nobody": strings.Replace(genuine, `"version":1`, `"version":999`, 1),
		"another's":        genuine,
		"no timestamp":     `{"signed":{"version":999}}`,
		"no JSON":          `no JSON`,
		"twice":            `{"signed":{"version":1},"signed":{"version":999}}`,
		"too long":         strings.Repeat(" ", 20<<10),
		"web page":         `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 1)
			f.mirrors[0].Replace("timestamp.json", []byte(forged))
			f.gets("hello")
			if name != "web page" { // that is no answer at all
				f.warned(0)
				if !f.report(0).Record.Lied() {
					t.Errorf("expected the lie to be remembered, found %+v", f.report(0).Record)
				}
			}
			// Alone it is an error, and not silence.
			f.only = true
			f.forget()
			f.grace = time.Hour
			if err := f.fails(alone(name)); errors.Is(err, trust.ErrNoAnswer) || !strings.Contains(err.Error(), f.mirrors[0].URL) {
				t.Errorf("expected an error that names the mirror, found %v", err)
			}
		})
	}
}

// alone is the kind of error that a forged timestamp leads to by itself.
func alone(name string) error {
	switch name {
	case "signed by nobody", "another's":
		return trust.ErrSignature
	case "too long":
		return trust.ErrTooLarge
	case "web page":
		return fetch.ErrSource
	}
	return trust.ErrMalformed
}

// A mirror that has every file but one, or spoils it: nothing that it does makes
// the command fail while the repository's own place answers.
func TestMirrorThatSpoilsOneFile(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"timestamp.json", "snapshot.json", ".targets.json", "/1.hello.json", "/1.channel-stable.json"} {
		for name, spoil := range map[string]func(*testrepo.Server){
			"flip":     func(s *testrepo.Server) { s.FlipByte(file) },
			"withhold": func(s *testrepo.Server) { s.Status(file, 404) },
			"fail":     func(s *testrepo.Server) { s.Status(file, 500) },
			"truncate": func(s *testrepo.Server) { s.Truncate(file) },
			"endless":  func(s *testrepo.Server) { s.Endless(file) },
			"cut":      func(s *testrepo.Server) { s.Cut(file, 10) },
		} {
			t.Run(file+" "+name, func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, 2)
				spoil(f.mirrors[0])
				f.gets("hello")
				if name == "flip" {
					f.warned(0)
					if r := f.report(0); r.Rank != 0 || !r.Record.Lied() {
						t.Errorf("expected it to be dropped, found rank %d and %+v", r.Rank, r.Record)
					}
				}
			})
		}
	}
}

func TestMirrorThatWithholdsOrForgesTheNextRoot(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.mirrors[0].Freeze()
	stranger := newBench(t, testrepo.Options{})
	must(t, stranger.repo.RotateRoot())
	must(t, stranger.repo.Publish())
	f.mirrors[1].Replace("2.root.json", stranger.repo.RootBytes(2))
	must(t, f.repo.RotateKey("root"))
	must(t, f.repo.Publish())
	view, err := f.run().View(t.Context(), "acme")
	must(t, err)
	if got := view.Roles()[0]; got.Role != "root" || got.Version != 2 {
		t.Errorf("expected root 2, found %v", got)
	}
	f.warned(1)
	if !f.report(1).Record.Lied() {
		t.Error("a forged root is not remembered")
	}
	// One that nobody else has is as none.
	f = newFleet(t, 1)
	f.mirrors[0].Replace("2.root.json", stranger.repo.RootBytes(2))
	f.gets("hello")
	f.warned(0)
}

func TestSilentMirrorAndMirrorThatIsDown(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testrepo.Server){
		"silent": (*testrepo.Server).Silent,
		"down":   func(s *testrepo.Server) { s.Close() },
		"portal": (*testrepo.Server).HTML,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 1)
			f.hurry()
			spoil(f.mirrors[0])
			f.gets("hello")
			f.quiet()
			if r := f.report(0); !r.Record.Failing() || r.Rank != 2 {
				t.Errorf("expected it to be remembered, and to come last, found rank %d, %+v", r.Rank, r.Record)
			}
			f.gets("hello") // the next run does not wait for it
			if asked := f.mirrors[0].Requests(); len(asked) > 0 {
				t.Errorf("a mirror that failed just now was asked again: %v", asked)
			}
		})
	}
}

// A source that drips, or waits, can't hold up what others have said.
func TestMirrorThatIsLate(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.engine = wire.Options{} // with the patience of half a minute
	hold := f.mirrors[0].Hold("timestamp.json")
	defer hold.Release()
	f.gets("hello")
	if r := f.report(0); r.Out == nil || !errors.Is(r.Out, trust.ErrNoAnswer) {
		t.Errorf("expected it to count as silent, found %v", r.Out)
	}
}

func TestMirrorsOnlyNeverAsksTheOrigin(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.only = true
	f.mirrors[0].Freeze()
	must(t, f.repo.Publish())
	must(t, f.repo.Renew("timestamp"))
	must(t, f.repo.Publish())
	f.gets("hello")
	if r := f.report(0); r.Out == nil {
		t.Error("a frozen mirror was not found out by the other")
	}
	f.mirrors[0].Close()
	f.mirrors[1].Close()
	f.fails(trust.ErrNoAnswer)
	if asked := f.server.Requests(); len(asked) > 0 {
		t.Errorf("the origin was asked: %v", asked)
	}
	if _, err := fetch.NewSource(wire.New(f.engine), fetch.SourceConfig{URL: f.server.URL, MirrorsOnly: true}); err == nil || !strings.Contains(err.Error(), "expected mirrors to keep to") {
		t.Errorf("mirrors_only without mirrors: found %v", err)
	}
}

// Grace is for silence: of all sources, not of one beside another that is wrong.
func TestGraceOnlyWhereNoSourceAnswers(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.gets("hello")
	f.hurry()
	f.grace = 48 * time.Hour
	f.now = f.now.Add(30 * time.Hour) // the timestamp has expired
	f.server.Silent()
	f.forget()
	f.fails(trust.ErrExpired) // the mirror answers, with an expired one
	f.mirrors[0].Close()
	view, err := f.run().View(t.Context(), "acme")
	must(t, err)
	if view.Freshness() != trust.Grace {
		t.Errorf("expected grace, found %s", view.Freshness())
	}
	// One lies at the root, and is dropped; then all others are silent.
	f = newFleet(t, 2)
	f.gets("hello")
	f.hurry()
	f.grace = 48 * time.Hour
	f.now = f.now.Add(30 * time.Hour)
	f.mirrors[0].Replace("2.root.json", []byte("{}"))
	defer f.mirrors[1].Hold("timestamp.json").Release()
	f.server.Silent()
	if err := f.fails(trust.ErrMalformed); !strings.Contains(err.Error(), "no other source answers") {
		t.Errorf("found %v", err)
	}
	f.warned(0)
}

// A mirror that carries a part of the repository.
func TestFilteredMirror(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.mirrors[0].Status("hello_1.5.0_linux_amd64", 404)
	f.gets("hello")
	if bytesAsked(f.server) != 1 {
		t.Errorf("expected the one target from the origin, found %v", f.server.Requests())
	}
	f.quiet()
	if f.report(0).Record.Failing() {
		t.Error("what a mirror does not carry is no failure")
	}
	f.only = true
	f.mirrors[0].Status("hello_1.4.2_linux_amd64", 404)
	_, err := f.run().Get(t.Context(), request(t, "hello@1.4.2"))
	if err == nil || !strings.Contains(err.Error(), "promised upstream, not carried by this mirror") || !strings.Contains(err.Error(), f.mirrors[0].URL) {
		t.Errorf("found %v", err)
	}
	f.nothingStaged()
	f.only = false
	f.server.Status("hello_1.4.2_linux_amd64", 404)
	_, err = f.run().Get(t.Context(), request(t, "hello@1.4.2"))
	if err == nil || strings.Count(err.Error(), "promised upstream, not carried by this mirror") != 1 {
		t.Errorf("expected it to be said of the mirror alone, found %v", err)
	}
}

// Where all that may be asked was given up for wrong bytes, that is no silence.
func TestEverySourceIsGivenUp(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)
	f.only = true
	client := f.run()
	selection, err := client.Resolve(t.Context(), request(t, "hello"))
	must(t, err)
	places, err := f.source.Places(t.Context(), selection.Target)
	must(t, err)
	f.source.Observe(transfer.Observation{URL: places[0].URL, Err: transfer.ErrWrongBytes})
	if _, err := f.source.ReadMetadata(t.Context(), "timestamp.json", 1<<14); !errors.Is(err, fetch.ErrSource) || errors.Is(err, trust.ErrNoAnswer) || !strings.Contains(err.Error(), "given up in this run") {
		t.Errorf("found %v", err)
	}
	if places, err := f.source.Places(t.Context(), selection.Target); err != nil || len(places) != 0 {
		t.Errorf("expected no place, found %v, %v", places, err)
	}
}

// Many mirrors that lie cost a bounded number of requests, and never the command.
func TestManyLyingMirrors(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 12)
	for i, m := range f.mirrors {
		m.Replace("timestamp.json", fmt.Appendf(nil, `{"signed":{"version":%d}}`, 1000+i))
		m.FlipByte("snapshot")
	}
	f.gets("hello")
	for _, m := range f.mirrors {
		if n := len(m.Requests()); n > 12 {
			t.Errorf("a mirror was asked %d times: %v", n, m.Requests())
		}
	}
	if n := len(f.server.Requests()); n > 20 {
		t.Errorf("the origin was asked %d times", n)
	}
}

// What a mirror did wrong is remembered over runs, and fades.
func TestLiesAreRemembered(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.mirrors[0].FlipByte("timestamp.json")
	f.gets("hello")
	must(t, f.memory.Flush())
	f.forget()
	f.gets("hello")
	if asked := f.mirrors[0].Requests(); len(asked) > 0 {
		t.Errorf("a mirror that lied was asked: %v", asked)
	}
	f.quiet()
	if rank := f.report(0).Rank; rank != 3 {
		t.Errorf("expected it to come last, found rank %d", rank)
	}
	f.now = f.now.Add(40 * 24 * time.Hour)
	must(t, f.repo.Renew())
	must(t, f.repo.Publish())
	f.mirrors[0].Clear()
	f.gets("hello")
	if len(f.mirrors[0].Requests()) == 0 {
		t.Error("a lie of long ago is held against it")
	}
}

// A transfer's observations come from several goroutines.
func TestObserve(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	client := f.run()
	selection, err := client.Resolve(t.Context(), request(t, "hello"))
	must(t, err)
	places, err := f.source.Places(t.Context(), selection.Target)
	must(t, err)
	if len(places) != 4 {
		t.Fatalf("expected four places, found %v", places)
	}
	inParallel(8, func(i int) {
		o := transfer.Observation{URL: places[0].URL, Latency: time.Second, Bytes: 1 << 20, Took: time.Second}
		if i%2 == 0 {
			o = transfer.Observation{URL: places[1].URL, Err: fmt.Errorf("x: %w", transfer.ErrWrongBytes)}
		}
		f.source.Observe(o)
		f.source.Observe(transfer.Observation{URL: places[2].URL, Err: context.Canceled})
		f.source.Report()
	})
	if r := f.report(0).Record; r.Latency == 0 || r.Rate == 0 {
		t.Errorf("expected latency and rate, found %+v", r)
	}
	if r := f.report(1); !r.Record.Lied() || r.Rank != 0 || !errors.Is(r.Out, transfer.ErrWrongBytes) {
		t.Errorf("expected wrong bytes to drop it, found %+v", r)
	}
	if r := f.report(2); r.Record.Failing() || r.Out != nil {
		t.Errorf("that a caller gave up is no failure, found %+v", r)
	}
	// To break off once, with much of it sent, is not to be down; twice is.
	broken := transfer.Observation{URL: places[2].URL, Bytes: 1 << 20, Took: time.Second, Err: &wire.SourceError{Err: &wire.StatusError{Code: 503}}}
	f.now = f.now.Add(time.Second)
	f.source.Observe(broken)
	f.now = f.now.Add(time.Second)
	if r := f.report(2); r.Record.Failing() || r.Record.Failures == 0 || r.Out != nil {
		t.Errorf("broken off once: found %+v", r)
	}
	f.source.Observe(broken)
	if r := f.report(2); !r.Record.Failing() {
		t.Errorf("broken off twice: found %+v", r)
	}
	f.source.Observe(transfer.Observation{URL: &url.URL{Scheme: "https", Host: "elsewhere.example"}, Err: transfer.ErrWrongBytes})
	before, err := fetch.MemoryFile(filepath.Join(f.dir, "sources.json")).Load()
	if before != nil || err != nil {
		t.Errorf("expected nothing on disk yet, found %q, %v", before, err)
	}
	must(t, f.memory.Flush())
	after, err := fetch.MemoryFile(filepath.Join(f.dir, "sources.json")).Load()
	if err != nil || !bytes.Contains(after, []byte(f.mirrors[1].URL)) {
		t.Errorf("expected it on disk, found %q, %v", after, err)
	}
}
