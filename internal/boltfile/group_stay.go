package boltfile

import "time"

// linger is how long a session that served several calls waits for the next one. To
// open and map the file anew, and to fault its pages in, costs several times what
// most calls do.
const linger = time.Millisecond

// stay goes on with the session of a leader, which has given it the turn, for those
// that wait, or come soon: one transaction after the other, as long as other
// processes may be kept waiting. It gives back the turn.
func (g *Group) stay(s *Session) {
	defer func() { <-g.turn }()
	// Crash, or the end of the process, in here: the kernel gives up the lock, and
	// what was not committed was promised to nobody.
	defer g.sparer.end(true)
	defer s.Close()
	most, kind := maxShared, s.writable
	for g.sparer.mayStay() {
		if !g.waits(s.writable) && !g.arrives(s.writable) {
			return
		}
		// As a session that is new: the file has its name, and stands as it was left.
		if !s.isNamed() || !g.memory.recall(s) {
			return
		}
		// The kinds take turns, so that neither starves the other.
		if kind = s.writable && !kind; !g.waitsOf(kind) {
			kind = !kind
		}
		j, err := g.round(s, kind, most)
		if err != nil {
			return
		}
		most = maxShared
		if j.spoiled && j.good > 0 {
			most = j.good // as lead has it
		}
	}
}

// round makes one transaction of those that wait, none of which runs in its own
// goroutine. An error says that the session is of no more use.
func (g *Group) round(s *Session, writable bool, most int) (joined, error) {
	if err := s.again(writable); err != nil {
		return joined{}, err // nobody was taken: they try for themselves
	}
	g.begun(s)
	j := g.join(s, writable, most)
	defer func() { g.putBack(j.company) }()
	if !writable || j.spoiled || len(j.company) == 0 {
		return j, nil
	}
	err := s.Commit()
	g.finish(err, j.company...)
	j.company = nil
	return j, err
}

// waits reports whether there are calls that a session may serve: readers, and
// writers where it is one.
func (g *Group) waits(writable bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting[false]) > 0 || writable && len(g.waiting[true]) > 0
}

// waitsOf reports whether there are calls of a kind.
func (g *Group) waitsOf(writable bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting[writable]) > 0
}

// arrives waits for a call that waits would report, and no longer than until one
// comes for which the session is of no use.
func (g *Group) arrives(writable bool) bool {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for {
		select {
		case <-g.came:
			if g.waits(writable) {
				return true
			}
			if g.waitsOf(true) {
				return false
			}
		case <-timer.C:
			return false
		}
	}
}

// note takes down that a call came. g.mu is held.
func (g *Group) note() {
	now := time.Now()
	g.brisk, g.last = now.Sub(g.last) < linger, now
}

// isBrisk reports whether the last two calls came so soon one after the other that it
// is worth while to wait for the next.
func (g *Group) isBrisk() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.brisk
}
