package serve

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// maxUnsent is how many bytes the system keeps for a client beyond what is on its
// way, so that a thousand that read nothing don't use up the memory that TCP has,
// and slow the others down. What is on its way is as much as the path takes.
const maxUnsent = 128 << 10

// setUnsent sets it for a listening socket, whose connections inherit it.
func setUnsent(_, _ string, c syscall.RawConn) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
	}); err != nil {
		return err
	}
	return failed
}
