package wire

import (
	"context"
	"io"
	"time"

	"golang.org/x/time/rate"
)

// newLimiter makes a limiter of bytes a second; nil: there is none. It lets at
// most a tenth of a second's bytes through at once.
func newLimiter(bandwidth int64) *rate.Limiter {
	if bandwidth <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bandwidth), int(min(max(bandwidth/10, 1), 256<<10)))
}

// limitedBody waits after each piece that it reads until the limit allows for
// it. What it reads from stands still meanwhile, and no timer of it runs.
type limitedBody struct {
	io.ReadCloser
	ctx     context.Context
	limiter *rate.Limiter
	pauses  *pauses // nil: nobody counts them
}

// Read reads at most what the limiter takes at once, so that a large buffer gets
// small pieces at an even pace.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.limiter.Burst())])
	wait := b.limiter.ReserveN(time.Now(), n).Delay()
	if wait <= 0 {
		return n, err
	}
	b.pauses.begin()
	defer b.pauses.end()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return n, err
	case <-b.ctx.Done():
		return n, context.Cause(b.ctx)
	}
}
