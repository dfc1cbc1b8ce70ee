package serve_test

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"assay/mirror/serve"
)

// TestUnsentIsBounded: a connection has the bound of what the system keeps for a client
// that reads slowly. Those of a listener for MPTCP, which is what Go makes unless it is
// told otherwise, don't inherit it: a thousand slow clients then take gigabytes.
func TestUnsentIsBounded(t *testing.T) {
	l, err := serve.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	raw, err := accepted.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var found int
	var failed error
	if err := raw.Control(func(fd uintptr) {
		found, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if found != 128<<10 {
		t.Errorf("expected at most %d bytes that are not sent yet, found %d", 128<<10, found)
	}
}
