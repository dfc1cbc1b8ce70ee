package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"testing"
	"time"

	"assay/cache"
	"assay/fetch/wire"
)

// lying serves the file with bytes that are others from an offset on.
func lying(from, to int) handler {
	return func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		bad := slices.Clone(s.data)
		for i := from; i < to; i++ {
			bad[i] ^= 1
		}
		s.send(w, q, bad)
	}
}

// TestFailover: whatever the first place does, the second brings the rest, and what
// the first has sent is not fetched again.
func TestFailover(t *testing.T) {
	t.Parallel()
	data := random(20, 800<<10)
	for name, test := range map[string]struct {
		first handler
		moved int64
	}{
		"cut":              {at(cutting(400<<10), status(404)), 800 << 10},
		"gone":             {status(404), 800 << 10},
		"401":              {status(401), 800 << 10},
		"busy for an hour": {status(503, "Retry-After", "3600"), 800 << 10},
		"stalls":           {silentAfter(400 << 10), 800 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := serve(t, data, test.first), serve(t, data, honest)
			b := newBench(t)
			b.options.Stall, b.options.Pause, b.options.Window = 300*time.Millisecond, 300*time.Millisecond, 5*time.Second
			result := b.brings(data, Object{}, places(t, first, second))
			if result.Moved != test.moved || len(result.Wrong) != 0 {
				t.Errorf("expected %d bytes, and nobody named, found %+v", test.moved, result)
			}
			if name == "stalls" {
				b.observed(t, first, errStalled)
			}
		})
	}
}

func silentAfter(n int) handler {
	return func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		s.send(&holder{ResponseWriter: w, left: n, reached: make(chan struct{}), gone: q.Context().Done()}, q, s.data)
	}
}

// TestNoPlaceHasIt: each one's reason is told.
func TestNoPlaceHasIt(t *testing.T) {
	t.Parallel()
	data := random(21, 1000)
	first, second := serve(t, data, status(404)), serve(t, data, status(500))
	b := newBench(t)
	err := b.refuses(data, Object{}, places(t, first, second), wire.ErrSource)
	says(t, err, first.URL, "404", second.URL, "500")
	var all *PlacesError
	if !errors.As(err, &all) || len(all.Errs) != 2 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected both errors, found %v", err)
	}
	if _, err := b.move(t.Context(), data, Object{}, nil); !errors.Is(err, ErrNoPlace) {
		t.Errorf("expected %v, found %v", ErrNoPlace, err)
	}
}

// TestMirrorThatLiesInOneSegment: with pieces the good bytes are kept, the liar is
// dropped and named, and the file completes from another.
func TestMirrorThatLiesInOneSegment(t *testing.T) {
	t.Parallel()
	const piece = 128 << 10
	data := random(22, 1<<20+5000)
	liar, good := serve(t, data, lying(3*piece+10, 3*piece+11)), serve(t, data, honest)
	b := newBench(t)
	result := b.brings(data, Object{Pieces: pieces(data, piece)}, places(t, liar, good))
	if !slices.Equal(result.Wrong, []string{liar.URL + "/file"}) {
		t.Errorf("expected the liar to be named, found %q", result.Wrong)
	}
	if want := []string{"bytes=393216-524287"}; !slices.Equal(good.asked(), want) {
		t.Errorf("expected the bad piece alone to be fetched again, found %q", good.asked())
	}
	b.observed(t, liar, ErrWrongBytes)
}

func (b *bench) observed(t *testing.T, s *server, kind error) {
	t.Helper()
	if !slices.ContainsFunc(b.seen, func(o Observation) bool { return o.URL.Host == s.Listener.Addr().String() && errors.Is(o.Err, kind) }) {
		t.Errorf("expected %v to be observed of %s, found %+v", kind, s.URL, b.seen)
	}
}

