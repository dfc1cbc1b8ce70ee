package counters

import (
	"math"
	"slices"
	"sort"
	"sync/atomic"
	"time"
)

// bounds are the upper bounds of the buckets of every histogram. They hold what a
// page from memory takes, and what an upstream far away takes.
var bounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute,
}

// Bounds are the upper bounds of the buckets of every histogram, the last one aside,
// which has none.
func Bounds() []time.Duration { return slices.Clone(bounds[:]) }

// Histogram counts how long something took. A nil Histogram counts nothing.
type Histogram struct {
	Name    string
	Labels  []string // name, value, name, value …
	buckets [len(bounds) + 1]atomic.Int64
	sum     atomic.Int64 // nanoseconds
}

// Durations is what a histogram stands at.
type Durations struct {
	Name    string
	Labels  []string
	Buckets []int64 // how many fell in each, by Bounds; one more for what took longer
	Sum     time.Duration
}

// Histogram finds or makes a histogram, as Counter does a counter.
func (s *Set) Histogram(name string, labels ...string) *Histogram {
	if s == nil {
		return nil
	}
	id := idOf(name, labels)
	s.mu.RLock()
	h := s.histograms[id]
	s.mu.RUnlock()
	if h != nil {
		return h
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h = s.histograms[id]; h == nil {
		if s.histograms == nil {
			s.histograms = map[string]*Histogram{}
		}
		h = &Histogram{Name: name, Labels: slices.Clone(labels)}
		s.histograms[id] = h
	}
	return h
}

// Observe counts one that took d.
func (h *Histogram) Observe(d time.Duration) {
	if h == nil {
		return
	}
	d = max(d, 0) // a clock that was set back
	h.buckets[sort.Search(len(bounds), func(i int) bool { return d <= bounds[i] })].Add(1)
	h.sum.Add(int64(d))
}

// Durations is what it stands at.
func (h *Histogram) Durations() Durations {
	if h == nil {
		return Durations{}
	}
	d := Durations{Name: h.Name, Labels: h.Labels, Buckets: make([]int64, len(h.buckets)), Sum: time.Duration(h.sum.Load())}
	for i := range h.buckets {
		d.Buckets[i] = h.buckets[i].Load()
	}
	return d
}

// Count is how many there were.
func (d Durations) Count() (n int64) {
	for _, b := range d.Buckets {
		n += b
	}
	return n
}

// Quantile reckons below which time a share q of all lies, 0 < q <= 1: within the
// bucket as if they were spread evenly, as Prometheus does. What took longer than the
// last bound counts as that. 0: there were none.
func (d Durations) Quantile(q float64) time.Duration {
	rank := q * float64(d.Count())
	var below float64
	for i, n := range d.Buckets {
		if n == 0 || below+float64(n) < rank {
			below += float64(n)
			continue
		}
		if i == len(bounds) {
			return bounds[len(bounds)-1]
		}
		low := time.Duration(0)
		if i > 0 {
			low = bounds[i-1]
		}
		share := math.Max(0, rank-below) / float64(n)
		return low + time.Duration(share*float64(bounds[i]-low))
	}
	return 0
}

// Durations are all histograms, by name and labels.
func (s *Set) Durations() []Durations {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	var all []Durations
	for _, h := range s.histograms {
		all = append(all, h.Durations())
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(x, y Durations) int { return byName(x.Name, y.Name, x.Labels, y.Labels) })
	return all
}
