package transfer

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/cache"
	"assay/fetch/wire"
	"assay/trust"
)

func TestMove(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 1000, 64 << 10, 64<<10 + 1, 256 << 10, 3<<20 + 7} {
		data := random(1, length)
		s := serve(t, data, honest)
		b := newBench(t)
		result := b.brings(data, Object{}, places(t, s))
		if result.Moved != int64(length) || length > 0 && result.From != s.URL+"/file" {
			t.Errorf("expected %d bytes of %s, found %+v", length, s.URL, result)
		}
		if asked := s.asked(); length > 0 && !slices.Equal(asked, []string{""}) {
			t.Errorf("%d bytes: expected one request for all of it, found %q", length, asked)
		}
	}
}

// TestCutAtEvery64KiB: each answer breaks off, and the next goes on from there.
func TestCutAtEvery64KiB(t *testing.T) {
	t.Parallel()
	data := random(2, 1<<20)
	s := serve(t, data, cutting(64<<10))
	b := newBench(t)
	result := b.brings(data, Object{}, places(t, s))
	if result.Moved != 1<<20 {
		t.Errorf("expected each byte once, found %d", result.Moved)
	}
	asked := s.asked()
	if len(asked) != 16 || asked[1] != rangeFrom(64<<10) {
		t.Errorf("expected 16 requests, each from where the last broke off, found %q", asked)
	}
}

// TestFaultsOfOneSource: what a source may do instead of answering, and whether
// asking again helps.
func TestFaultsOfOneSource(t *testing.T) {
	t.Parallel()
	data := random(3, 300<<10)
	gzipped := func(_ *server, _ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(data)
		z.Close()
	}
	reset := func(_ *server, _ int, w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}
	loop := func(_ *server, _ int, w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, q.URL.Path, http.StatusFound)
	}
	short := func(s *server, _ int, w http.ResponseWriter, q *http.Request) { s.send(w, q, data[:len(data)-1]) }
	long := func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		s.send(w, q, append(slices.Clone(data), 0))
	}
	chunked := func(more []byte) handler {
		return func(_ *server, _ int, w http.ResponseWriter, _ *http.Request) {
			w.Write(data[:100])
			http.NewResponseController(w).Flush()
			w.Write(append(slices.Clone(data[100:]), more...))
		}
	}
	shortChunked := func(_ *server, _ int, w http.ResponseWriter, _ *http.Request) {
		w.Write(data[:100])
		http.NewResponseController(w).Flush()
		w.Write(data[100:1000])
	}
	flipped := func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		bad := slices.Clone(data)
		bad[1000] ^= 1
		s.send(w, q, bad)
	}
	for name, test := range map[string]struct {
		answer handler
		kind   error // nil: it comes all the same
		asked  int   // 0: not counted
		says   string
	}{
		"503 once":               {at(status(503), honest), nil, 2, ""},
		"503 for ever":           {status(503), wire.ErrSource, 6, "503 Service Unavailable (given up after 6 tries)"},
		"500 for ever":           {status(500), wire.ErrSource, 6, "500"},
		"429 with Retry-After":   {at(status(429, "Retry-After", "1"), honest), nil, 2, ""},
		"429, come back in 1 h":  {status(429, "Retry-After", "3600"), wire.ErrSource, 1, "it asks to come back in 1h0m0s"},
		"401":                    {status(401), wire.ErrSource, 1, "401"},
		"404":                    {status(404), fs.ErrNotExist, 1, "404"},
		"403":                    {status(403), fs.ErrNotExist, 1, "403"},
		"reset once":             {at(reset, honest), nil, 2, ""},
		"reset for ever":         {reset, trust.ErrNoAnswer, 0, "given up after 6 tries"},
		"cut at once, for ever":  {cutting(0), wire.ErrSource, 6, "broke off"},
		"gzip when not asked":    {gzipped, wire.ErrSource, 1, "Content-Encoding"},
		"redirect loop":          {loop, wire.ErrSource, 0, "redirects"},
		"too short, announced":   {short, cache.ErrMismatch, 1, "expected 307200 bytes"},
		"too long, announced":    {long, cache.ErrMismatch, 1, "found at least 307201"},
		"too long, chunked":      {chunked([]byte{0}), cache.ErrMismatch, 1, "found at least 307201"},
		"too short, chunked":     {shortChunked, cache.ErrMismatch, 1, "expected 307200 bytes"},
		"chunked":                {chunked(nil), nil, 1, ""},
		"less than was asked":    {at(cutting(100<<10), stingy), nil, 0, ""},
		"a byte is another":      {flipped, cache.ErrMismatch, 1, "sent other bytes than promised"},
		"cut, then whole only":   {at(cutting(100<<10), whole), nil, 3, ""},
		"416":                    {at(cutting(100<<10), status(416), honest), nil, 0, ""},
		"cut, then gone":         {at(cutting(100<<10), status(404)), fs.ErrNotExist, 2, "404"},
		"less than announced":    {announced(1000), wire.ErrSource, 0, "broke off"},
		"drips below the rate":   {dripping, wire.ErrSource, 0, "expected at least"},
		"silence after the head": {silent, wire.ErrSource, 0, "no bytes came"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, data, test.answer)
			b := newBench(t)
			b.engine.Idle = 5 * time.Second
			switch name {
			case "drips below the rate":
				b.options.Window, b.options.Retries, b.pace = 200*time.Millisecond, 1, hasty
			case "silence after the head":
				b.engine.Idle, b.options.Retries = 200*time.Millisecond, 1
			}
			if test.kind == nil {
				b.brings(data, Object{}, places(t, s))
			} else {
				says(t, b.refuses(data, Object{}, places(t, s), test.kind), test.says, s.URL)
			}
			if n := len(s.asked()); test.asked > 0 && n != test.asked {
				t.Errorf("expected %d requests, found %d: %q", test.asked, n, s.asked())
			}
		})
	}
}

