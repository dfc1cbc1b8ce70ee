package admin

import (
	"net"
	"strconv"
	"syscall"
)

// peerOf is the user at the other end of a socket, as the kernel tells.
func peerOf(conn net.Conn) string {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return "somebody"
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return "somebody at the socket"
	}
	var credentials *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		credentials, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || failed != nil {
		return "somebody at the socket"
	}
	return "user " + strconv.FormatUint(uint64(credentials.Uid), 10)
}
