package serve

// The sizes of buffers that TLS copies through, and how many large ones there may
// be at once: 32 MiB of them. Clients that are slow hold theirs for long, and the
// ones behind them get on with small ones.
const (
	largeBuffer  = 256 << 10
	smallBuffer  = 32 << 10
	largeBuffers = 128
)

// buffers are kept for the next response.
type buffers struct {
	free chan *[]byte // large ones; one that was not made yet is nil
}

func newBuffers() *buffers {
	b := &buffers{free: make(chan *[]byte, largeBuffers)}
	for range largeBuffers {
		b.free <- nil
	}
	return b
}

func (b *buffers) get() *[]byte {
	select {
	case buffer := <-b.free:
		if buffer == nil {
			made := make([]byte, largeBuffer)
			buffer = &made
		}
		return buffer
	default:
		made := make([]byte, smallBuffer)
		return &made
	}
}

func (b *buffers) put(buffer *[]byte) {
	if len(*buffer) == largeBuffer {
		b.free <- buffer // there is room, as it came from there
	}
}