// stingy gives 64 KiB of what it is asked for.
func stingy(s *server, _ int, w http.ResponseWriter, q *http.Request) {
	var from int
	fmt.Sscanf(q.Header.Get("Range"), "bytes=%d-", &from)
	q.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+64<<10-1))
	s.send(w, q, s.data)
}

// announced says that so many bytes more will come than do.
func announced(more int) handler {
	return func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(rw, "HTTP/1.1 200 OK\r\nContent-Length: 307200\r\n\r\n")
		rw.Write(s.data[:20000-more])
		rw.Flush()
	}
}

func dripping(s *server, _ int, w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Length", "307200")
	for i := range s.data {
		if _, err := w.Write(s.data[i : i+1]); err != nil || q.Context().Err() != nil {
			return
		}
		http.NewResponseController(w).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

func silent(_ *server, _ int, w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Length", "307200")
	w.WriteHeader(http.StatusOK)
	http.NewResponseController(w).Flush()
	<-q.Context().Done()
}

// TestWrongRange: a 206 with another part than was asked for is not written where
// that part belongs.
func TestWrongRange(t *testing.T) {
	t.Parallel()
	data := random(4, 400<<10)
	for name, header := range map[string]string{
		"another part":   "bytes 0-1000/409600",
		"another length": "bytes 102400-409599/409601",
		"beyond the end": "bytes 102400-409600/409601",
		"none":           "",
		"no range":       "bytes 102400/409600",
		"backwards":      "bytes 102400-5/409600",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong := func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
				if q.Header.Get("Range") == "" {
					honest(s, 0, w, q)
					return
				}
				if header != "" {
					w.Header().Set("Content-Range", header)
				}
				w.WriteHeader(http.StatusPartialContent)
				w.Write(data[:307200])
			}
			s := serve(t, data, at(cutting(100<<10), wrong))
			b := newBench(t)
			if strings.Contains(header, "409601") { // it has another file
				says(t, b.refuses(data, Object{}, places(t, s), cache.ErrMismatch), s.URL, "expected 409600 bytes", "found at least 409601")
				return
			}
			// It is asked for the whole file then, as it was found to know no ranges.
			if result := b.brings(data, Object{}, places(t, s)); len(result.Wrong) > 0 {
				t.Errorf("expected nobody to be named, found %q", result.Wrong)
			}
		})
	}
}

// TestFileChangesInMidTransfer: the source has another file than it had. What came
// of the first is fetched again, as the digest does not hold with it.
func TestFileChangesInMidTransfer(t *testing.T) {
	t.Parallel()
	data, old := random(5, 600<<10), random(6, 600<<10)
	for _, tag := range []string{"", `"v1"`} {
		before := func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
			s.tag = tag
			s.send(&cutter{ResponseWriter: w, left: 300 << 10}, q, old)
		}
		after := func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
			if tag != "" {
				s.tag = `"v2"`
			}
			s.send(w, q, data)
		}
		s := serve(t, data, at(before, after))
		b := newBench(t)
		if tag != "" {
			b.brings(data, Object{}, places(t, s))
			continue
		}
		// Nothing tells the files apart: the source sent wrong bytes, and is named.
		says(t, b.refuses(data, Object{}, places(t, s), cache.ErrMismatch), s.URL)
		b.nothingStaged()
		b.brings(data, Object{}, places(t, s))
	}
}

