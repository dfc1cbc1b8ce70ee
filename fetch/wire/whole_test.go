package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/trust"
)

// zeros gives so many bytes, in pieces as a connection does.
func zeros(n int64) io.Reader {
	return &pieces{io.LimitReader(endless{}, n)}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type pieces struct{ r io.Reader }

func (p *pieces) Read(data []byte) (int, error) { return p.r.Read(data[:min(len(data), 30000)]) }

func TestReadWhole(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct {
		name               string
		arrives, announced int64
		allocates          float64 // MiB at most, all in all
	}{
		{"nothing", 0, 0, 0.1},
		{"nothing, unknown", 0, -1, 0.1},
		{"small", 700, 700, 0.1},
		{"one block", 4 * mib, 4 * mib, 4.1},
		{"large", 64 * mib, 64 * mib, 1.5*64 + 4},
		{"uneven", 61*mib + 17, 61*mib + 17, 1.5*61 + 5},
		{"large, unknown", 32 * mib, -1, 2*32 + 9},
		{"a lie that is too long", 1 * mib, 1 << 40, 5.5},
		{"a lie that goes on", 20 * mib, 60 * mib, 3*20 + 4},
		{"a lie that is too short", 10 * mib, 1000, 2*10 + 9},
		{"one more", 64*mib + 1, 64 * mib, 2.5*64 + 4},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		data, err := readWhole(zeros(test.arrives), test.announced)
		runtime.ReadMemStats(&after)
		if err != nil || int64(len(data)) != test.arrives {
			t.Errorf("%s: expected %d bytes, found %d, %v", test.name, test.arrives, len(data), err)
		}
		if got := float64(after.TotalAlloc-before.TotalAlloc) / mib; got > test.allocates {
			t.Errorf("%s: expected at most %.1f MiB to be allocated, found %.1f", test.name, test.allocates, got)
		}
	}
}

// TestReadWholeKeepsTheOrder: blocks that are joined are not mixed up.
func TestReadWholeKeepsTheOrder(t *testing.T) {
	want := make([]byte, 9<<20)
	for i := range want {
		want[i] = byte(i * 7 >> 11)
	}
	for _, announced := range []int64{-1, 0, 5, 4 << 20, 8 << 20, 9 << 20, 9<<20 + 1, 1 << 40} {
		got, err := readWhole(&pieces{bytes.NewReader(want)}, announced)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("announced %d: expected the bytes as they are, found %d others, %v", announced, len(got), err)
		}
	}
	boom := errors.New("boom")
	broken := io.MultiReader(bytes.NewReader(want), failing{boom})
	if got, err := readWhole(broken, -1); !errors.Is(err, boom) || got != nil {
		t.Errorf("expected %v alone, found %d bytes, %v", boom, len(got), err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// document reads from a server that sends piece after piece, with pauses.
func document(t *testing.T, options Options, pieces, length int, pause time.Duration) ([]byte, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		for range pieces {
			io.WriteString(w, strings.Repeat("x", length))
			w.(http.Flusher).Flush()
			select {
			case <-time.After(pause):
			case <-q.Context().Done():
				return
			}
		}
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := New(options).ReadDocument(t.Context(), u, ReachOf(u), 1<<20)
	return data, err
}

func TestDocumentAtItsLimit(t *testing.T) {
	t.Parallel()
	where, _ := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789")
	u := parsed(t, where)
	for limit, want := range map[int64]error{11: nil, 10: nil, 9: ErrTooLong} {
		data, a, err := direct(Options{}).ReadDocument(t.Context(), u, ReachOf(u), limit)
		if !errors.Is(err, want) || len(data) != 10 || a == nil {
			t.Errorf("at most %d bytes: expected %v, found %d bytes, %v", limit, want, len(data), err)
		}
	}
}

// TestSlowButHonest: what keeps the pace may take many windows.
func TestSlowButHonest(t *testing.T) {
	t.Parallel()
	options := Options{Document: 150 * time.Millisecond, Pace: 1000}
	if data, err := document(t, options, 60, 1000, 10*time.Millisecond); err != nil || len(data) != 60000 {
		t.Errorf("expected 60000 bytes, found %d, %v", len(data), err)
	}
}

// TestByteNowAndThen: a source that never pauses for long, and never gets done.
func TestByteNowAndThen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options Options
		parts   []string
	}{
		"pace": {Options{Document: 200 * time.Millisecond, Pace: 5000}, []string{"given up: too slow: expected at least 5000 bytes a second over 200ms, found "}},
		"idle": {Options{Idle: 5 * time.Millisecond}, []string{"given up: too slow: no bytes came for 5ms"}},
	} {
		start := time.Now()
		data, err := document(t, test.options, 3000, 1, 20*time.Millisecond)
		var source *SourceError
		if !errors.Is(err, trust.ErrNoAnswer) || !errors.As(err, &source) || data != nil {
			t.Errorf("%s: expected %v of a source, found %d bytes, %v", name, trust.ErrNoAnswer, len(data), err)
			continue
		}
		for _, part := range test.parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: expected the message to mention %q, found %v", name, part, err)
			}
		}
		if strings.Contains(err.Error(), trust.ErrNoAnswer.Error()) {
			t.Errorf("%s: it did answer, but the message is %v", name, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: expected to give up soon, found %v", name, took)
		}
	}
}