// TestLiarWithoutPieces: nobody can tell which bytes were wrong, so what the liar
// has sent is dropped, and what the other one has is kept.
func TestLiarWithoutPieces(t *testing.T) {
	t.Parallel()
	data := random(23, 1<<20)
	liar, good := serve(t, data, at(func(s *server, n int, w http.ResponseWriter, q *http.Request) {
		lying(1000, 1001)(s, n, &cutter{ResponseWriter: w, left: 300 << 10}, q)
	}, status(404))), serve(t, data, honest)
	b := newBench(t)
	result := b.brings(data, Object{}, places(t, liar, good))
	if !slices.Equal(result.Wrong, []string{liar.URL + "/file"}) && len(result.Wrong) != 0 {
		t.Errorf("expected the liar alone to be named, found %q", result.Wrong)
	}
	if want := []string{"bytes=307200-", "bytes=0-307199"}; !slices.Equal(good.asked(), want) {
		t.Errorf("expected the rest, and then what the liar had sent, found %q", good.asked())
	}
	b.observed(t, liar, ErrWrongBytes)
}

// TestLastPlaceLies: the suspects are innocent, and what the last one sent is
// fetched again in the end.
func TestLastPlaceLies(t *testing.T) {
	t.Parallel()
	data := random(24, 1<<20)
	good, liar := serve(t, data, at(cutting(300<<10), status(503), honest)), serve(t, data, lying(500<<10, 500<<10+1))
	b := newBench(t)
	b.options.Pause = 300 * time.Millisecond
	result := b.brings(data, Object{}, places(t, good, liar))
	if !slices.Equal(result.Wrong, []string{liar.URL + "/file"}) {
		t.Errorf("expected the liar alone to be named, found %q", result.Wrong)
	}
}

// TestAllLie: nothing is left, and all are named.
func TestAllLie(t *testing.T) {
	t.Parallel()
	data := random(25, 600<<10)
	for _, object := range []Object{{}, {Pieces: pieces(data, 100<<10)}} {
		a, c := serve(t, data, lying(0, 1)), serve(t, data, lying(0, 1))
		b := newBench(t)
		err := b.refuses(data, object, places(t, a, c), cache.ErrMismatch)
		says(t, err, a.URL, c.URL)
		if !errors.Is(err, ErrWrongBytes) {
			t.Errorf("expected %v, found %v", ErrWrongBytes, err)
		}
		if object.Pieces.Length == 0 {
			b.nothingStaged()
		}
	}
}

// TestBytesOfAnEarlierRun that are wrong are fetched again, and nobody is blamed.
func TestBytesOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	data := random(26, 1<<20)
	b := newBench(t)
	stage, err := b.store.Stage(t.Context(), digests(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Write(random(27, 512<<10)); err != nil {
		t.Fatal(err)
	}
	if err := stage.Keep(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, data, honest)
	result := b.brings(data, Object{}, places(t, s))
	if len(result.Wrong) != 0 || result.Moved != 1<<20 {
		t.Errorf("expected all of it to be moved, and nobody named, found %+v", result)
	}
}

// TestFileThatChangesAllTheTime is given up, however often it changes.
func TestFileThatChangesAllTheTime(t *testing.T) {
	t.Parallel()
	data := random(28, 300<<10)
	s := serve(t, data, func(s *server, n int, w http.ResponseWriter, q *http.Request) {
		s.mu.Lock()
		s.tag = fmt.Sprintf(`"v%d"`, n)
		s.mu.Unlock()
		bad := random(uint64(100+n), len(data))
		if n%2 == 1 {
			s.send(&cutter{ResponseWriter: w, left: 200 << 10}, q, bad)
			return
		}
		s.send(w, q, bad)
	})
	b := newBench(t)
	says(t, b.refuses(data, Object{}, places(t, s), cache.ErrMismatch), s.URL)
	if n := len(s.asked()); n > 60 {
		t.Errorf("expected to give up before, found %d requests", n)
	}
}
