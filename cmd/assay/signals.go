package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// The causes by which a signal ends a command.
var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("terminated")
)

// withSignals gives a context that SIGINT or SIGTERM ends, with the cause
// above. The command then clears up after itself; a second signal does not wait
// for that, and leaves what a crash would leave. stop gives the signals back.
func withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// A reader that has gone away is told by the failed write, so that what was
	// begun is cleared up; nobody looks at this channel.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			var cause error
			select {
			case <-done:
				return
			case s := <-signals:
				cause = errInterrupted
				if s == syscall.SIGTERM {
					cause = errTerminated
				}
			}
			if !first {
				os.Exit(codeOf(cause))
			}
			cancel(cause)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
