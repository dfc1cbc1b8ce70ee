package transfer

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"assay/cache"
	"assay/fetch/wire"
)

// smallBytes is the longest object that goes by the transport for small files.
const smallBytes = 1 << 20

// job is one Move. One goroutine, that of drive, decides; those of the requests
// only move bytes. What they share is guarded by mu.
type job struct {
	mover  *Mover
	ctx    context.Context
	object Object
	stage  *cache.Stage
	meter  Meter
	sites  []*site
	ended  chan *run
	tuner  tuner
	checks *checker // of pieces; nil: there are none
	trial  trial

	mu    sync.Mutex
	runs  map[*run]bool // under way
	came  int64         // bytes
	whole bool          // the end of an object of unknown length was met
}

// site is a place, and how it has done.
type site struct {
	Place
	name      string // as messages may have it
	index     int
	failures  int // in a row
	pauses    *backoff.ExponentialBackOff
	after     time.Time // not to be asked before
	gone      error     // why it is not asked any more; nil: it may be
	last      error
	wholeOnly bool // it knows no ranges
	unbound   bool // its validators do not hold from one request to the next
	suspended bool // while what it sent is fetched again elsewhere
	sent      int64
	origins   map[int]bool // of the bytes that it sent in this run
}

func newJob(ctx context.Context, m *Mover, object Object, places []Place, stage *cache.Stage, meter Meter) *job {
	j := &job{
		mover: m, ctx: ctx, object: object, stage: stage, meter: meter,
		ended: make(chan *run, m.options.Connections+1), runs: map[*run]bool{},
		tuner: tuner{pace: m.pace, wanted: 1, most: max(1, min(m.options.Connections, m.engine.Connections(places[0].URL)))},
	}
	for i, place := range places {
		j.sites = append(j.sites, &site{Place: place, name: wire.Shown(place.URL), index: i, pauses: m.options.pauses(), origins: map[int]bool{}})
	}
	if len(object.Pieces.Digests) > 0 && stage.Length() >= 0 {
		j.checks = newChecker(object.Pieces)
	}
	return j
}

