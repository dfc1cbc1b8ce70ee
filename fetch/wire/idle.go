package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// errIdle is the cause of a transfer that was given up for want of bytes.
var errIdle = errors.New("no bytes came")

// idleBody gives a transfer up when no byte comes for a while, and tells it
// apart from a caller who has given up. Only the time within Read counts: what
// the reader does in between, a slow disk or a limit, is not the source's fault.
type idleBody struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	idle   time.Duration
	timer  *time.Timer
	runs   bool // the timer
}

func newIdleBody(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, idle time.Duration) *idleBody {
	b := &idleBody{ctx: ctx, cancel: cancel, body: body, idle: idle, runs: true}
	b.timer = time.AfterFunc(idle, func() { cancel(fmt.Errorf("%w for %s", errIdle, idle)) })
	b.stop()
	return b
}

func (b *idleBody) Read(p []byte) (int, error) {
	if !b.runs { // it goes on running where nothing came
		b.timer.Reset(b.idle)
		b.runs = true
	}
	n, err := b.body.Read(p)
	if n > 0 {
		b.stop()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); cause != nil {
			return n, cause
		}
	}
	return n, err
}

func (b *idleBody) stop() {
	b.timer.Stop()
	b.runs = false
}

func (b *idleBody) Close() error {
	b.timer.Stop()
	err := b.body.Close()
	b.cancel(nil)
	return err
}
