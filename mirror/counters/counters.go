// Package counters counts what happens, and how long it took, so that metrics and
// pages can be drawn from it, whoever draws them.
//
// A counter has a name and labels, as Prometheus knows them: names end in _total,
// and a label's value is one of few. No path, digest or other text from outside is
// ever one.
package counters

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Set is a set of counters. The zero value is empty and ready; it is safe for
// several goroutines. A nil Set counts nothing.
type Set struct {
	mu         sync.RWMutex
	byID       map[string]*Counter
	histograms map[string]*Histogram
}

// Counter is one number. A nil Counter counts nothing.
type Counter struct {
	Name   string
	Labels []string // name, value, name, value …
	value  atomic.Int64
}

// Sample is what a counter stands at.
type Sample struct {
	Name   string
	Labels []string
	Value  int64
}

// Counter finds or makes a counter: labels are names and values in turn. Whoever
// counts often keeps it.
func (s *Set) Counter(name string, labels ...string) *Counter {
	if s == nil {
		return nil
	}
	id := idOf(name, labels)
	s.mu.RLock()
	c := s.byID[id]
	s.mu.RUnlock()
	if c != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c = s.byID[id]; c == nil {
		if s.byID == nil {
			s.byID = map[string]*Counter{}
		}
		c = &Counter{Name: name, Labels: slices.Clone(labels)}
		s.byID[id] = c
	}
	return c
}

// idOf is what tells a counter from the others.
func idOf(name string, labels []string) string {
	if len(labels)%2 != 0 {
		panic(fmt.Sprintf("counters: %s: expected labels in pairs, found %d texts", name, len(labels)))
	}
	return name + "\x00" + strings.Join(labels, "\x00")
}

func byName(xName, yName string, xLabels, yLabels []string) int {
	return cmp.Or(strings.Compare(xName, yName), slices.Compare(xLabels, yLabels))
}

// Add adds n, which may be less than 0 for what rises and falls.
func (c *Counter) Add(n int64) {
	if c != nil {
		c.value.Add(n)
	}
}

// Store makes it n, for what is measured and not counted.
func (c *Counter) Store(n int64) {
	if c != nil {
		c.value.Store(n)
	}
}

// Value is what it stands at.
func (c *Counter) Value() int64 {
	if c == nil {
		return 0
	}
	return c.value.Load()
}

// Samples are all counters, by name and labels.
func (s *Set) Samples() []Sample {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	var all []Sample
	for _, c := range s.byID {
		all = append(all, Sample{c.Name, c.Labels, c.Value()})
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(x, y Sample) int { return byName(x.Name, y.Name, x.Labels, y.Labels) })
	return all
}
