package serve_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/mirror"
	"assay/mirror/counters"
	"assay/mirror/serve"
	"assay/mirror/storage"
)

// shelf is a Library whose files lie in a folder by their digest. It notes which
// names it was asked for.
type shelf struct {
	dir string

	mu     sync.Mutex
	files  map[string]mirror.File // by "REPOSITORY/NAME"
	errs   map[string]error       // by the same
	papers map[artifact.Digest][]mirror.File
	status map[string]mirror.Status
	ready  error
	asked  []string
	opened int
	wait   chan struct{} // Open waits until it is closed; nil: it does not
	panics bool
	quiet  bool // nothing is noted, for benchmarks
}

func newShelf(t testing.TB) *shelf {
	return &shelf{
		dir: t.TempDir(), files: map[string]mirror.File{}, errs: map[string]error{}, papers: map[artifact.Digest][]mirror.File{},
		status: map[string]mirror.Status{},
	}
}

// add puts a file on the shelf and returns it.
func (s *shelf) add(t testing.TB, name string, data []byte) mirror.File {
	t.Helper()
	repository, inner, _ := strings.Cut(name, "/")
	digests := artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}
	if err := os.WriteFile(filepath.Join(s.dir, digests.Primary().Hex()), data, 0o600); err != nil {
		t.Fatal(err)
	}
	f := mirror.File{Repository: repository, Name: inner, Digests: digests, Length: int64(len(data)), Target: strings.HasPrefix(inner, "targets/")}
	s.set(f)
	return f
}

func (s *shelf) set(f mirror.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[f.Repository+"/"+f.Name] = f
}

func (s *shelf) Find(repository, name string) (mirror.File, error) {
	key := repository + "/" + name
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("the library panics")
	}
	if !s.quiet {
		s.asked = append(s.asked, key)
	}
	if err := s.errs[key]; err != nil {
		return mirror.File{}, err
	}
	f, ok := s.files[key]
	if !ok {
		return mirror.File{}, mirror.ErrNoFile
	}
	return f, nil
}

func (s *shelf) Blob(digest artifact.Digest) (mirror.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, digest.String())
	for _, f := range s.files {
		if f.Digests.Primary() == digest {
			return f, nil
		}
	}
	return mirror.File{}, mirror.ErrNoFile
}

func (s *shelf) Attestations(digest artifact.Digest) ([]mirror.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.papers[digest], nil
}

func (s *shelf) Open(ctx context.Context, f mirror.File) (storage.Object, error) {
	s.mu.Lock()
	s.opened++
	wait := s.wait
	s.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	o, err := os.Open(filepath.Join(s.dir, f.Digests.Primary().Hex()))
	if err != nil {
		return nil, storage.ErrMissing
	}
	return o, nil
}

func (s *shelf) Status(repository string) (mirror.Status, error) {
	status, ok := s.status[repository]
	if !ok {
		return status, mirror.ErrNoRepository
	}
	return status, nil
}

func (s *shelf) Ready() error { return s.ready }

// took returns what was asked for since it was called last.
func (s *shelf) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// site is a Server that answers on a loopback address.
type site struct {
	*serve.Server
	t       testing.TB
	shelf   *shelf
	address string
	log     *safeBuffer
	counts  *counters.Set
	client  *http.Client
	stop    func() error // what Serve returned
}

// open starts a server until the test ends.
func open(t testing.TB, shelf *shelf, c serve.Config) *site {
	t.Helper()
	s := &site{t: t, shelf: shelf, log: &safeBuffer{}, counts: &counters.Set{}}
	c.Library, c.Counters = shelf, s.counts
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var err error
	if s.Server, err = serve.New(c); err != nil {
		t.Fatal(err)
	}
	l, err := serve.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	transport := &http.Transport{DisableCompression: true}
	s.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() { transport.CloseIdleConnections(); s.stop() })
	return s
}

// raw sends bytes as they are, and returns what comes until the server closes.
func (s *site) raw(request string) string {
	s.t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write([]byte(request)); err != nil {
		s.t.Fatal(err)
	}
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(c); err != nil && !strings.Contains(err.Error(), "reset") {
		s.t.Fatalf("%.200q: expected the server to close, found %v after %.200q", request, err, answer.String())
	}
	return answer.String()
}

// safeBuffer is a log that is read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
