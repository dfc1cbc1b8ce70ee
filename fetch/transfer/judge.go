package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"assay/cache"
	"assay/fetch/wire"
)

// progressBytes of one answer are progress: the failures before them do not count
// any more.
const progressBytes = 32 << 10

// noticeFrom is how long a pause is that people are told of.
const noticeFrom = 2 * time.Second

// end judges a request that has ended. An error is one that no other place could
// mend.
func (j *job) end(r *run) error {
	j.mu.Lock()
	delete(j.runs, r)
	s := r.site
	s.sent += r.came
	if r.name != "" {
		s.name = r.name
	}
	j.mu.Unlock()
	j.observe(r)
	err := r.err
	switch {
	case j.ctx.Err() != nil:
		return context.Cause(j.ctx)
	case err == nil:
		s.failures = 0
		s.pauses.Reset()
	case s.gone != nil, errors.Is(err, errNotNeeded):
	case errors.Is(err, errChanged):
		s.unbound = true // ask once more, and let the digest decide
	case errors.Is(err, errNoRanges):
		s.wholeOnly = true
		j.giveBack(r)
	case errors.Is(err, ErrWrongBytes):
		j.wrong(s, err)
		if j.checks == nil { // else they are judged one by one
			j.discard(func(span cache.Span) bool { return s.origins[span.Origin] })
		}
	case errors.Is(err, fs.ErrNotExist) && s.IfMissing != "":
		s.gone = fmt.Errorf("%s: %w", s.IfMissing, err)
	case errors.Is(err, wire.ErrRange):
		s.wholeOnly = true
		j.giveBack(r)
		j.failed(s, r, err)
	case errors.Is(err, errStalled), errors.Is(err, errSlow), errors.Is(err, errShort):
		j.failed(s, r, &wire.SourceError{URL: s.name, Detail: "given up", Err: err})
	case wire.Temporary(err):
		j.failed(s, r, err)
	case errors.Is(err, wire.ErrSource), errors.Is(err, wire.ErrTooLong):
		s.gone = err
	default:
		return err
	}
	return nil
}

// failed has a place wait, longer each time, and gives it up in the end. One that
// brought something is asked again at once, but for one that fell silent: another
// has the first turn then.
func (j *job) failed(s *site, r *run, err error) {
	s.last = err
	if r.came >= progressBytes {
		s.failures = 0
		s.pauses.Reset()
		if errors.Is(err, errStalled) {
			s.after = time.Now().Add(s.pauses.NextBackOff())
		}
		return
	}
	s.failures++
	wait := s.pauses.NextBackOff()
	var status *wire.StatusError
	if errors.As(err, &status) && status.After > 0 {
		if status.After > j.mover.options.MaxPause {
			s.gone = tooLong(err, status.After)
			return
		}
		wait = status.After
	}
	if s.failures > j.mover.options.Retries {
		s.gone = givenUp(err, s.failures)
		return
	}
	s.after = time.Now().Add(wait)
	if wait >= noticeFrom && len(j.runs) == 0 && j.nextSite(time.Now()) == nil {
		j.mover.options.Notice(fmt.Sprintf("%v; trying again in %s", err, wait.Round(time.Second)))
	}
}

// wrong gives up a place that sent wrong bytes, for good, and says so.
func (j *job) wrong(s *site, err error) {
	s.gone = err
	j.object.Observe(Observation{URL: s.URL, Err: ErrWrongBytes})
	j.mu.Lock()
	defer j.mu.Unlock()
	for r := range j.runs {
		if r.site == s {
			r.cancel(errNotNeeded)
		}
	}
}

// giveBack has the request before a part that could not be had alone go on into
// it.
func (j *job) giveBack(r *run) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for other := range j.runs {
		if other.to == r.at && other.site == r.site {
			other.to = r.to
		}
	}
}

func (j *job) observe(r *run) {
	o := Observation{URL: r.site.URL, Latency: r.head, Bytes: r.came, Took: time.Since(r.began) - r.head, Err: r.err}
	if errors.Is(r.err, errNotNeeded) || errors.Is(r.err, errChanged) || errors.Is(r.err, errNoRanges) || j.ctx.Err() != nil {
		o.Err = nil
	}
	j.object.Observe(o)
}

// look is for what takes time to show: requests that stall or are too slow, pieces
// that are there, and whether more connections would help.
func (j *job) look(now time.Time) {
	j.checkPieces()
	o := j.mover.options
	j.mu.Lock()
	came := j.came
	for r := range j.runs {
		switch {
		case now.Sub(r.seen) > o.Stall && j.elsewhere(r.site, now):
			r.cancel(errStalled)
		case now.Sub(r.window) >= o.Window:
			if rate := float64(r.came+r.skipped-r.before) / now.Sub(r.window).Seconds(); rate < float64(o.MinRate) {
				r.cancel(fmt.Errorf("%w: expected at least %d bytes a second over %s, found %.0f", errSlow, o.MinRate, o.Window, rate))
				continue
			}
			r.window, r.before = now, r.came+r.skipped
		}
	}
	j.mu.Unlock()
	if length := j.stage.Length(); length >= 0 {
		j.tuner.look(now, came, length-j.stage.Written())
	}
}

