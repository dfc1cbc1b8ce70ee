package boltfile

import (
	"context"
	"errors"
	"time"
)

// lead runs own, and what else waits, for the goroutine of own, which has the turn.
// A session that it hands back is open, for those that came meanwhile.
func (g *Group) lead(own *call, deadline time.Time) (*Session, error) {
	most := maxShared
	if own.alone {
		most = 1
	}
	for {
		s, good, err := g.share(own, deadline, most)
		if !errors.Is(err, errSpoiled) {
			return s, err
		}
		// Those before the one that failed go again, without it. Each round has
		// fewer of them, and no function runs more than twice for another's sake
		// but where it does not do the same again.
		most = good
	}
}

// errSpoiled: a function failed in a transaction with the work of others.
var errSpoiled = errors.New("the transaction was spoiled")

// share makes one transaction of own and of at most most calls in all. Where it is
// errSpoiled nothing was kept, and good of them did their work before one failed.
// Any other error is that of own, and those that went with it are done, or wait
// again. The session comes back open where others wait, or are likely to come.
func (g *Group) share(own *call, deadline time.Time, most int) (open *Session, good int, err error) {
	if err := g.sparer.spare(own.ctx, deadline); err != nil {
		return nil, 0, err
	}
	s, err := g.begin(own, deadline)
	if err != nil {
		return nil, 0, err
	}
	shared := 0
	defer func() {
		if open == nil {
			s.Close()
			g.sparer.end(shared > 0)
		}
	}()
	if err := own.run(s); err != nil {
		return nil, 0, err
	}
	joined := g.join(s, own.writable, most-1)
	defer func() { g.putBack(joined.company) }()
	if shared = joined.good; joined.spoiled {
		return nil, 1 + joined.good, errSpoiled
	}
	if own.writable {
		err = s.Commit()
		// Crash here: the update is kept, and nobody was told.
		g.finish(err, joined.company...)
		joined.company = nil
	}
	if err == nil && g.sparer.mayStay() && (g.waits(own.writable) || g.isBrisk()) {
		open = s
	}
	return open, 0, err
}

// joined is what came of calls that were run in a transaction.
type joined struct {
	company []*call // taken, and without a result
	good    int     // did their work
	spoiled bool    // by the last of company: the transaction can't be kept
}

// join runs at most most calls of a kind that wait, in the transaction of a session.
// Readers have their result then.
func (g *Group) join(s *Session, writable bool, most int) (j joined) {
	for j.good < most && s.weight < maxWeight && !s.abandoned {
		c := g.next(writable)
		if c == nil {
			break
		}
		if err := c.ctx.Err(); err != nil {
			g.finish(err, c)
			continue
		}
		err := c.runForOther(s)
		switch {
		case c.alone:
			j.company = append(j.company, c)
			if writable {
				j.spoiled = true
				return j
			}
		case writable:
			j.company = append(j.company, c)
		default:
			g.finish(err, c)
		}
		j.good++
	}
	return j
}

// begin is that of the Memory, and takes note of other processes.
func (g *Group) begin(own *call, deadline time.Time) (*Session, error) {
	remembered := g.memory.stamp != nil
	s, err := g.memory.Begin(own.ctx, g.path, own.writable, deadline)
	if err != nil {
		if errors.Is(err, ErrBusy) {
			g.sparer.sawOthers()
		}
		return nil, err
	}
	if s.waited || remembered && !s.known {
		g.sparer.sawOthers()
	}
	g.begun(s)
	return s, nil
}

// run runs the function of c. The end of its context stops a commit, as long as
// that has not begun.
func (c *call) run(s *Session) error {
	err := c.fn(s)
	if err == nil && c.writable {
		err = c.ctx.Err()
	}
	return err
}

// runForOther is run in the goroutine of another call, that c must do no harm: where
// that can't have its result, alone is set.
func (c *call) runForOther(s *Session) (err error) {
	c.alone = true
	defer func() { _ = recover() }() // it comes again, in the goroutine of c
	err = c.run(s)
	// A reader's error is its own; not so what it found on a session that is broken.
	c.alone = s.abandoned || c.writable && err != nil
	return err
}

// The times by which a busy process spares the file for others. A process that waits
// looks whether it is free each maxPoll.
const (
	longestBurst = 250 * time.Millisecond
	spareTime    = 2 * maxPoll
	othersStay   = time.Second
)

// interval makes a process whose calls wait for each other leave the file alone
// between two sessions, for so long that another process finds it free: after
// longestBurst, or where others were seen lately, after each session. Without it
// the others would have to hit the instant between closing and opening.
type interval struct {
	since  time.Time // the begin of the burst; zero: there is none
	others time.Time // when another process was last seen
	until  time.Time // the file is spared until then
}

// spare waits as long as the file is to be left alone.
func (i *interval) spare(ctx context.Context, deadline time.Time) error {
	until := i.until
	if deadline.Before(until) {
		until = deadline
	}
	if wait := time.Until(until); wait > 0 {
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	if i.since.IsZero() {
		i.since = time.Now()
	}
	return nil
}

func (i *interval) sawOthers() { i.others = time.Now() }

// mayStay reports whether the session may go on for others of this process.
func (i *interval) mayStay() bool {
	return time.Since(i.others) >= othersStay && time.Since(i.since) <= longestBurst
}

// end is told that a session was closed, and whether it was shared: a caller
// alone never has to wait.
func (i *interval) end(shared bool) {
	now := time.Now()
	switch {
	case !shared:
		i.since = time.Time{}
	case now.Sub(i.others) < othersStay, now.Sub(i.since) > longestBurst:
		i.since, i.until = time.Time{}, now.Add(spareTime)
	}
}
