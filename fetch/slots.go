package fetch

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// smallFile is the longest file that counts as small, as package transfer has it:
// what takes a small one its time is the way to the server and back, and the disk,
// not the line.
const smallFile = 1 << 20

// smallAtOnce is how many small files count as one download: over a line of 100
// ms, six at a time would be 60 a second.
const smallAtOnce = 8

// slots bound the downloads under way.
type slots struct{ parts *semaphore.Weighted }

func newSlots(downloads int) slots {
	return slots{semaphore.NewWeighted(int64(downloads) * smallAtOnce)}
}

// take waits for a slot for a file of so many bytes; -1: nobody knows how many. end
// gives it back, and may be called again.
func (s slots) take(ctx context.Context, length int64) (end func(), err error) {
	parts := int64(smallAtOnce)
	if length >= 0 && length <= smallFile {
		parts = 1
	}
	if err := s.parts.Acquire(ctx, parts); err != nil {
		return nil, context.Cause(ctx)
	}
	return sync.OnceFunc(func() { s.parts.Release(parts) }), nil
}
