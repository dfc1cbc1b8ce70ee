package fetch

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

// newPace watches until ctx ends, and cancels with a cause that is
// trust.ErrNoAnswer.
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
				cancel(fmt.Errorf("%w: not whole after %s: expected at least %d bytes a second, found %.0f", trust.ErrNoAnswer, window, rate, found))
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
