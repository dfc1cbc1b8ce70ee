package serve_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"assay/mirror/serve"
)

const hello = "GET /r/acme/timestamp.json HTTP/1.1\r\nHost: a\r\n\r\n"

// Each of these is one refusal and the end of the connection: what stands behind it
// is never taken for a request.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{Limits: serve.Limits{HeaderTimeout: 5 * time.Second}})
	s.shelf.add(t, "acme/timestamp.json", []byte("{}"))
	const head = "GET /r/acme/x HTTP/1.1\r\nHost: a\r\n"
	for what, test := range map[string]struct {
		request string
		status  int
	}{
		"both lengths":             {head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hello, 400},
		"two lengths":              {head + "Content-Length: 0\r\nContent-Length: 50\r\n\r\n" + hello, 400},
		"two encodings":            {head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + hello, 501},
		"an odd encoding":          {head + "Transfer-Encoding: xchunked\r\n\r\n" + hello, 501},
		"an encoding with a space": {head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hello, 400},
		"a body":                   {head + "Content-Length: 50\r\n\r\n" + hello, 400},
		"chunks":                   {head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hello, 400},
		"a length with a sign":     {head + "Content-Length: +0\r\n\r\n" + hello, 400},
		"a negative length":        {head + "Content-Length: -1\r\n\r\n" + hello, 400},
		"a length of hex":          {head + "Content-Length: 0x0\r\n\r\n" + hello, 400},
		"a body that never comes":  {head + "Content-Length: 999999\r\n\r\n", 400},
		"a post that never comes":  {"POST /r/acme/x HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n", 405},
		"expect":                   {head + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", 400},
		"bare LF":                  {"GET /r/acme/x HTTP/1.1\nHost: a\n\n" + hello, 400},
		"bare LF at the end":       {head + "X: y\n\n" + hello, 400},
		"bare LF in a header":      {head + "X: y\nContent-Length: 5\r\n\r\n" + hello, 400},
		"bare CR":                  {"GET /r/acme/x HTTP/1.1\rHost: a\r\r" + "\r\n\r\n", 400},
		"a folded header":          {head + "X: y\r\n Content-Length: 5\r\n\r\n" + hello, 400},
		"NUL in a header":          {head + "X: a\x00b\r\n\r\n" + hello, 400},
		"a space in a name":        {head + "X Y: a\r\n\r\n" + hello, 400},
		"no host":                  {"GET /r/acme/x HTTP/1.1\r\n\r\n" + hello, 400},
		"two hosts":                {head + "Host: b\r\n\r\n" + hello, 400},
		"another version":          {"GET /r/acme/x HTTP/3.7\r\nHost: a\r\n\r\n" + hello, 505},
		"HTTP/2 in cleartext":      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hello, 405},
		"no HTTP":                  {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" + hello, 400},
		"a huge header":            {head + "X: " + strings.Repeat("a", 64<<10) + "\r\n\r\n" + hello, 431},
		"many headers":             {head + strings.Repeat("X: a\r\n", 10_000) + "\r\n" + hello, 431},
		"a huge method":            {strings.Repeat("A", 64<<10) + " / HTTP/1.1\r\nHost: a\r\n\r\n" + hello, 431},
	} {
		answer := s.raw(test.request)
		// What closes while bytes are on their way may take its answer with it.
		reset := answer == "" && len(test.request) > 16<<10
		if !reset && !strings.HasPrefix(answer, fmt.Sprintf("HTTP/1.1 %d ", test.status)) {
			t.Errorf("%s: expected %d, found %.100q", what, test.status, answer)
		}
		if n := strings.Count(answer, "HTTP/1.1 "); n > 1 {
			t.Errorf("%s: expected one answer, found %d: %q", what, n, answer)
		}
		if asked := s.shelf.took(); len(asked) > 0 {
			t.Errorf("%s: the library was asked for %q", what, asked)
		}
	}
	if answer := s.raw(hello + strings.Replace(hello, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)); strings.Count(answer, "HTTP/1.1 200 OK") != 2 {
		t.Errorf("two honest requests in a row: found %q", answer)
	}
}

// A CR and its LF may come apart.
func TestLinesThatComeInPieces(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	s.shelf.add(t, "acme/timestamp.json", []byte("{}"))
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range len(hello) {
		if _, err := c.Write([]byte{hello[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if answer, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || answer.StatusCode != 200 {
		t.Errorf("found %v, %v", answer, err)
	}
}

// A client that sends its request byte by byte, or nothing at all, is let go.
func TestSlowHeaders(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{Limits: serve.Limits{HeaderTimeout: 200 * time.Millisecond, IdleTimeout: 200 * time.Millisecond}})
	s.shelf.add(t, "acme/timestamp.json", []byte("{}"))
	for what, begin := range map[string]string{"nothing": "", "a drip": "GET / HTTP/1.1\r\nHost: a\r\n", "idle": hello} {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte(begin))
		ended := make(chan struct{})
		if what == "a drip" {
			go func() {
				for {
					select {
					case <-ended:
						return
					case <-time.After(20 * time.Millisecond):
						c.Write([]byte("X: y\r\n"))
					}
				}
			}()
		}
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open", what)
		}
		close(ended)
	}
}

// Many who read nothing hold little memory, don't keep the others from theirs, and
// are cut when their time is over.
func TestSlowClients(t *testing.T) {
	const many = 1000
	var files rlimit
	if files.ensure(3 * many); files.soft < 3*many {
		t.Skipf("it takes %d open files, and %d may be", 3*many, files.soft)
	}
	shelf := newShelf(t)
	s := open(t, shelf, serve.Config{Limits: serve.Limits{ConnectionsPerClient: 2 * many, MinRate: 4 << 20, Patience: 3 * time.Second}})
	shelf.add(t, "acme/targets/large", noise(8<<20)) // more than the system takes for a client
	shelf.add(t, "acme/targets/small", noise(1<<10))
	before := heap()
	slow := make([]net.Conn, many)
	for i := range slow {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(4 << 10)
		if _, err := c.Write([]byte("GET /r/acme/targets/large HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		slow[i] = c
	}
	for shelf.openings() < many {
		time.Sleep(time.Millisecond)
	}
	if used := heap() - before; used > 256<<20 {
		t.Errorf("%d slow clients: expected at most 256 MiB, found %d MiB", many, used>>20)
	}
	if answer, body := s.get("GET", "/r/acme/targets/small"); answer.StatusCode != 200 || len(body) != 1<<10 {
		t.Errorf("a fast client: found %s", answer.Status)
	}
	if answer, body := s.get("GET", "/r/acme/targets/large"); answer.StatusCode != 200 || len(body) != 8<<20 {
		t.Errorf("a fast client, a large file: found %s, %d bytes", answer.Status, len(body))
	}
	open := s.counts.Counter("assay_mirror_http_connections_open")
	for end := time.Now().Add(time.Minute); open.Value() > 1 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := open.Value(); n > 1 { // the fast client's own
		t.Errorf("slow clients are not cut: %d connections are open", n)
	}
	for _, c := range slow[:10] {
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := io.Copy(io.Discard, c); n >= 8<<20 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a client that was cut: found %d bytes, %v", n, err)
		}
	}
}

// heap is what this process has of the system, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
