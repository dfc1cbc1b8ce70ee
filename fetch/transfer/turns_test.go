package transfer

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"assay/cache"
)

// TestNobodyTurns for a place that is not asked any more, nor while requests are
// under way.
func TestNobodyTurns(t *testing.T) {
	t.Parallel()
	slow := tuner{pace: pace{tick: time.Hour}}
	for name, j := range map[string]*job{
		"gone":      {tuner: slow, sites: []*site{{gone: fs.ErrNotExist}}},
		"suspended": {tuner: slow, sites: []*site{{suspended: true}}},
	} {
		select {
		case <-j.turn():
			t.Errorf("%s: expected nobody's turn", name)
		case <-time.After(20 * time.Millisecond):
		}
	}
	busy := &job{tuner: slow, sites: []*site{{}}, runs: map[*run]bool{{}: true}}
	if busy.turn() != nil {
		t.Error("expected nobody's turn while a request is under way")
	}
}

// TestElsewhere: which place may have bytes that another does not send.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	now := time.Now()
	first := &site{}
	for name, test := range map[string]struct {
		other    *site
		alone    bool
		now, any bool // it may be asked now, or at any time
	}{
		"free":                  {&site{}, false, true, true},
		"free, and one alone":   {&site{}, true, false, true},
		"gone":                  {&site{gone: fs.ErrNotExist}, false, false, false},
		"suspended":             {&site{suspended: true}, false, false, false},
		"to be waited for":      {&site{after: now.Add(time.Second)}, false, false, true},
		"there is no other one": {first, false, false, false},
	} {
		j := &job{sites: []*site{first, test.other}, trial: trial{alone: test.alone}}
		if got := j.elsewhere(first, now); got != test.now {
			t.Errorf("%s: expected %v now, found %v", name, test.now, got)
		}
		if got := j.others(first); got != test.any {
			t.Errorf("%s: expected %v, found %v", name, test.any, got)
		}
	}
}

// TestSilentPlaceIsLeft only where another one may be asked, and it is silent.
func TestSilentPlaceIsLeft(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		silent time.Duration
		after  time.Duration // until the other place may be asked
		want   bool
	}{
		"silent":                        {time.Minute, 0, true},
		"silent, and nobody to turn to": {time.Minute, time.Hour, false},
		"not silent":                    {time.Second, 0, false},
	} {
		g := newRig(t, nil, 1000, 2, Object{})
		var causes []error
		now := time.Now()
		g.under(0, 0, 1000, &causes).seen = now.Add(-test.silent)
		g.sites[1].after = now.Add(test.after)
		g.look(now)
		if left := len(causes) == 1 && errors.Is(causes[0], errStalled); left != test.want || len(causes) > 1 {
			t.Errorf("%s: expected to leave it: %v, found %v", name, test.want, causes)
		}
	}
}

// TestPartsOfUnknownLength are asked for one after the other, those in between
// first.
func TestPartsOfUnknownLength(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, -1, 1, Object{Limit: 1000})
	g.put(0, 0, make([]byte, 10))
	g.put(0, 20, make([]byte, 10))
	if p, ok := g.nextPart(true); !ok || p != (part{10, 20}) {
		t.Errorf("expected what lies in between, found %v, %v", p, ok)
	}
	g.put(0, 10, make([]byte, 10))
	if p, ok := g.nextPart(true); !ok || p != (part{30, -1}) {
		t.Errorf("expected the rest, found %v, %v", p, ok)
	}
	g.under(0, 30, -1, nil)
	if p, ok := g.nextPart(true); ok {
		t.Errorf("expected nothing, as the rest is under way, found %v", p)
	}
}

// TestOutOfPlaces: that bytes came and were wrong is told, once.
func TestOutOfPlaces(t *testing.T) {
	t.Parallel()
	wrong := &cache.MismatchError{WantLength: 10, GotLength: 9}
	for name, test := range map[string]struct {
		gone     error
		mismatch error
		want     []error
	}{
		"nothing was wrong":    {fs.ErrNotExist, nil, []error{fs.ErrNotExist}},
		"bytes were wrong":     {fs.ErrNotExist, wrong, []error{fs.ErrNotExist, wrong}},
		"the place tells that": {wrong, wrong, []error{wrong}},
	} {
		j := &job{sites: []*site{{gone: test.gone}}, trial: trial{mismatch: test.mismatch}}
		all, ok := errors.AsType[*PlacesError](j.outOfPlaces())
		if !ok || len(all.Errs) != len(test.want) {
			t.Errorf("%s: expected %v, found %v", name, test.want, all)
			continue
		}
		for i := range test.want {
			if all.Errs[i] != test.want[i] {
				t.Errorf("%s: expected %v, found %v", name, test.want[i], all.Errs[i])
			}
		}
	}
}

// TestTunerTakesItsTime: what comes while a new number of connections finds its
// pace is not counted, and no rate counts before it was measured for long enough.
func TestTunerTakesItsTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	u := tuner{pace: steady, wanted: 1, most: 8, hold: now.Add(steady.settle)}
	u.look(now, 0, 1e9)
	if !u.since.IsZero() {
		t.Error("expected nothing to be measured yet")
	}
	now = now.Add(steady.settle)
	u.look(now, 1e6, 1e9)
	u.look(now.Add(steady.measure/2), 2e6, 1e9)
	if u.rate != 0 || u.wanted != 1 {
		t.Errorf("expected no rate yet, found %f, and %d connections", u.rate, u.wanted)
	}
	u.look(now.Add(steady.measure), 3e6, 1e9)
	if u.rate != 2e6 || u.wanted != 2 {
		t.Errorf("expected 2e6 bytes a second, and a second connection, found %f and %d", u.rate, u.wanted)
	}
}