// elsewhere reports whether another place than s may be asked now. Where one is to
// be asked alone, none may.
func (j *job) elsewhere(s *site, now time.Time) bool {
	return !j.trial.alone && slices.ContainsFunc(j.sites, func(other *site) bool {
		return other != s && other.gone == nil && !other.suspended && !other.after.After(now)
	})
}

// split takes the second half of the largest part under way; mu is held.
func (j *job) split() (part, bool) {
	var largest *run
	for r := range j.runs {
		if !r.site.wholeOnly && r.to >= 0 && (largest == nil || r.to-r.at > largest.to-largest.at) {
			largest = r
		}
	}
	if largest == nil || largest.to-largest.at < 2*j.tuner.leastPart() {
		return part{}, false
	}
	const align = 64 << 10
	middle := (largest.at + largest.to) / 2 / align * align
	p := part{middle, largest.to}
	largest.to = middle
	return p, true
}

// mostRounds is how often, beside twice for each place, an object may be there and
// wrong.
const mostRounds = 3

// trial is the search for who sent wrong bytes, where nobody promised pieces.
type trial struct {
	mismatch error // what was found
	suspect  *site // whose bytes are fetched again elsewhere; nil: nobody's
	tried    map[int]bool
	alone    bool // one place after the other, for all of it
	rounds   int  // how often all was there, and wrong
}

// prove is called when nothing is missing.
func (j *job) prove() (done bool, err error) {
	j.checkPieces()
	if _, missing := j.nextPart(false); missing {
		return false, nil
	}
	err = j.stage.Prove(j.ctx)
	switch {
	case err == nil:
		if s := j.trial.suspect; s != nil {
			j.wrong(s, fmt.Errorf("%s: %w: %w", s.name, ErrWrongBytes, j.trial.mismatch))
		}
		return true, nil
	case !errors.Is(err, cache.ErrMismatch), j.stage.Written() == 0: // nothing was promised, and no digest of it
		return false, err
	}
	j.mismatch(err)
	return false, nil
}

// mismatch has wrong bytes fetched again, a bounded number of times.
func (j *job) mismatch(err error) {
	t := &j.trial
	t.mismatch = err
	if t.rounds++; t.rounds > 2*len(j.sites)+mostRounds {
		for _, origin := range j.origins() { // places that change their file all the time
			if s := j.siteOf(origin); s != nil {
				j.wrong(s, fmt.Errorf("%s: %w: %w", s.name, ErrWrongBytes, err))
			}
		}
		j.discard(func(cache.Span) bool { return true })
		return
	}
	j.suspect(err)
}

// suspect drops what one origin sent: all of it where nobody else sent any, else
// that of one suspect after the other, the first place first, as the last one is
// the repository's own. What belongs to no place, as an earlier run fetched it, is
// suspected before all.
func (j *job) suspect(err error) {
	t := &j.trial
	if t.suspect != nil { // what came in place of its bytes did not help
		t.suspect.suspended, t.suspect = false, nil
	}
	origins := j.origins()
	if len(origins) == 1 || t.alone || len(t.tried) >= len(origins) {
		// One place may have changed its file meanwhile, once.
		if sender := j.onlySite(origins); sender != nil && (len(origins) == 1 || t.alone) {
			j.wrong(sender, fmt.Errorf("%s: %w: %w", sender.name, ErrWrongBytes, err))
		}
		t.alone = t.alone || len(origins) > 1
		j.discard(func(cache.Span) bool { return true })
		return
	}
	if t.tried == nil {
		t.tried = map[int]bool{}
	}
	for _, origin := range origins {
		s := j.siteOf(origin)
		if t.tried[origin] || s != nil && !j.others(s) {
			t.tried[origin] = true
			continue
		}
		t.tried[origin] = true
		if t.suspect = s; s != nil {
			s.suspended = true
		}
		j.discard(func(span cache.Span) bool { return span.Origin == origin })
		return
	}
	j.suspect(err)
}

// onlySite is the place that all origins are of, whatever it called its file; nil:
// there is none.
func (j *job) onlySite(origins []int) *site {
	first := j.siteOf(origins[0])
	for _, origin := range origins[1:] {
		if j.siteOf(origin) != first {
			return nil
		}
	}
	return first
}

// origins are those that bytes are there of: those of no place first, then in the
// order of the places.
func (j *job) origins() []int {
	rank := func(origin int) int {
		if s := j.siteOf(origin); s != nil {
			return s.index
		}
		return -1
	}
	var found []int
	for _, span := range j.stage.Spans() {
		found = insert(found, span.Origin, rank)
	}
	return found
}

// discard drops what is there of some spans.
func (j *job) discard(is func(cache.Span) bool) {
	for _, span := range j.stage.Spans() {
		if is(span) {
			j.stage.Discard(span.From, span.To)
			j.meter.Add(-int(span.Len()))
			j.checks.forget(span)
		}
	}
	j.whole = false
}

// siteOf is the place whose file, as it is now, an origin is; nil: none.
func (j *job) siteOf(origin int) *site {
	for _, s := range j.sites {
		if s.origins[origin] {
			return s
		}
	}
	return nil
}

// others reports whether any place but s may be asked.
func (j *job) others(s *site) bool {
	for _, other := range j.sites {
		if other != s && other.gone == nil && !other.suspended {
			return true
		}
	}
	return false
}
