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
			l, err := Listen(t.Context(), "127.0.0.1:0")
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
			c := &tcpConn{TCPConn: accepted.(*net.TCPConn)}
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