// drive goes on until the stage is proven, or nothing can bring what is missing.
func (j *job) drive() error {
	ctx, cancel := context.WithCancel(j.ctx)
	defer cancel()
	j.ctx = ctx
	defer j.endAll(context.Canceled)
	ticks := time.NewTicker(j.tuner.tick)
	defer ticks.Stop()
	if have := j.stage.Written(); have > 0 {
		j.meter.Add(int(have))
	}
	for {
		done, err := j.step()
		if done || err != nil {
			return err
		}
		select {
		case <-j.turn():
		case r := <-j.ended:
			if err := j.end(r); err != nil {
				return err
			}
		case now := <-ticks.C:
			j.look(now)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// turn is when the next place may be asked, where nothing is under way.
func (j *job) turn() <-chan time.Time {
	if len(j.runs) > 0 {
		return nil
	}
	earliest := time.Now().Add(j.tuner.tick)
	for _, s := range j.sites {
		if s.gone != nil || s.suspended {
			continue
		}
		if s.after.Before(earliest) || j.trial.alone {
			earliest = s.after
		}
		if j.trial.alone {
			break // its turn has to be waited for
		}
	}
	return time.After(time.Until(earliest))
}

// step starts what can be started. Where nothing is missing it proves the object.
func (j *job) step() (done bool, err error) {
	now := time.Now()
	for len(j.runs) < j.tuner.wanted {
		part, ok := j.nextPart(len(j.runs) > 0)
		if !ok {
			break
		}
		s := j.nextSite(now)
		if s == nil {
			break
		}
		j.start(s, part)
	}
	if len(j.runs) > 0 {
		return false, nil
	}
	if _, missing := j.nextPart(false); missing {
		return false, j.outOfPlaces()
	}
	return j.prove()
}

// part is what one request is for; to -1: up to the end, wherever that is.
type part struct{ from, to int64 }

// nextPart is the first part that is missing and not under way; with split it may
// be one half of what is.
func (j *job) nextPart(split bool) (part, bool) {
	if j.stage.Length() < 0 {
		if len(j.runs) > 0 || j.whole {
			return part{}, false
		}
		end := int64(0)
		for _, span := range j.stage.Spans() {
			end = span.To
		}
		if gaps := j.stage.Missing(); len(gaps) > 0 {
			return part{gaps[0].From, gaps[0].To}, true
		}
		return part{end, -1}, true
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, gap := range j.stage.Missing() {
		if free, ok := j.free(gap); ok {
			return free, true
		}
	}
	if split {
		return j.split()
	}
	return part{}, false
}

// free is the first part of a gap that is not under way; mu is held.
func (j *job) free(gap cache.Span) (part, bool) {
	p := part{gap.From, gap.To}
	for again := true; again; {
		again = false
		for r := range j.runs {
			if r.at <= p.from && p.from < r.to {
				p.from, again = r.to, true
			}
		}
	}
	for r := range j.runs {
		if p.from < r.at && r.at < p.to {
			p.to = r.at
		}
	}
	return p, p.from < p.to
}

// nextSite is the place to ask next: the first that may be asked now. nil: none.
func (j *job) nextSite(now time.Time) *site {
	for _, s := range j.sites {
		switch {
		case s.gone != nil, s.suspended:
		case s.after.After(now), s.wholeOnly && len(j.runs) > 0:
			if j.trial.alone {
				return nil
			}
		default:
			return s
		}
	}
	return nil
}

// outOfPlaces is the error where nobody is left; nil while one may be asked later.
func (j *job) outOfPlaces() error {
	var errs []error
	waiting := false
	for _, s := range j.sites {
		switch {
		case s.gone != nil:
			errs = append(errs, s.gone)
		case s.suspended:
			if s.last != nil {
				errs = append(errs, s.last)
			}
		default:
			waiting = true
		}
	}
	switch {
	case waiting:
		return nil
	case j.acquit():
		return nil
	case j.trial.mismatch != nil && !anyIs(errs, cache.ErrMismatch):
		errs = append(errs, j.trial.mismatch)
	}
	return &PlacesError{errs}
}

// acquit lets those be asked again that were kept out while what they had sent was
// fetched elsewhere, as nobody else has it: alone, for all of it. It reports
// whether there were any.
func (j *job) acquit() bool {
	found := false
	for _, s := range j.sites {
		if s.gone == nil && s.suspended {
			s.suspended, found = false, true
		}
	}
	if found {
		j.trial.suspect, j.trial.alone = nil, true
		j.discard(func(cache.Span) bool { return true })
	}
	return found
}

func anyIs(errs []error, target error) bool { return errors.Is(errors.Join(errs...), target) }

// endAll waits for the requests under way, after it has told them why.
func (j *job) endAll(cause error) {
	j.mu.Lock()
	for r := range j.runs {
		r.cancel(cause)
	}
	n := len(j.runs)
	j.mu.Unlock()
	for range n {
		r := <-j.ended
		j.observe(r)
		delete(j.runs, r)
	}
}

// result tells what it took.
func (j *job) result() Result {
	r := Result{Moved: j.came}
	var most int64
	for _, s := range j.sites {
		if s.sent > most || r.From == "" && s.sent > 0 {
			most, r.From = s.sent, s.name
		}
		if errors.Is(s.gone, ErrWrongBytes) {
			r.Wrong = append(r.Wrong, s.name)
		}
	}
	return r
}

// originOf is the number of a place's bytes in a stage: those of one state of its
// file.
func (j *job) originOf(s *site, validator string) int {
	origin := j.stage.Origin(strings.TrimSpace(wire.Shown(s.URL) + " " + validator))
	j.mu.Lock()
	defer j.mu.Unlock()
	s.origins[origin] = true
	return origin
}

// validatorOf is the validator that a place's bytes had which are there; empty:
// there is none.
func (j *job) validatorOf(s *site) string {
	if s.unbound {
		return ""
	}
	origins, found := j.stage.Origins(), ""
	for _, span := range j.stage.Spans() {
		if span.Origin < len(origins) {
			if name, validator, ok := strings.Cut(strings.TrimPrefix(origins[span.Origin], cache.Earlier), " "); ok && name == wire.Shown(s.URL) {
				found = validator
			}
		}
	}
	return found
}
