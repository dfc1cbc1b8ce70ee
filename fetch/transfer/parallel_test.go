package transfer

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// slowPerConnection serves each connection at so many bytes a second.
func slowPerConnection(bytesPerSecond int) handler {
	return func(s *server, _ int, w http.ResponseWriter, q *http.Request) {
		s.send(&slow{w, q, rate.NewLimiter(rate.Limit(bytesPerSecond), 16<<10)}, q, s.data)
	}
}

type slow struct {
	http.ResponseWriter
	q     *http.Request
	limit *rate.Limiter
}

func (s *slow) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n := min(16<<10, len(p)-done)
		if err := s.limit.WaitN(s.q.Context(), n); err != nil {
			return done, err
		}
		m, err := s.ResponseWriter.Write(p[done : done+n])
		if done += m; err != nil {
			return done, err
		}
	}
	return done, nil
}

// TestPartsWhereConnectionsAreSlow: where each connection is held back, more are
// opened (TestTuner tells how many); each byte is moved once.
func TestPartsWhereConnectionsAreSlow(t *testing.T) {
	t.Parallel()
	data := random(30, 4<<20)
	s := serve(t, data, slowPerConnection(1<<20))
	b := newBench(t)
	b.pace = hasty
	result := b.brings(data, Object{Pieces: pieces(data, 1<<20)}, places(t, s))
	if n := len(s.asked()); n < 2 {
		t.Errorf("expected several connections, found %q", s.asked())
	}
	if result.Moved != 4<<20 {
		t.Errorf("expected each byte once, found %d", result.Moved)
	}
}

// TestNoPartsWhereTheServerKnowsNone: the one request goes on to the end.
func TestNoPartsWhereTheServerKnowsNone(t *testing.T) {
	t.Parallel()
	data := random(31, 2<<20)
	limit := slowPerConnection(1 << 20)
	s := serve(t, data, func(s *server, n int, w http.ResponseWriter, q *http.Request) {
		q.Header.Del("Range")
		limit(s, n, w, q)
	})
	b := newBench(t)
	b.pace = hasty
	b.brings(data, Object{}, places(t, s))
	if asked := s.asked(); len(asked) > 2 {
		t.Errorf("expected one request, and one try of a part, found %q", asked)
	}
}

// TestTuner: more connections as long as each growth pays, and no longer.
func TestTuner(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rate func(connections int) float64 // bytes a second in all
		want int
	}{
		"each held back":     {func(n int) float64 { return float64(n) * 1e6 }, 8},
		"one fills it":       {func(int) float64 { return 1e6 }, 1},
		"two fill it":        {func(n int) float64 { return float64(min(n, 2)) * 1e6 }, 2},
		"soon done anyway":   {func(n int) float64 { return float64(n) * 4e8 }, 1},
		"nothing comes":      {func(int) float64 { return 0 }, 1},
		"more is less":       {func(n int) float64 { return 1e6 / float64(n) }, 1},
		"a little is gained": {func(n int) float64 { return 1e6 + 1e5*float64(n) }, 1},
	} {
		tuner := tuner{pace: steady, wanted: 1, most: 8}
		now, came, left := time.Now(), 0.0, 1e9
		for range 100 {
			tuner.look(now, int64(came), int64(left-came))
			now = now.Add(steady.tick)
			came += test.rate(tuner.wanted) * steady.tick.Seconds()
		}
		if tuner.wanted != test.want {
			t.Errorf("%s: expected %d connections, found %d", name, test.want, tuner.wanted)
		}
	}
}

// TestOriginsHoldNoSecret: what is kept of a place in the record is its bare URL.
func TestOriginsHoldNoSecret(t *testing.T) {
	t.Parallel()
	data := random(32, 600<<10)
	s := serve(t, data, cutting(300<<10))
	b := newBench(t)
	place := placeAt(t, strings.Replace(s.URL, "//", "//ann:hunter2@", 1))
	place.URL.RawQuery = "signature=hunter2"
	stage, err := b.store.Stage(t.Context(), digests(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Abort()
	b.options.Retries = 1
	if _, err := New(engineOf(b), b.options).Move(t.Context(), Object{}, []Place{place}, stage, &meter{}); err != nil {
		t.Fatal(err)
	}
	for _, origin := range stage.Origins() {
		if strings.Contains(origin, "hunter2") {
			t.Errorf("expected no secret, found %q", origin)
		}
	}
}
