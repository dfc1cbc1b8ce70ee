package serve

import (
	"io"
	"time"
)

// The system keeps for a client what it has not sent yet, so that the server has to be
// woken less often: megabytes, by itself. A thousand that read slowly use up the memory
// of TCP by that, and slow all others down. So each is kept slowUnsent bytes for, until it
// has taken probeBytes within probeTime: who does so keeps nobody from anything, and is
// kept quickUnsent for. What is on its way comes on top, as much as the path takes.
const (
	slowUnsent  = 128 << 10
	quickUnsent = 2 << 20
	probeBytes  = 1 << 20
	probeTime   = time.Second
)

// probe sends the first part of what is long, to a client that is not known to be quick,
// and sees how long that takes. What of r is left is still to be sent.
func (c *tcpConn) probe(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok || c.quick || limited.N <= probeBytes {
		return 0, nil
	}
	began := time.Now()
	n, err := c.TCPConn.ReadFrom(&io.LimitedReader{R: limited.R, N: probeBytes})
	limited.N -= n
	if err == nil && n == probeBytes && time.Since(began) < probeTime {
		c.quick = true
		if raw, err := c.SyscallConn(); err == nil {
			_ = setUnsent(raw, quickUnsent) // without it, it is served as before
		}
	}
	return n, err
}