// TestPromiseThatCannotBe: no bytes at all, with the digest of some.
func TestPromiseThatCannotBe(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stage, err := b.store.Stage(t.Context(), digests([]byte("x")), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Abort()
	s := serve(t, nil, honest)
	if _, err := New(engineOf(b), b.options).Move(t.Context(), Object{}, places(t, s), stage, &meter{}); !errors.Is(err, cache.ErrMismatch) {
		t.Errorf("expected %v, found %v", cache.ErrMismatch, err)
	}
}

// TestResume: a run that was ended leaves what came, and the next takes it up.
func TestResume(t *testing.T) {
	t.Parallel()
	data := random(7, 4<<20)
	reached := make(chan struct{})
	hold := func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		s.send(&holder{ResponseWriter: w, left: 3 << 20, reached: reached, gone: q.Context().Done()}, q, s.data)
	}
	s := serve(t, data, at(hold, honest))
	b := newBench(t)
	boom := errors.New("unplugged")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-reached
		time.Sleep(300 * time.Millisecond)
		cancel(boom)
	}()
	if _, err := b.move(ctx, data, Object{}, places(t, s)); !errors.Is(err, boom) || errors.Is(err, wire.ErrSource) {
		t.Fatalf("expected the cause alone, found %v", err)
	}
	if result := b.brings(data, Object{}, places(t, s)); result.Moved == 0 || result.Moved > 2<<20 {
		t.Errorf("expected to move the rest, found %d bytes", result.Moved)
	}
	asked := s.asked()
	if len(asked) != 2 || !strings.HasPrefix(asked[1], "bytes=") || !strings.HasSuffix(asked[1], "-") {
		t.Errorf("expected a request for the rest, found %q", asked)
	}
}

// holder sends so many bytes, and then nothing.
type holder struct {
	http.ResponseWriter
	left    int
	reached chan struct{}
	gone    <-chan struct{}
}

func (h *holder) Write(p []byte) (int, error) {
	if len(p) <= h.left {
		h.left -= len(p)
		return h.ResponseWriter.Write(p)
	}
	h.ResponseWriter.Write(p[:h.left])
	http.NewResponseController(h.ResponseWriter).Flush()
	close(h.reached)
	<-h.gone
	panic(http.ErrAbortHandler)
}

// TestSourceOnIPv6Only is reached like any other.
func TestSourceOnIPv6Only(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	data := random(8, 100<<10)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { w.Write(data) })}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	newBench(t).brings(data, Object{}, []Place{placeAt(t, "http://"+listener.Addr().String())})
}

// TestTLS: a server of nobody known is not asked again, one that is known is. Small
// files share a connection; one that is large, or may be, has its own.
func TestTLS(t *testing.T) {
	t.Parallel()
	data, small := random(9, 2<<20), random(9, 1<<20)
	var mu sync.Mutex
	var protocols []int
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		protocols = append(protocols, q.ProtoMajor)
		mu.Unlock()
		if q.URL.Path == "/small/file" {
			w.Write(small)
			return
		}
		w.Write(data)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	b := newBench(t)
	says(t, b.refuses(data, Object{}, []Place{placeAt(t, server.URL)}, wire.ErrSource), "expected a certificate of an authority that this machine trusts")
	b.engine.RootCAs = x509.NewCertPool()
	b.engine.RootCAs.AddCert(server.Certificate())
	b.brings(data, Object{}, []Place{placeAt(t, server.URL)})
	b.brings(small, Object{}, []Place{placeAt(t, server.URL+"/small")})
	other := newBench(t)
	other.engine = b.engine
	if _, err := other.moveInto(t.Context(), small, -1, Object{Limit: 1 << 20}, []Place{placeAt(t, server.URL+"/small")}); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []int{1, 2, 1}; !slices.Equal(protocols, want) {
		t.Errorf("expected the versions %d of HTTP, found %d", want, protocols)
	}
}

// TestUnknownLength: a pinned object, whose length nobody has promised.
func TestUnknownLength(t *testing.T) {
	t.Parallel()
	data := random(10, 700<<10)
	chunked := func(s *server, _ int, w http.ResponseWriter, _ *http.Request) {
		w.Write(s.data[:1])
		http.NewResponseController(w).Flush()
		w.Write(s.data[1:])
	}
	for name, answer := range map[string]handler{"announced": honest, "chunked": chunked, "cut": cutting(300 << 10)} {
		s := serve(t, data, answer)
		b := newBench(t)
		if _, err := b.moveInto(t.Context(), data, -1, Object{Limit: 1 << 20}, places(t, s)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b.holds(data)
		b = newBench(t)
		if _, err := b.moveInto(t.Context(), data, -1, Object{Limit: 699 << 10}, places(t, s)); !errors.Is(err, wire.ErrTooLong) {
			t.Errorf("%s: expected %v, found %v", name, wire.ErrTooLong, err)
		}
	}
	s := serve(t, data, honest)
	b := newBench(t)
	if _, err := b.moveInto(t.Context(), random(11, 700<<10), -1, Object{Limit: 1 << 20}, places(t, s)); !errors.Is(err, cache.ErrMismatch) {
		t.Errorf("other bytes: expected %v, found %v", cache.ErrMismatch, err)
	}
	b.nothingStaged()
}
