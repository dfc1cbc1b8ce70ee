package transfer

import "time"

// gain is how much faster more connections must make it, to be kept.
const gain = 1.25

// pace is how soon a job decides.
type pace struct {
	tick    time.Duration // how often the requests under way are looked at
	measure time.Duration // how long a rate is measured before it counts
	settle  time.Duration // how long a new number of connections is left to find its own
	// worthwhile is how long the rest must take for more connections to be worth
	// their making.
	worthwhile time.Duration
}

// steady is the pace of every Mover; tests go faster.
var steady = pace{tick: 200 * time.Millisecond, measure: time.Second, settle: 400 * time.Millisecond, worthwhile: 3 * time.Second}

// tuner decides how many connections move one object: twice as many as long as
// that makes it faster by gain. Where one connection fills the path, more of them
// only cost; where each is held back, by latency and loss or by a limit of the
// source, they add up.
type tuner struct {
	pace
	wanted, most int
	settled      bool
	rate         float64 // bytes a second, last measured
	best         float64 // rate before the last growth; 0: there was none

	hold  time.Time // measure from here on
	since time.Time // zero: not begun
	from  int64     // bytes that had come then
}

// look measures, and decides once a measurement is whole. left is in bytes.
func (t *tuner) look(now time.Time, came, left int64) {
	switch {
	case now.Before(t.hold):
		return
	case t.since.IsZero():
		t.since, t.from = now, came
		return
	case now.Sub(t.since) < t.measure:
		return
	}
	t.rate = float64(came-t.from) / now.Sub(t.since).Seconds()
	t.since, t.from = now, came
	if t.settled || t.rate <= 0 || float64(left) < t.rate*t.worthwhile.Seconds() {
		return
	}
	if t.rate < t.best*gain {
		t.settled, t.wanted = true, t.wanted/2
		return
	}
	t.best = t.rate
	if t.wanted >= t.most {
		t.settled = true
		return
	}
	t.wanted, t.since, t.hold = min(2*t.wanted, t.most), time.Time{}, now.Add(t.settle)
}

// leastPart is the shortest part, in bytes, that is worth a connection of its own:
// about a second of it.
func (t *tuner) leastPart() int64 {
	return max(int64(t.rate)/int64(max(t.wanted, 1)), 512<<10)
}
