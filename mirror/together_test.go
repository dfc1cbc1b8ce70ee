package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/mirror"
	"assay/mirror/storage"
)

// TestEverythingAtOnce: whatever is asked of a mirror at one time, it stays whole, and
// Close ends all of it.
func TestEverythingAtOnce(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.settings.Mode = mirror.Lazy
	r.sync(mirror.Done)
	full := r.settings
	full.Mode = mirror.Full
	from := r.upstream()
	config := func(s mirror.Settings) mirror.Config {
		c := r.config()
		c.Repositories = []mirror.Mirrored{{Settings: s, Upstream: from}}
		return c
	}
	configs := []mirror.Config{config(r.settings), config(full)}
	m := r.m
	ctx, stop := context.WithCancel(t.Context())
	fine := func(err error) bool {
		for _, expected := range []error{
			nil, mirror.ErrStopped, context.Canceled, mirror.ErrNoFile, mirror.ErrQuarantined, mirror.ErrAbsent, storage.ErrInUse, mirror.ErrNotCarried,
		} {
			if errors.Is(err, expected) {
				return true
			}
		}
		return false
	}
	actions := map[string]func() error{
		"publish": func() error {
			return errors.Join(r.repo.AddTarget("file", fmt.Append(nil, rand.Int())), r.repo.Publish())
		},
		"sync":      func() error { _, err := m.Sync(ctx, "acme"); return err },
		"collect":   func() error { _, _, err := m.Collect(ctx); return err },
		"scrub":     func() error { _, err := m.ScrubNow(ctx, 0); return err },
		"plan":      func() error { _, err := m.Plan(ctx, "acme"); return err },
		"hold":      func() error { return m.Hold(ctx, "acme", helloWindows, "x") },
		"release":   func() error { return m.Release(ctx, "acme", helloWindows) },
		"cancel":    func() error { _, err := m.Cancel("acme"); return err },
		"configure": func() error { return m.Configure(ctx, configs[rand.IntN(2)]) },
		"status": func() error {
			m.Statuses()
			_, err := m.Storage(ctx)
			return errors.Join(err, m.Ready())
		},
		"open": func() error {
			f, err := m.Find("acme", "targets/"+[]string{helloLinux, helloWindows, "file", "timestamp.json"}[rand.IntN(4)])
			if err != nil {
				return err
			}
			object, err := m.Open(ctx, f)
			if err == nil {
				err = object.Close()
			}
			return err
		},
	}
	var wait sync.WaitGroup
	for what, do := range actions {
		wait.Go(func() {
			for ctx.Err() == nil {
				if err := do(); !fine(err) {
					t.Errorf("%s: %v", what, err)
				}
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond) // let others have their turn
			}
		})
	}
	wait.Go(func() { _ = m.Run(ctx) })
	for range 12 {
		if _, err := m.Sync(t.Context(), "acme"); err != nil {
			t.Errorf("sync: %v", err)
		}
	}
	m.Close() // in the middle of it
	if run, err := m.Sync(t.Context(), "acme"); err != nil || !errors.Is(run.Err, mirror.ErrStopped) {
		t.Errorf("after Close: expected %v, found %+v, %v", mirror.ErrStopped, run, err)
	}
	stop()
	wait.Wait()
	r.settings.Mode = mirror.Full
	r.open()
	if _, err := r.m.Find("acme", "timestamp.json"); err != nil {
		t.Errorf("reopened: expected it to be served, found %v", err)
	}
	if held, _ := r.m.Quarantine("acme"); len(held) > 0 {
		must(t, r.m.Release(t.Context(), "acme", helloWindows))
	}
	r.sync(mirror.Done)
	r.sameAsUpstream(nil)
}

// TestManyWaitForOneRun: twenty who ask get the same one.
func TestManyWaitForOneRun(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.open()
	held := r.server.Hold("timestamp.json")
	var wait sync.WaitGroup
	runs := make([]mirror.Run, 20)
	for i := range runs {
		wait.Go(func() {
			var err error
			if runs[i], err = r.m.Sync(t.Context(), "acme"); err != nil {
				t.Error(err)
			}
		})
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.m.Sync(gone, "acme"); !errors.Is(err, context.Canceled) {
		t.Errorf("one who gives up: expected %v, found %v", context.Canceled, err)
	}
	<-held.Reached
	held.Release()
	wait.Wait()
	for _, run := range runs {
		if run.Outcome != mirror.Done || run.Generation != 1 {
			t.Fatalf("expected the first generation for all, found %+v", run)
		}
	}
	if n := r.asked("/timestamp.json"); n > 4 { // who came late may have begun the next
		t.Errorf("expected one run, found %d", n)
	}
}

// TestSettingsChangeWhileSomethingIsPutAside: neither the list is lost, nor is it stuck.
func TestSettingsChangeWhileSomethingIsPutAside(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	config := r.config()
	for range 20 {
		var wait sync.WaitGroup
		var err error
		wait.Go(func() {
			if err := r.m.Configure(t.Context(), config); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() { err = r.m.Hold(t.Context(), "acme", helloLinux, "x") })
		wait.Wait()
		if err != nil && !errors.Is(err, mirror.ErrStopped) {
			t.Fatal(err)
		}
		must(t, r.m.Hold(t.Context(), "acme", helloLinux, "x"))
		r.refused("targets/"+helloLinux, mirror.ErrQuarantined)
		must(t, r.m.Release(t.Context(), "acme", helloLinux))
	}
}
