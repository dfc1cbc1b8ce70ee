package cache

import "context"

const (
	// bufferBytes is the length of a pooled buffer.
	bufferBytes = 1 << 20
	// bufferCount bounds the memory of all transfers of a Store at once, 16 MiB.
	bufferCount = 16
	// queueBytes is how far, in bytes, hashing may fall behind writing: what is
	// hashed soon after it was written is found in the processor's caches.
	queueBytes = 6 << 20
)

// Buffer holds bytes on their way into a Stage. Who took it gives it to Put, or
// back by Release.
type Buffer struct {
	Data []byte // as long as the buffer
	pool *bufferPool
}

// Release gives the buffer back.
func (b *Buffer) Release() {
	if b.pool != nil {
		b.pool.free <- b
	}
}

// bufferPool lends a bounded number of buffers.
type bufferPool struct {
	free chan *Buffer
	make chan struct{} // one for each that may still be made
}

func newBufferPool() *bufferPool {
	p := &bufferPool{free: make(chan *Buffer, bufferCount), make: make(chan struct{}, bufferCount)}
	for range bufferCount {
		p.make <- struct{}{}
	}
	return p
}

// take waits for a buffer until ctx ends.
func (p *bufferPool) take(ctx context.Context) (*Buffer, error) {
	select {
	case b := <-p.free: // before a new one is made
		return b, nil
	default:
	}
	select {
	case b := <-p.free:
		return b, nil
	case <-p.make:
		return &Buffer{Data: make([]byte, bufferBytes), pool: p}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