// TestPaceOfEachWindow: what came in one window does not count in the next.
func TestPaceOfEachWindow(t *testing.T) {
	t.Parallel()
	for _, first := range []int64{0, 1 << 30} {
		ctx, cancel := context.WithCancelCause(t.Context())
		p := newPace(ctx, cancel, 10*time.Millisecond, 1)
		p.arrived.Add(first)
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Fatalf("%d bytes at first: expected it to be given up", first)
		}
		if cause := context.Cause(ctx); !errors.Is(cause, trust.ErrNoAnswer) || !strings.Contains(cause.Error(), "found 0") {
			t.Errorf("%d bytes at first: expected %v, found %v", first, trust.ErrNoAnswer, cause)
		}
	}
}

// TestDocumentIsAskedForAgain: where the source is busy or breaks off, a few times,
// and where it is not, never.
func TestDocumentIsAskedForAgain(t *testing.T) {
	t.Parallel()
	status := func(code int, after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(code)
		}
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "{")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, test := range map[string]struct {
		first   http.HandlerFunc
		times   int64 // that it answers so; then it is honest
		retries int
		asked   int64
		kind    error
	}{
		"503 once":           {status(503, ""), 1, 0, 2, nil},
		"503 twice":          {status(503, ""), 2, 0, 3, nil},
		"503 thrice":         {status(503, ""), 3, 0, 3, ErrSource},
		"503, none wanted":   {status(503, ""), 1, -1, 1, ErrSource},
		"429 with a time":    {status(429, "1"), 1, 0, 2, nil},
		"429 with an hour":   {status(429, "3600"), 1, 0, 1, ErrSource},
		"cut":                {cut, 2, 0, 3, nil},
		"404":                {status(404, ""), 1, 0, 1, fs.ErrNotExist},
		"401":                {status(401, ""), 1, 0, 1, ErrSource},
		"closed before that": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 1, 0, 1, trust.ErrNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if asked.Add(1) <= test.times {
					test.first(w, q)
					return
				}
				io.WriteString(w, "{}")
			}))
			t.Cleanup(server.Close)
			u := parsed(t, server.URL)
			data, _, err := New(Options{Pause: time.Millisecond, Retries: test.retries}).ReadDocument(t.Context(), u, ReachOf(u), 1000)
			if !errors.Is(err, test.kind) || (test.kind == nil) != (string(data) == "{}") {
				t.Errorf("expected %v, found %q, %v", test.kind, data, err)
			}
			if n := asked.Load(); n != test.asked {
				t.Errorf("expected %d requests, found %d", test.asked, n)
			}
		})
	}
}
