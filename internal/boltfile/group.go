package boltfile

import (
	"context"
	"slices"
	"sync"
	"time"
)

// The bounds of what shares one transaction: functions, and bytes as told to
// Session.Weigh. Others wait meanwhile, and all of it is in memory.
const (
	maxShared = 256
	maxWeight = 8 << 20
)

// Group lets the goroutines of one process share sessions on a file: who finds
// nobody at work leads, and takes all that waits and is of its kind, reading or
// writing, into its own transaction. So the cost of opening, locking and syncing is
// paid once for all of them, and who is alone waits for nobody.
//
// One transaction of a Group is one of bbolt: nobody is told that what it wrote is
// kept before it is synced, and a reader sees what was committed only. The file is
// closed and unlocked when nobody waits any more, and at times for other processes.
type Group struct {
	path   string
	begun  func(*Session)
	turn   Turn
	memory Memory   // of whoever has the turn
	sparer interval // likewise

	mu      sync.Mutex
	waiting map[bool][]*call // by whether they write; the first to come first
	came    chan struct{}    // told that one more waits; holds one
	last    time.Time        // when a call came
	brisk   bool             // the one before it came shortly before
}

// call is one of Do.
type call struct {
	ctx      context.Context
	writable bool
	fn       func(*Session) error
	news     chan struct{} // told that state changed; holds one

	// Under the Group's lock.
	state callState
	err   error // of one that is done
	// alone is set once fn failed, or panicked, behind others: then nobody but its
	// own goroutine runs it, without company, so that the error, or the panic, and
	// the session are its own.
	alone bool
}

type callState int

const (
	waits callState = iota // for the turn, or for one who has it
	taken                  // by one who has the turn
	done
)

// NewGroup is for the file at path. begun, which may be nil, is told of each
// transaction before any function gets its session.
func NewGroup(path string, begun func(*Session)) *Group {
	if begun == nil {
		begun = func(*Session) {}
	}
	return &Group{path: path, begun: begun, turn: NewTurn(), waiting: map[bool][]*call{}, came: make(chan struct{}, 1)}
}

// Take keeps all calls of Do in this process off the file, as Turn.Take does.
func (g *Group) Take(ctx context.Context, deadline time.Time) (end func(), err error) {
	return g.turn.Take(ctx, deadline)
}

// Do runs fn in a session on the file, and commits what a writer's fn wrote, durably,
// where it returned nil and ctx has not ended by then. Each step on the transaction
// belongs inside Guard; fn neither commits nor closes. The error is that of fn as it is,
// that of ctx, an *Error, or ErrBusy where the turn did not come until deadline.
//
// fn may run in the goroutine of another call, and more than once: only what its last
// run did counts, so it sets anew all that it hands out. It sees what functions
// before it in the same transaction wrote. One that fails spoils nothing for the
// others: they are run again without it, and it is run again by itself, and so what
// Do returns is what fn made of committed state. A panic of fn comes up in its own
// goroutine. fn must not use the file otherwise, and not end its goroutine.
//
// A call that gives up, as ctx or the deadline ended, was not run, or what it wrote was
// dropped. Once its commit has begun, the outcome of that is its result, whatever
// becomes of ctx. A commit that fails with ErrDisk leaves open, for all that share
// it, whether it is kept: whole, or not at all.
func (g *Group) Do(ctx context.Context, writable bool, deadline time.Time, fn func(*Session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{ctx: ctx, writable: writable, fn: fn, news: make(chan struct{}, 1)}
	g.mu.Lock()
	g.waiting[writable] = append(g.waiting[writable], c)
	g.note()
	g.mu.Unlock()
	tell(g.came)
	leads, err := g.await(c, deadline)
	if !leads {
		return err
	}
	var open *Session
	defer func() {
		if open == nil { // after a panic of fn, too
			<-g.turn
		} else {
			go g.stay(open)
		}
	}()
	open, err = g.lead(c, deadline)
	return err
}

// await waits until c is done, or has the turn, or gives up. What is taken can't give
// up: it is done soon, or waits again.
func (g *Group) await(c *call, deadline time.Time) (leads bool, err error) {
	select { // even where the deadline is over, one try is made
	case g.turn <- struct{}{}:
		return g.claim(c)
	default:
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	turn, ended, late := chan<- struct{}(g.turn), c.ctx.Done(), timer.C
	var failure error
	for {
		select {
		case turn <- struct{}{}:
			return g.claim(c)
		case <-c.news:
		case <-ended:
			failure = c.ctx.Err()
		case <-late:
			failure = ErrBusy
		}
		if over, err := g.settled(c, failure); over {
			return false, err
		}
		if failure != nil {
			turn, ended, late = nil, nil, nil
		}
	}
}

// claim takes c for its own goroutine, which has the turn, and gives that back where
// somebody was faster.
func (g *Group) claim(c *call) (leads bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.state == done {
		<-g.turn
		return false, c.err
	}
	g.drop(c)
	c.state = taken
	return true, nil
}

// settled reports whether c is done, or gives up for a failure, if there is any.
func (g *Group) settled(c *call, failure error) (over bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case c.state == done:
		return true, c.err
	case c.state == waits && failure != nil:
		g.drop(c)
		return true, failure
	}
	return false, nil
}

// drop takes c off the list of those that wait.
func (g *Group) drop(c *call) {
	list := g.waiting[c.writable]
	if i := slices.Index(list, c); i >= 0 {
		g.waiting[c.writable] = slices.Delete(list, i, i+1)
	}
}

// next takes the first that waits and is of a kind; nil: there is none.
func (g *Group) next(writable bool) *call {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.waiting[writable]
	if len(list) == 0 {
		return nil
	}
	c := list[0]
	list[0], g.waiting[writable] = nil, list[1:]
	c.state = taken
	return c
}

// finish hands their result to calls that were taken.
func (g *Group) finish(err error, calls ...*call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range calls {
		c.state, c.err = done, err
		tell(c.news)
	}
}

// putBack makes calls wait again that were taken, before all others and in their
// order. One that is to be alone waits for the turn only.
func (g *Group) putBack(calls []*call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := len(calls) - 1; i >= 0; i-- {
		c := calls[i]
		if c.state = waits; !c.alone {
			g.waiting[c.writable] = append([]*call{c}, g.waiting[c.writable]...)
		}
		tell(c.news)
	}
}

// tell leaves word in a channel that holds one.
func tell(news chan<- struct{}) {
	select {
	case news <- struct{}{}:
	default: // the last one was not heard yet
	}
}
