package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestBandwidth: all bodies together come no faster, and nobody is given up for
// a pause that is ours.
func TestBandwidth(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("x"), 20<<10)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	u := parsed(t, server.URL)
	const rate = 100 << 10 // a second
	e := direct(Options{Bandwidth: rate, Document: 200 * time.Millisecond, Pace: 60 << 10})
	start := time.Now()
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if data, _, err := read(t, e, Request{URL: u}); err != nil || len(data) != len(body) {
				t.Errorf("a file: found %d bytes, %v", len(data), err)
			}
		})
		all.Go(func() {
			if data, _, err := e.ReadDocument(t.Context(), u, ReachOf(u), 1<<20); err != nil || len(data) != len(body) {
				t.Errorf("a document: found %d bytes, %v", len(data), err)
			}
		})
	}
	all.Wait()
	least := time.Duration(float64(4*len(body)-e.limiter.Burst()) / rate * float64(time.Second))
	if took := time.Since(start); took < least {
		t.Errorf("expected 4 × %d bytes to take %s, found %s", len(body), least, took)
	}
}

// TestBandwidthIsEven: a large buffer gets small pieces.
func TestBandwidthIsEven(t *testing.T) {
	t.Parallel()
	for bandwidth, most := range map[int64]int{1: 1, 5: 1, 1 << 10: 102, 1 << 20: 104857, 1 << 30: 256 << 10, 1 << 40: 256 << 10} {
		limiter := newLimiter(bandwidth)
		b := &limitedBody{io.NopCloser(zeros(1 << 30)), t.Context(), limiter, &pauses{}}
		n, err := b.ReadCloser.Read(make([]byte, 10))
		if n != 10 || err != nil {
			t.Fatal(n, err)
		}
		if n, err = b.Read(make([]byte, 1<<20)); err != nil || n > most || limiter.Burst() != most {
			t.Errorf("%d a second: expected at most %d at once, found %d, %d, %v", bandwidth, most, n, limiter.Burst(), err)
		}
	}
	paused := &pauses{}
	b := &limitedBody{io.NopCloser(zeros(100)), t.Context(), newLimiter(1 << 20), paused}
	if n, err := b.Read(make([]byte, 100)); n != 100 || err != nil || paused.sum() != 0 {
		t.Errorf("expected 100 bytes without a pause, found %d, %s, %v", n, paused.sum(), err)
	}
	if newLimiter(0) != nil || newLimiter(-1) != nil {
		t.Error("expected no limiter")
	}
}

// TestGivingUpInAPause: who waits for the limit hears of the caller at once.
func TestGivingUpInAPause(t *testing.T) {
	t.Parallel()
	interrupt := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	b := &limitedBody{io.NopCloser(zeros(1 << 20)), ctx, newLimiter(1), nil}
	time.AfterFunc(20*time.Millisecond, func() { cancel(interrupt) })
	var err error
	for err == nil { // the first byte is free, each further one takes a second
		_, err = b.Read(make([]byte, 10))
	}
	if !errors.Is(err, interrupt) {
		t.Errorf("expected %v, found %v", interrupt, err)
	}
}

// TestNoBandwidth: without a limit nothing stands between a reader and the body.
func TestNoBandwidth(t *testing.T) {
	t.Parallel()
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	for bandwidth, limited := range map[int64]bool{0: false, 1 << 20: true} {
		u := parsed(t, server.URL)
		a, err := direct(Options{Bandwidth: bandwidth}).Open(t.Context(), Request{URL: u, Reach: ReachOf(u)})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		if _, found := a.Body.(*limitedBody); found != limited {
			t.Errorf("%d a second: found %T", bandwidth, a.Body)
		}
	}
}

// TestPauses: they add up, and none counts twice.
func TestPauses(t *testing.T) {
	t.Parallel()
	var none *pauses
	none.begin()
	none.end()
	p := &pauses{}
	p.end()
	if p.sum() != 0 {
		t.Errorf("expected none, found %s", p.sum())
	}
	p.begin()
	since := p.since
	p.begin()
	if p.since != since {
		t.Error("a pause began twice")
	}
	waits(t, "the pause to count", func() bool { return p.sum() > time.Millisecond })
	p.end()
	first := p.sum()
	p.end()
	if p.sum() != first || first < time.Millisecond {
		t.Errorf("expected %s, found %s", first, p.sum())
	}
	p.begin()
	waits(t, "the pause to count", func() bool { return p.sum() > first })
}

func TestSlowReaderIsNoSilentSource(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 100)) })
	u := parsed(t, server.URL)
	a, err := direct(Options{Idle: 150 * time.Millisecond}).Open(t.Context(), Request{URL: u, Reach: ReachOf(u)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	for range 2 {
		time.Sleep(250 * time.Millisecond) // a slow disk
		if n, err := a.Body.Read(make([]byte, 10)); n == 0 || err != nil {
			t.Fatalf("found %d bytes, %v", n, err)
		}
	}
}
