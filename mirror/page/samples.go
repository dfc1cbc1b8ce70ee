package page

import (
	"context"
	"sync"
	"time"
)

const (
	sampleTime = time.Minute
	maxSamples = 24 * 60 // a day of them
	maxSeries  = 1000    // repositories that have plots
)

// flow is how many bytes went out to readers and came in from the upstream: of all
// time, or between two samples.
type flow struct{ served, fetched int64 }

// ring holds the last maxSamples flows, a minute each, the oldest going first.
type ring struct {
	seen  flow // the sums at the last sample
	flows []flow
	next  int // where the next one goes, once there are maxSamples
}

// add takes the sums of now. A sum that has shrunk is one that began anew.
func (s *ring) add(now flow) {
	since := func(now, before int64) int64 {
		if now < before {
			return now
		}
		return now - before
	}
	one := flow{since(now.served, s.seen.served), since(now.fetched, s.seen.fetched)}
	s.seen = now
	if len(s.flows) < maxSamples {
		s.flows = append(s.flows, one)
		return
	}
	s.flows[s.next] = one
	s.next = (s.next + 1) % maxSamples
}

// all are the flows, the oldest first.
func (s *ring) all() []flow {
	return append(append([]flow(nil), s.flows[s.next:]...), s.flows[:s.next]...)
}

// history is what was transferred of each repository, minute by minute. It lives in
// memory alone: 24 KiB for each repository, of which no more than maxSeries are kept.
type history struct {
	mu    sync.Mutex
	began time.Time
	rings map[string]*ring
}

// sample takes the sums of now; a repository that is not among them is forgotten.
func (h *history) sample(sums map[string]flow) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rings == nil {
		h.rings = map[string]*ring{}
	}
	for name := range h.rings {
		if _, there := sums[name]; !there {
			delete(h.rings, name)
		}
	}
	for name, sum := range sums {
		if h.rings[name] == nil {
			if len(h.rings) == maxSeries {
				continue
			}
			// What was counted before its first minute is of that minute.
			h.rings[name] = &ring{}
		}
		h.rings[name].add(sum)
	}
}

// of are the flows of a repository, the oldest first.
func (h *history) of(name string) []flow {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rings[name] == nil {
		return nil
	}
	return h.rings[name].all()
}

// Run takes a sample of the counters each minute, until ctx ends.
func (p *Page) Run(ctx context.Context) {
	p.Sample()
	ticker := time.NewTicker(sampleTime)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.Sample()
		case <-ctx.Done():
			return
		}
	}
}

// Sample takes one, as if a minute had passed.
func (p *Page) Sample() {
	sums := map[string]flow{}
	for _, st := range p.config.Mirror.Statuses() {
		sums[st.Repository] = flow{}
	}
	for _, one := range p.config.Counters.Samples() {
		name := labelOf(one.Labels, "repository")
		sum, known := sums[name]
		if !known {
			continue
		}
		switch one.Name {
		case servedBytes:
			sum.served += one.Value
		case fetchedBytes:
			sum.fetched += one.Value
		}
		sums[name] = sum
	}
	p.history.sample(sums)
}
