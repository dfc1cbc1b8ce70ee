package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/wire"
)

// random makes bytes that are the same for the same seed.
func random(seed uint64, n int) []byte {
	source := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		word := source.Uint64()
		for j := range 8 {
			data[i+j] = byte(word >> (8 * j))
		}
	}
	return data
}

// server serves one file, as honestly as its handler says.
type server struct {
	*httptest.Server
	data []byte
	tag  string // ETag; empty: none

	mu     sync.Mutex
	ranges []string // the Range of each request
}

// handler answers one request; n counts them from 1.
type handler func(s *server, n int, w http.ResponseWriter, q *http.Request)

func serve(t *testing.T, data []byte, answer handler) *server {
	t.Helper()
	s := &server{data: data, tag: `"v1"`}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s.mu.Lock()
		s.ranges = append(s.ranges, q.Header.Get("Range"))
		n := len(s.ranges)
		s.mu.Unlock()
		if q.Method != http.MethodGet {
			t.Errorf("expected GET alone, found %s", q.Method)
		}
		answer(s, n, w, q)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ranges...)
}

// honest serves the file, with ranges and If-Range.
func honest(s *server, _ int, w http.ResponseWriter, q *http.Request) { s.send(w, q, s.data) }

func (s *server) send(w http.ResponseWriter, q *http.Request, data []byte) {
	if s.tag != "" {
		w.Header().Set("ETag", s.tag)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(data))
}

// cutting hangs up after so many bytes of each body.
func cutting(after int) handler {
	return func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		s.send(&cutter{ResponseWriter: w, left: after}, q, s.data)
	}
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.ResponseWriter.Write(p[:c.left])
		http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

// at answers the first requests by some handlers, and the rest by the last one.
func at(handlers ...handler) handler {
	return func(s *server, n int, w http.ResponseWriter, q *http.Request) {
		handlers[min(n, len(handlers))-1](s, n, w, q)
	}
}

func status(code int, header ...string) handler {
	return func(_ *server, _ int, w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "no", code)
	}
}

// whole serves the file from its beginning, whatever was asked for.
func whole(s *server, n int, w http.ResponseWriter, q *http.Request) {
	q.Header.Del("Range")
	s.send(w, q, s.data)
}

// bench is a cache, and a mover that does not wait for long.
type bench struct {
	t       *testing.T
	store   *cache.Store
	dir     string
	options Options
	engine  wire.Options
	pace    pace
	notices []string
	seen    []Observation
	mu      sync.Mutex
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	store, err := cache.Open(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, store: store, dir: dir, options: Options{Pause: time.Millisecond, MaxPause: time.Second}, pace: steady}
}

// hasty is the pace where connections are opened after a moment.
var hasty = pace{tick: 20 * time.Millisecond, measure: 200 * time.Millisecond, settle: 50 * time.Millisecond, worthwhile: 300 * time.Millisecond}

type meter struct {
	mu   sync.Mutex
	came int
}

func (m *meter) Add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.came += n
}

func digests(data []byte) artifact.Digests {
	return artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}
}

func pieces(data []byte, length int) Pieces {
	p := Pieces{Length: int64(length)}
	for at := 0; at < len(data); at += length {
		p.Digests = append(p.Digests, artifact.DigestOf(artifact.SHA256, data[at:min(at+length, len(data))]))
	}
	return p
}

func places(t *testing.T, servers ...*server) []Place {
	t.Helper()
	var all []Place
	for _, s := range servers {
		all = append(all, placeAt(t, s.URL))
	}
	return all
}

func placeAt(t *testing.T, raw string) Place {
	t.Helper()
	u, err := url.Parse(raw + "/file")
	if err != nil {
		t.Fatal(err)
	}
	return Place{URL: u, Reach: wire.ReachOf(u)}
}

// move moves the data into the cache. After an error the stage is kept.
func (b *bench) move(ctx context.Context, data []byte, object Object, places []Place) (Result, error) {
	b.t.Helper()
	return b.moveInto(ctx, data, int64(len(data)), object, places)
}

func (b *bench) moveInto(ctx context.Context, data []byte, length int64, object Object, places []Place) (Result, error) {
	b.t.Helper()
	options := b.options
	options.Notice = func(text string) { b.mu.Lock(); b.notices = append(b.notices, text); b.mu.Unlock() }
	object.Observe = func(o Observation) { b.mu.Lock(); b.seen = append(b.seen, o); b.mu.Unlock() }
	stage, err := b.store.Stage(ctx, digests(data), max(length, 0))
	if length < 0 {
		stage.Abort()
		stage, err = b.store.StageAny(ctx, digests(data))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	defer stage.Keep()
	m := &meter{}
	object.Name = "file"
	mover := New(wire.New(b.engine), options)
	mover.pace = b.pace
	result, err := mover.Move(ctx, object, places, stage, m)
	if err == nil {
		_, err = stage.Commit(ctx)
	}
	if err == nil && m.came != len(data) {
		b.t.Errorf("expected %d bytes to be counted in the end, found %d", len(data), m.came)
	}
	return result, err
}

// brings expects the data to come, and nothing but it to be there afterwards.
func (b *bench) brings(data []byte, object Object, places []Place) Result {
	b.t.Helper()
	result, err := b.move(b.t.Context(), data, object, places)
	if err != nil {
		b.t.Fatal(err)
	}
	b.holds(data)
	return result
}

func (b *bench) holds(data []byte) {
	b.t.Helper()
	blob, err := b.store.Get(digests(data)[0])
	if err != nil {
		b.t.Fatal(err)
	}
	if err := blob.Check(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.nothingStaged()
}

func (b *bench) nothingStaged() {
	b.t.Helper()
	if left, err := filepath.Glob(filepath.Join(b.dir, "staging", "*")); err != nil || len(left) > 0 {
		b.t.Errorf("left behind: %q, %v", left, err)
	}
}

// refuses expects an error of a kind, no blob, and nothing in its place.
func (b *bench) refuses(data []byte, object Object, places []Place, kind error) error {
	b.t.Helper()
	_, err := b.move(b.t.Context(), data, object, places)
	if !errors.Is(err, kind) {
		b.t.Fatalf("expected %v, found %v", kind, err)
	}
	if _, err := b.store.Get(digests(data)[0]); !errors.Is(err, cache.ErrMissing) {
		b.t.Errorf("expected no blob, found %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(b.dir, "blobs")); err == nil && len(left) > 0 {
		b.t.Errorf("expected no blob, found %v", left)
	}
	return err
}

func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("expected the message to mention %q, found %v", part, err)
		}
	}
}

func rangeFrom(n int) string { return fmt.Sprintf("bytes=%d-", n) }

func engineOf(b *bench) *wire.Engine { return wire.New(b.engine) }
