package interop_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"assay/internal/testrepo"
	"assay/mirror"
)

// distant is a publisher behind a line of a given rate, which notes what it sends of
// one target.
type distant struct {
	handler http.Handler
	target  string // a part of its path
	line    *rate.Limiter

	mu           sync.Mutex
	requests     int
	bytes        int64
	began, ended time.Time
}

func (d *distant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, d.target) {
		d.handler.ServeHTTP(w, r)
		return
	}
	d.mu.Lock()
	d.requests++
	if d.began.IsZero() {
		d.began = time.Now()
	}
	d.mu.Unlock()
	d.handler.ServeHTTP(&slowed{w, r, d}, r)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = time.Now()
}

// slowed is an answer that goes through the line.
type slowed struct {
	http.ResponseWriter
	r *http.Request
	d *distant
}

func (s *slowed) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		n := min(len(p), s.d.line.Burst())
		if err = s.d.line.WaitN(s.r.Context(), n); err == nil {
			n, err = s.ResponseWriter.Write(p[:n])
			written, p = written+n, p[n:]
			s.d.mu.Lock()
			s.d.bytes += int64(n)
			s.d.mu.Unlock()
		}
	}
	return written, err
}

// stampede has many clients ask a lazy mirror for one cold target at once. Each reads
// so many bytes of it, once all have an answer; read = size: all of them. It returns
// how long the answer of each was waited for, and what the upstream saw.
func stampede(t testing.TB, clients int, size, read int64, line rate.Limit) ([]time.Duration, *distant) {
	t.Helper()
	repo, err := testrepo.New(testrepo.Options{})
	must(t, err)
	must(t, repo.AddLarge("large/file", size, 7))
	must(t, repo.Publish())
	d := &distant{handler: repo.Handler(), target: "large/", line: rate.NewLimiter(line, 64<<10)}
	server := httptest.NewServer(d)
	defer server.Close()
	s := mirrored(t, published{url: server.URL, root: repo.RootBytes(1), mode: mirror.Lazy})
	defer s.stop()
	if d.requests != 0 {
		t.Errorf("before anybody asks: expected no request for it, found %d", d.requests)
	}
	// Each has a connection of its own, which is there before the crowd starts.
	transport := &http.Transport{MaxIdleConnsPerHost: clients, MaxIdleConns: clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	start := make(chan struct{})
	waits := make([]time.Duration, clients)
	var all, ready, answered sync.WaitGroup
	ready.Add(clients)
	answered.Add(clients)
	for i := range clients {
		all.Go(func() {
			answer, err := client.Get(s.url + "/timestamp.json")
			ready.Done() // with the connection in its hands
			<-start
			if err == nil {
				_, err = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			began := time.Now()
			if err == nil {
				answer, err = client.Get(s.url + "/targets/large/file")
			}
			waits[i] = time.Since(began)
			answered.Done()
			answered.Wait()
			if err == nil {
				err = readSome(answer, size, read)
			}
			if err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
	return waits, d
}

// readSome reads the beginning of an answer that must promise the whole.
func readSome(answer *http.Response, size, read int64) error {
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ContentLength != size {
		return fmt.Errorf("expected status 200 and %d bytes, found %d and %d", size, answer.StatusCode, answer.ContentLength)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(answer.Body, read))
	if err != nil || n != read {
		return fmt.Errorf("expected to read %d bytes, found %d, %w", read, n, err)
	}
	return nil
}

func TestStampedeIsOneTransfer(t *testing.T) {
	t.Parallel()
	const clients, size = 100, 8 << 20
	_, d := stampede(t, clients, size, size, 32<<20)
	if d.requests != 1 || d.bytes != size {
		t.Errorf("%d clients: expected one request and %d bytes, found %d and %d", clients, size, d.requests, d.bytes)
	}
}

// BenchmarkStampede: 500 clients ask for one cold target of 100 MiB, which comes from
// afar at 25 MiB/s. It reports how many times longer than the upstream's transfer the
// last answer was waited for, as it began and at the median, and how often the bytes
// came.
func BenchmarkStampede(b *testing.B) {
	const clients, size = 500, 100 << 20
	for b.Loop() {
		waits, d := stampede(b, clients, size, 1<<20, 25<<20)
		slices.Sort(waits)
		transfer := d.ended.Sub(d.began).Seconds()
		b.ReportMetric(transfer, "s/transfer")
		b.ReportMetric(waits[clients-1].Seconds()/transfer, "longest/transfer")
		b.ReportMetric(waits[clients/2].Seconds()/transfer, "median/transfer")
		b.ReportMetric(float64(d.bytes)/size, "transfers")
	}
}
