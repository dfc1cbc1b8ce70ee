package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// firstPause is after the first run that failed; it doubles up to the usual one.
const firstPause = 15 * time.Second

// running is a run under way, for those who wait for it.
type running struct {
	done   chan struct{}
	result Run
	cancel context.CancelCauseFunc
}

// Sync runs a repository now, or joins the run that is under way, and waits for its
// end. Whoever gives up leaves it running; see Cancel. The error is that of a name
// or of ctx; how the run ended is in the Run.
func (m *Mirror) Sync(ctx context.Context, name string) (Run, error) {
	r, err := m.repository(name)
	if err != nil {
		return Run{}, err
	}
	now := r.begin()
	select {
	case <-now.done:
		return now.result, nil
	case <-ctx.Done():
		return Run{}, context.Cause(ctx)
	}
}

// ErrCancelled: a person ended the run.
var ErrCancelled = fmt.Errorf("the run was cancelled: %w", context.Canceled)

// Cancel ends the run of a repository that is under way, and reports whether there
// was one. It publishes nothing.
func (m *Mirror) Cancel(name string) (bool, error) {
	r, err := m.repository(name)
	if err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		return false, nil
	}
	r.running.cancel(ErrCancelled)
	return true, nil
}

// begin begins a run, or finds the one under way.
func (r *repository) begin() *running {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running != nil {
		return r.running
	}
	ctx, cancel := context.WithCancelCause(r.m.life)
	now := &running{done: make(chan struct{}), cancel: cancel}
	run := func() {
		defer cancel(nil)
		now.result = r.run(ctx)
		r.mu.Lock()
		r.running = nil
		r.mu.Unlock()
		close(now.done)
	}
	if r.retired || !r.m.spawn(run) {
		cancel(nil)
		now.result = Run{Repository: r.settings.Name, Began: r.m.now().UTC(), Outcome: Cancelled, Reason: ErrStopped.Error(), Err: ErrStopped}
		close(now.done)
		return now
	}
	r.running = now
	return now
}

// Run keeps all repositories fresh until ctx ends or the mirror is closed: each by
// its own schedule, a failed one sooner. After a change it collects.
func (m *Mirror) Run(ctx context.Context) error {
	ended := make(chan struct{})
	defer close(ended)
	if !m.spawn(func() { <-ended }) {
		return ErrStopped
	}
	for ctx.Err() == nil && m.life.Err() == nil {
		turn, cancel := context.WithCancel(ctx)
		changed := m.settingsChange()
		stop := context.AfterFunc(m.life, cancel)
		wait := make(chan struct{})
		go func() {
			defer close(wait)
			m.keep(turn)
		}()
		select {
		case <-changed: // others are to be kept from now on
		case <-turn.Done():
		}
		cancel()
		<-wait
		stop()
	}
	return context.Cause(ctx)
}

// keep runs the schedules until ctx ends.
func (m *Mirror) keep(ctx context.Context) {
	done := make(chan struct{})
	list := m.list()
	for _, r := range list {
		go func() {
			defer func() { done <- struct{}{} }()
			r.keep(ctx)
		}()
	}
	go func() {
		defer func() { done <- struct{}{} }()
		m.keepScrubbing(ctx)
	}()
	for range len(list) + 1 {
		<-done
	}
}

// keep runs one repository by its schedule, if it has one.
func (r *repository) keep(ctx context.Context) {
	if r.settings.Imported {
		return
	}
	failures := 0
	for {
		now := r.begin()
		select {
		case <-now.done:
		case <-ctx.Done():
			return
		}
		failures++
		if out := now.result.Outcome; out == Done || out == Partial && !slices.ContainsFunc(now.result.Faults, func(f Fault) bool { return f.Retry }) {
			failures = 0
		}
		if now.result.Changed {
			if removed, freed, err := r.m.Collect(ctx); err != nil {
				r.m.log.Warn("not collected", "error", err.Error())
			} else if removed > 0 {
				r.m.log.Info("collected", "objects", removed, "bytes", freed)
			}
		}
		pause := pauseAfter(r.settings.Every, failures)
		r.mu.Lock()
		r.next = r.m.now().Add(pause).UTC()
		r.mu.Unlock()
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// pauseAfter is how long to wait: the usual time, or less after failures, which
// doubles; and up to a tenth more, so that many mirrors don't ask at once.
func pauseAfter(every time.Duration, failures int) time.Duration {
	pause := every
	if failures > 0 {
		pause = min(every, firstPause<<min(failures-1, 16))
	}
	return pause + rand.N(pause/10+1)
}

// settingsChange is closed when the settings change.
func (m *Mirror) settingsChange() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Configure takes other settings over: repositories that stay go on being served
// meanwhile, and runs under way end. An error changes nothing.
func (m *Mirror) Configure(ctx context.Context, c Config) error {
	m.configuring.Lock()
	defer m.configuring.Unlock()
	old := m.list()
	for _, r := range old {
		r.retire(true)
	}
	made, err := m.make(ctx, c.Repositories, old)
	if err != nil {
		for _, r := range old {
			r.retire(false)
		}
		return err
	}
	m.mu.Lock()
	m.repositories, m.quota, m.scrubRate, m.scrubEvery = made, c.Quota, c.ScrubRate, c.ScrubEvery
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
	return nil
}

// retire ends the run under way, and has no other begin: what it would publish is
// for its successor.
func (r *repository) retire(retired bool) {
	r.mu.Lock()
	r.retired = retired
	now := r.running
	r.mu.Unlock()
	if retired && now != nil {
		now.cancel(ErrStopped)
		<-now.done
	}
}

// Plan tells what a run would do, and changes nothing that is served. The documents
// that decide what is carried are fetched for it.
func (m *Mirror) Plan(ctx context.Context, name string) (Plan, error) {
	r, err := m.repository(name)
	if err != nil {
		return Plan{}, err
	}
	r.runs.Lock()
	defer r.runs.Unlock()
	return r.plan(ctx)
}
