package fetch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func key(path string) documentKey { return documentKey{kind: "test", path: path} }

// Of many who ask at once one reads; an error is nobody's but that one's.
func TestOneReadsForAll(t *testing.T) {
	t.Parallel()
	l, broken := newLibrary(), errors.New("broken")
	var reads, failures atomic.Int64
	read := func() (string, error) {
		if reads.Add(1) == 1 {
			return "", broken
		}
		return "text", nil
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			text, err := remembered(t.Context(), l, key("a"), 4, read)
			switch {
			case errors.Is(err, broken):
				failures.Add(1)
			case err != nil || text != "text":
				t.Errorf("found %q, %v", text, err)
			}
		})
	}
	all.Wait()
	// Who came between the failure and the success may have begun anew.
	if failures.Load() != 1 || reads.Load() > 3 {
		t.Errorf("%d failures, %d reads", failures.Load(), reads.Load())
	}
	reads.Store(1)
	if text, err := remembered(t.Context(), l, key("a"), 4, read); err != nil || text != "text" {
		t.Errorf("found %q, %v", text, err)
	}
}

// What is kept is bounded, and what was put out is read again.
func TestLibraryIsBounded(t *testing.T) {
	t.Parallel()
	l := newLibrary()
	reads := 0
	for _, path := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "a"} {
		_, err := remembered(t.Context(), l, key(path), libraryBytes/4, func() (string, error) { reads++; return path, nil })
		if err != nil {
			t.Fatal(err)
		}
		if l.bytes > libraryBytes || int64(len(l.kept))*(libraryBytes/4) != l.bytes {
			t.Fatalf("%d documents of %d bytes", len(l.kept), l.bytes)
		}
	}
	if reads < 9 || len(l.kept) != 4 {
		t.Errorf("%d reads, %d kept", reads, len(l.kept))
	}
}

// Who waits for another's reading waits no longer than it wants.
func TestWaitingForAReaderEnds(t *testing.T) {
	t.Parallel()
	l := newLibrary()
	reading, end := make(chan struct{}), make(chan struct{})
	var first sync.WaitGroup
	first.Go(func() {
		_, _ = remembered(t.Context(), l, key("a"), 1, func() (string, error) { close(reading); <-end; return "", nil })
	})
	<-reading
	gaveUp := errors.New("gave up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gaveUp)
	if _, err := remembered(ctx, l, key("a"), 1, func() (string, error) { t.Error("read beside another"); return "", nil }); !errors.Is(err, gaveUp) {
		t.Errorf("found %v", err)
	}
	close(end)
	first.Wait()
}

func TestSlots(t *testing.T) {
	t.Parallel()
	s := newSlots(2)
	taken := func(length int64) (func(), bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		end, err := s.take(ctx, length)
		return end, err == nil
	}
	var ends []func()
	for range 9 { // one large file and eight small ones
		length := int64(smallFile)
		if len(ends) == 0 {
			length++
		}
		end, ok := taken(length)
		if !ok {
			t.Fatalf("no room behind %d", len(ends))
		}
		ends = append(ends, end)
	}
	for _, length := range []int64{0, -1, smallFile + 1} {
		if _, ok := taken(length); ok {
			t.Errorf("room for one more, of %d bytes", length)
		}
	}
	ends[1]()
	ends[1]()
	if _, ok := taken(-1); ok {
		t.Error("room for a file of unknown length in the place of a small one")
	}
	if _, ok := taken(1); !ok {
		t.Error("no room where one has ended")
	}
}
