package wire

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"assay/trust"
)

// pace gives up what comes too slowly: in each window, from the request on, the
// answer must end or bring so many bytes a second. A byte now and then, which
// keeps an idleBody content, does not do; and a large answer over a slow line
// may take as long as it needs.
type pace struct {
	body    io.Reader
	arrived atomic.Int64
	pauses  pauses
}

// slowError says that a source was given up as too slow. It is trust.ErrNoAnswer,
// so that a trickle does no more harm than silence: a grace covers both. But it
// does not say that there was no answer.
type slowError struct{ err error }

func (e slowError) Error() string   { return "too slow: " + e.err.Error() }
func (e slowError) Unwrap() []error { return []error{trust.ErrNoAnswer, e.err} }

// newPace watches until ctx ends, and cancels with a slowError. While we are in
// a pause of our own making no window goes on.
func newPace(ctx context.Context, cancel context.CancelCauseFunc, window time.Duration, rate int64) *pace {
	p := &pace{}
	go func() {
		timer := time.NewTimer(window)
		defer timer.Stop()
		before, paused := int64(0), time.Duration(0)
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			if sum := p.pauses.sum(); sum > paused {
				timer.Reset(sum - paused)
				paused = sum
				continue
			}
			arrived := p.arrived.Load()
			if found := float64(arrived-before) / window.Seconds(); found < float64(rate) {
				cancel(slowError{fmt.Errorf("expected at least %d bytes a second over %s, found %.0f", rate, window, found)})
				return
			}
			before = arrived
			timer.Reset(window)
		}
	}()
	return p
}

// Read reads the answer and counts.
func (p *pace) Read(data []byte) (int, error) {
	n, err := p.body.Read(data)
	p.arrived.Add(int64(n))
	return n, err
}

// pauses add up the time in which we keep a source waiting: for a connection to
// become free, or for our own limit of bandwidth. A nil *pauses counts nothing.
type pauses struct {
	mu    sync.Mutex
	total time.Duration
	since time.Time // zero: there is no pause now
}

func (p *pauses) begin() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		p.since = time.Now()
	}
}

func (p *pauses) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.since.IsZero() {
		p.total += time.Since(p.since)
		p.since = time.Time{}
	}
}

// sum is the time of all pauses, up to now.
func (p *pauses) sum() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		return p.total
	}
	return p.total + time.Since(p.since)
}
