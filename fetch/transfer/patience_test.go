package transfer

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"assay/cache"
)

// TestReadingOverWhatIsThere is no progress, but no silence either: a place that
// knows no ranges may take longer for it than the window.
func TestReadingOverWhatIsThere(t *testing.T) {
	t.Parallel()
	data := random(40, 3<<20)
	limit := slowPerConnection(8 << 20)
	s := serve(t, data, at(cutting(2<<20), func(s *server, n int, w http.ResponseWriter, q *http.Request) {
		q.Header.Del("Range")
		limit(s, n, w, q)
	}))
	b := newBench(t)
	b.options.Window, b.options.Retries, b.pace = 100*time.Millisecond, 1, hasty
	b.brings(data, Object{}, places(t, s))
}

// TestBytesThatThisDiskLost are fetched again, and the place that had sent them is
// not blamed.
func TestBytesThatThisDiskLost(t *testing.T) {
	t.Parallel()
	data := random(41, 2<<20)
	s := serve(t, data, at(cutting(1<<20), status(401), honest))
	b := newBench(t)
	if _, err := b.move(t.Context(), data, Object{}, places(t, s)); err == nil {
		t.Fatal("expected the first run to fail")
	}
	parts, err := filepath.Glob(filepath.Join(b.dir, "staging", "*.part"))
	if err != nil || len(parts) != 1 {
		t.Fatalf("expected a partial file, found %q, %v", parts, err)
	}
	file, err := os.OpenFile(parts[0], os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteAt(make([]byte, 4096), 8192)
	}
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if err := os.Remove(parts[0][:len(parts[0])-len(".part")] + ".resume.new"); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if result := b.brings(data, Object{Pieces: pieces(data, 64<<10)}, places(t, s)); len(result.Wrong) > 0 {
		t.Errorf("expected nobody to be blamed, found %q", result.Wrong)
	}
}

// TestSuspectThatNobodyCanReplace is asked again for all of it, before the object is
// given up.
func TestSuspectThatNobodyCanReplace(t *testing.T) {
	t.Parallel()
	data := random(42, 1<<20)
	honestOne := serve(t, data, at(cutting(300<<10), status(503, "Retry-After", "1"), honest))
	liar := serve(t, data, at(lying(500<<10, 500<<10+1), status(404)))
	b := newBench(t)
	result := b.brings(data, Object{}, places(t, honestOne, liar))
	if len(result.Wrong) > 0 {
		t.Errorf("expected nobody to be named, as nobody knows, found %q", result.Wrong)
	}
}

// TestTurnsOfOneAlone: where one place is to be asked for all of it, and has to be
// waited for, nobody turns meanwhile.
func TestTurnsOfOneAlone(t *testing.T) {
	t.Parallel()
	j := &job{tuner: tuner{pace: steady}, sites: []*site{{after: time.Now().Add(time.Hour)}, {}}}
	select {
	case <-j.turn():
	case <-time.After(10 * time.Second):
		t.Error("expected the second's turn at once")
	}
	j.trial.alone = true
	select {
	case <-j.turn():
		t.Error("expected to wait for the first")
	case <-time.After(50 * time.Millisecond):
	}
	if s := j.nextSite(time.Now()); s != nil {
		t.Errorf("expected nobody to be asked, found %+v", s)
	}
}

// TestDripsHoldNoBuffers: as many dripping places as the store has buffers do not
// hold up an honest one.
func TestDripsHoldNoBuffers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.engine.PerHost = 64
	ctx, cancel := context.WithCancel(t.Context())
	drip := serve(t, nil, func(_ *server, _ int, w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		for q.Context().Err() == nil {
			w.Write(make([]byte, 100))
			http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	})
	engine := engineOf(b)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			stage, err := b.store.Stage(ctx, digests([]byte(fmt.Sprint(i))), 1_000_000)
			if err != nil {
				return
			}
			defer stage.Abort()
			New(engine, b.options).Move(ctx, Object{}, places(t, drip), stage, &meter{})
		})
	}
	for len(drip.asked()) < 20 {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	data := random(43, 4<<20)
	good := serve(t, data, honest)
	if _, err := b.move(t.Context(), data, Object{}, places(t, good)); err != nil || len(good.asked()) != 1 {
		t.Errorf("expected one request, found %d, %v", len(good.asked()), err)
	}
	cancel()
	all.Wait()
}

// TestPiecesAreCheckedAgain, once what they were made of was dropped.
func TestPiecesAreCheckedAgain(t *testing.T) {
	t.Parallel()
	c := newChecker(Pieces{Length: 10, Digests: digests(nil)})
	c.right = []bool{true, true, true}
	c.forget(cache.Span{From: 10, To: 11})
	if !c.right[0] || c.right[1] || !c.right[2] {
		t.Errorf("expected the second alone to be forgotten, found %v", c.right)
	}
	c.forget(cache.Span{From: 9, To: 100})
	if c.right[0] || c.right[2] {
		t.Errorf("expected all to be forgotten, found %v", c.right)
	}
}
