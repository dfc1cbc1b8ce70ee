package wire

import (
	"context"
	"fmt"
	"io"
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
}

// slowError says that a source was given up as too slow. It is trust.ErrNoAnswer,
// so that a trickle does no more harm than silence: a grace covers both. But it
// does not say that there was no answer.
type slowError struct{ err error }

func (e slowError) Error() string   { return "too slow: " + e.err.Error() }
func (e slowError) Unwrap() []error { return []error{trust.ErrNoAnswer, e.err} }

// newPace watches until ctx ends, and cancels with a slowError.
func newPace(ctx context.Context, cancel context.CancelCauseFunc, window time.Duration, rate int64) *pace {
	p := &pace{}
	go func() {
		ticks := time.NewTicker(window)
		defer ticks.Stop()
		for before := int64(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			arrived := p.arrived.Load()
			if found := float64(arrived-before) / window.Seconds(); found < float64(rate) {
				cancel(slowError{fmt.Errorf("expected at least %d bytes a second over %s, found %.0f", rate, window, found)})
				return
			}
			before = arrived
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
