package serve

import (
	"crypto/sha256"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestUnsentIsBounded: a connection has the bound of what the system keeps for a client
// that reads slowly. Those of a listener for MPTCP, which is what Go makes unless it is
// told otherwise, don't inherit it: a thousand slow clients then take gigabytes.
func TestUnsentIsBounded(t *testing.T) {
	t.Parallel()
	_, accepted := pair(t)
	if found := unsentOf(t, accepted); found != slowUnsent {
		t.Errorf("expected to keep %d bytes for it, found %d", slowUnsent, found)
	}
}

// TestWhoIsQuickIsKeptMoreFor: a client that takes its first MiB at once is kept more
// for, one that lets it wait is not; both get all bytes.
func TestWhoIsQuickIsKeptMoreFor(t *testing.T) {
	t.Parallel()
	const length = 3*probeBytes + 17
	path := filepath.Join(t.TempDir(), "file")
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		wait time.Duration
		want int
	}{{"at once", 0, quickUnsent}, {"late", probeTime + probeTime/4, slowUnsent}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, accepted := pair(t)
			got := make(chan [sha256.Size]byte, 1)
			go func() {
				time.Sleep(test.wait)
				all, _ := io.ReadAll(client)
				got <- sha256.Sum256(all)
			}()
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			c := &tcpConn{TCPConn: accepted}
			n, err := c.ReadFrom(io.LimitReader(file, length))
			if err != nil || n != length {
				t.Errorf("expected %d bytes to be sent, found %d, %v", length, n, err)
			}
			if found := unsentOf(t, c.TCPConn); found != test.want {
				t.Errorf("expected to keep %d bytes for it, found %d", test.want, found)
			}
			c.TCPConn.Close()
			if sum := <-got; sum != sha256.Sum256(data) {
				t.Error("expected the file's bytes, found others")
			}
		})
	}
}

// pair is both ends of a connection to a listener of the server's.
func pair(t *testing.T) (client, accepted *net.TCPConn) {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return near.(*net.TCPConn), far.(*net.TCPConn)
}

func unsentOf(t *testing.T, c *net.TCPConn) (found int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		found, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return found
}
