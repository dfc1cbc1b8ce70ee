package boltfile

import (
	"context"
	"time"
)

// Turn lets the goroutines of one process take turns at a file, in place of
// polling for its lock against each other.
type Turn chan struct{}

// NewTurn makes one that is free.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits until the turn is free, deadline has come (ErrBusy) or ctx has
// ended (its error). Where the error is nil the caller has the turn, and gives
// it back by calling end once.
func (t Turn) Take(ctx context.Context, deadline time.Time) (end func(), err error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, ErrBusy
	}
}
