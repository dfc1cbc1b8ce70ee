package serve

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// setUnsent bounds what the system keeps for a client, in bytes; a listener's connections
// inherit it.
func setUnsent(c syscall.RawConn, bytes int) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, bytes)
	}); err != nil {
		return err
	}
	return failed
}
