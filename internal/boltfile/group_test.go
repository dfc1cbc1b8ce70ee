package boltfile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// groupBench is a Group on a new file, and what its sessions were.
type groupBench struct {
	*Group
	t        *testing.T
	sessions int
	all      sync.WaitGroup
	leads    error // of the call that leads; nil: none
}

func newGroup(t *testing.T) *groupBench {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	put(t, path, "")
	b := &groupBench{t: t}
	b.Group = NewGroup(path, func(*Session) { b.sessions++ })
	return b
}

// held has a call lead that does nothing, and takes those that begin starts, of its
// kind, in their order. It returns when all have ended.
func (b *groupBench) held(writable bool, begin func()) {
	b.t.Helper()
	ready := make(chan struct{})
	b.all.Go(func() {
		if err := b.Do(b.t.Context(), writable, soon(), func(*Session) error { <-ready; return nil }); err != nil && !errors.Is(err, b.leads) {
			b.t.Error(err)
		}
	})
	b.until(func() bool { return len(b.turn) == 1 && b.queue(writable) == 0 })
	begin()
	close(ready)
	b.end()
}

func (b *groupBench) end() {
	b.t.Helper()
	b.all.Wait()
	end, err := b.Take(b.t.Context(), soon()) // nobody stays any more
	if err != nil {
		b.t.Fatal(err)
	}
	end()
	if len(b.waiting[false])+len(b.waiting[true]) > 0 || len(b.turn) > 0 {
		b.t.Errorf("expected that nobody waits, found %v", b.waiting)
	}
}

// outcome is what one call of Do came to.
type outcome struct {
	err   error
	panic any
	runs  int
}

// start makes a call in a goroutine of its own, once the one before it waits.
func (b *groupBench) start(ctx context.Context, writable bool, fn func(*Session) error) *outcome {
	b.t.Helper()
	before := b.queue(writable)
	o := new(outcome)
	b.all.Go(func() {
		defer func() { o.panic = recover() }()
		o.err = b.Do(ctx, writable, soon(), func(s *Session) error { o.runs++; return fn(s) })
	})
	b.until(func() bool { return b.queue(writable) > before })
	return o
}

func (b *groupBench) queue(writable bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting[writable])
}

func (b *groupBench) until(is func() bool) {
	b.t.Helper()
	for end := soon(); !is(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			b.t.Fatal("it did not come to that")
		}
	}
}

// adding puts a word behind those that are there.
func adding(word string) func(*Session) error {
	return func(s *Session) error { return write(s, current(s)+word) }
}

func current(s *Session) (text string) {
	_ = s.Guard(func() error { text = string(s.Tx().Bucket(bucketTest).Get([]byte("key"))); return nil })
	return text
}

var errOwn = errors.New("its own error")

func (b *groupBench) want(o *outcome, runs int, err error) {
	b.t.Helper()
	if o.runs != runs || !errors.Is(o.err, err) || (err == nil) != (o.err == nil) || o.panic != nil {
		b.t.Errorf("expected %v in run %d, found %v in run %d, panic %v", err, runs, o.err, o.runs, o.panic)
	}
}

// wantWords is wantValue in any order of the letters.
func wantWords(t *testing.T, path, want string) {
	t.Helper()
	s, err := Begin(t.Context(), path, false, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	letters := strings.Split(current(s), "")
	slices.Sort(letters)
	if got := strings.Join(letters, ""); got != want {
		t.Errorf("expected %q in some order, found %q", want, got)
	}
}

func TestGroupSharesOneTransaction(t *testing.T) {
	b := newGroup(t)
	var writers, readers []*outcome
	var read []string
	b.held(true, func() {
		for i := range 6 {
			writers = append(writers, b.start(t.Context(), true, adding(fmt.Sprint(i))))
		}
		for range 4 {
			readers = append(readers, b.start(t.Context(), false, func(s *Session) error { read = append(read, current(s)); return nil }))
		}
	})
	for _, o := range append(writers, readers...) {
		b.want(o, 1, nil)
	}
	wantValue(t, b.path, "012345")
	if b.sessions != 2 || !slices.Equal(read, slices.Repeat([]string{"012345"}, 4)) {
		t.Errorf("expected one session for writers, and one for readers after it, found %d, and %q", b.sessions, read)
	}
}

// TestGroupSparesTheOthers: whatever one of five does, wherever it stands, the other
// four get in, and it has what is its own.
func TestGroupSparesTheOthers(t *testing.T) {
	for name, test := range map[string]struct {
		do       func(s *Session, stop context.CancelFunc) error
		err      error
		panicked bool
	}{
		"error":     {do: func(s *Session, _ context.CancelFunc) error { return errors.Join(adding("x")(s), errOwn) }, err: errOwn},
		"panic":     {do: func(s *Session, _ context.CancelFunc) error { _ = adding("x")(s); panic(errOwn) }, panicked: true},
		"nil panic": {do: func(s *Session, _ context.CancelFunc) error { _ = adding("x")(s); panic(nil) }, panicked: true},
		"fault": {do: func(s *Session, _ context.CancelFunc) error {
			return errors.Join(adding("x")(s), s.Guard(func() error { panic("boom") }))
		}, err: ErrDamaged},
		"hidden fault": {do: func(s *Session, _ context.CancelFunc) error {
			_ = errors.Join(adding("x")(s), s.Guard(func() error { panic("boom") }))
			return nil
		}, err: ErrDamaged},
		"end of its context": {do: func(s *Session, stop context.CancelFunc) error { stop(); return adding("x")(s) }, err: context.Canceled},
	} {
		for at := range 5 {
			b := newGroup(t)
			ctx, stop := context.WithCancel(t.Context())
			var others []*outcome
			var odd *outcome
			b.held(true, func() {
				for i := range 5 {
					if i == at {
						odd = b.start(ctx, true, func(s *Session) error { return test.do(s, stop) })
						continue
					}
					others = append(others, b.start(t.Context(), true, adding(fmt.Sprint(i))))
				}
			})
			stop()
			if (odd.panic != nil) != test.panicked || !errors.Is(odd.err, test.err) || odd.runs > 2 {
				t.Errorf("%s at %d: found %v, panic %v, in %d runs", name, at, odd.err, odd.panic, odd.runs)
			}
			for i, o := range others {
				if o.err != nil || o.panic != nil || o.runs > 2 {
					t.Errorf("%s at %d: other %d: found %v, panic %v, in %d runs", name, at, i, o.err, o.panic, o.runs)
				}
			}
			// Those behind it have an order of their own.
			wantWords(t, b.path, strings.Replace("01234", fmt.Sprint(at), "", 1))
		}
	}
}

// TestGroupOfFailures: with all but one failing, no function runs more than twice
// for each, and each has its error.
func TestGroupOfFailures(t *testing.T) {
	b := newGroup(t)
	var all []*outcome
	b.held(true, func() {
		for i := range 40 {
			all = append(all, b.start(t.Context(), true, func(s *Session) error {
				err := adding("x")(s)
				if i != 20 {
					err = errors.Join(err, errOwn)
				}
				return err
			}))
		}
	})
	for i, o := range all {
		if want := i != 20; errors.Is(o.err, errOwn) != want || o.runs > 2 {
			t.Errorf("call %d: found %v in %d runs", i, o.err, o.runs)
		}
	}
	wantValue(t, b.path, "x")
}

// TestGroupOfReaders: the error of one is its own at once, and so is a panic or a
// fault, after which the others have a whole session.
func TestGroupOfReaders(t *testing.T) {
	for name, test := range map[string]struct {
		do       func(s *Session) error
		err      error
		panicked bool
		runs     int
		sessions int
	}{
		"error": {do: func(*Session) error { return errOwn }, err: errOwn, runs: 1, sessions: 1},
		"panic": {do: func(*Session) error { panic(errOwn) }, panicked: true, runs: 2, sessions: 2},
		"fault": {do: func(s *Session) error { return s.Guard(func() error { panic("boom") }) }, err: ErrDamaged, runs: 2, sessions: 3},
	} {
		b := newGroup(t)
		var all []*outcome
		b.held(false, func() {
			for i := range 3 {
				all = append(all, b.start(t.Context(), false, func(s *Session) error {
					if i == 1 {
						return test.do(s)
					}
					return s.Guard(func() error { return nil })
				}))
			}
		})
		b.want(all[0], 1, nil)
		b.want(all[2], 1, nil)
		if odd := all[1]; !errors.Is(odd.err, test.err) || (odd.panic != nil) != test.panicked || odd.runs != test.runs {
			t.Errorf("%s: found %+v", name, odd)
		}
		if b.sessions != test.sessions {
			t.Errorf("%s: expected %d sessions, found %d", name, test.sessions, b.sessions)
		}
	}
}

// TestGroupGivesUp: who does not want to wait any longer is not run.
func TestGroupGivesUp(t *testing.T) {
	for _, writable := range []bool{false, true} {
		b := newGroup(t)
		ended, cancel := context.WithCancel(t.Context())
		var canceled, before, after *outcome
		b.held(writable, func() {
			before = b.start(t.Context(), writable, func(*Session) error { return nil })
			canceled = b.start(ended, writable, func(*Session) error { return nil })
			after = b.start(t.Context(), writable, func(*Session) error { return nil })
			err := b.Do(t.Context(), writable, time.Now().Add(time.Millisecond), func(*Session) error { t.Error("it was run"); return nil })
			if !errors.Is(err, ErrBusy) {
				t.Errorf("expected %v, found %v", ErrBusy, err)
			}
			cancel()
			b.until(func() bool { return b.queue(writable) == 2 })
		})
		b.want(canceled, 0, context.Canceled)
		b.want(before, 1, nil)
		b.want(after, 1, nil)
		if err := b.Do(ended, writable, soon(), func(*Session) error { t.Error("it was run"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("expected %v, found %v", context.Canceled, err)
		}
		if err := b.Do(t.Context(), writable, time.Now(), func(*Session) error { return nil }); err != nil {
			t.Errorf("expected one try, found %v", err)
		}
	}
}

// TestGroupAfterTheFunction: a context that ends once its function was run, and
// while others are, changes nothing. One that ended before is not begun with.
func TestGroupAfterTheFunction(t *testing.T) {
	b := newGroup(t)
	first, stopFirst := context.WithCancel(t.Context())
	second, stopSecond := context.WithCancel(t.Context())
	last, stopLast := context.WithCancel(t.Context())
	var all []*outcome
	b.held(true, func() {
		all = append(all, b.start(first, true, adding("a")))
		all = append(all, b.start(second, true, adding("b")))
		all = append(all, b.start(t.Context(), true, func(s *Session) error {
			stopFirst()
			stopSecond()
			stopLast()
			return adding("c")(s)
		}))
		all = append(all, b.start(last, true, adding("d")))
	})
	for _, o := range all[:3] {
		b.want(o, 1, nil)
	}
	b.want(all[3], 0, context.Canceled)
	wantValue(t, b.path, "abc")
}

// TestGroupOfOneThatCantLead: another process has the file. The context of the
// leader ends, and the next goes on as soon as it can; the limits are each
// caller's own.
func TestGroupOfOneThatCantLead(t *testing.T) {
	b := newGroup(t)
	other, err := Begin(t.Context(), b.path, true, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var leader, impatient, next error
	var ready sync.WaitGroup
	ready.Go(func() { leader = b.Do(ctx, true, soon(), adding("leader")) })
	b.until(func() bool { return len(b.turn) == 1 })
	b.all.Go(func() { next = b.Do(t.Context(), true, soon(), adding("next")) })
	b.until(func() bool { return b.queue(true) == 1 })
	impatient = b.Do(t.Context(), true, time.Now(), adding("impatient"))
	cancel()
	ready.Wait()
	other.Close()
	b.all.Wait()
	if !errors.Is(leader, context.Canceled) || !errors.Is(impatient, ErrBusy) || next != nil {
		t.Errorf("expected %v, %v and no error, found %v, %v and %v", context.Canceled, ErrBusy, leader, impatient, next)
	}
	wantValue(t, b.path, "next")
}

func TestGroupBounds(t *testing.T) {
	b := newGroup(t)
	var all []*outcome
	b.held(true, func() {
		for range maxShared {
			all = append(all, b.start(t.Context(), true, adding("x")))
		}
	})
	for _, o := range all {
		b.want(o, 1, nil)
	}
	wantValue(t, b.path, strings.Repeat("x", maxShared))
	if b.sessions != 2 {
		t.Errorf("expected 2 sessions for %d writers, found %d", maxShared+1, b.sessions)
	}
	b.sessions = 0
	b.held(true, func() {
		for _, weight := range []int{maxWeight - 1, 1, maxWeight, maxWeight} {
			b.start(t.Context(), true, func(s *Session) error { s.Weigh(weight); return nil })
		}
	})
	if b.sessions != 3 {
		t.Errorf("expected 3 sessions by the weight, found %d", b.sessions)
	}
}

// TestGroupCommitFails: all that shared it know that it is not sure.
func TestGroupCommitFails(t *testing.T) {
	b := newGroup(t)
	var all []*outcome
	b.leads = ErrDisk
	b.held(true, func() {
		for i := range 3 {
			all = append(all, b.start(t.Context(), true, func(s *Session) error {
				if i == 2 {
					s.file.Close() // so that it can't be written
				}
				return adding("x")(s)
			}))
		}
	})
	for _, o := range all {
		b.want(o, 1, ErrDisk)
	}
	wantValue(t, b.path, "")
}

// TestGroupWithoutAFile: each has the error, and nothing stays behind.
func TestGroupWithoutAFile(t *testing.T) {
	b := newGroup(t)
	b.path = filepath.Join(t.TempDir(), "none")
	var all []*outcome
	free, err := b.Take(t.Context(), soon())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		all = append(all, b.start(t.Context(), true, adding("x")))
	}
	free()
	b.end()
	for _, o := range all {
		b.want(o, 0, ErrAbsent)
	}
}

// TestGroupReadsOn: the end of a context stops a commit, not what a reader has read.
func TestGroupReadsOn(t *testing.T) {
	b := newGroup(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := b.Do(ctx, false, soon(), func(*Session) error { cancel(); return nil }); err != nil {
		t.Errorf("expected what was read, found %v", err)
	}
}

// TestGroupIsDoneAlready: who gets the turn after another did its work gives it back.
func TestGroupIsDoneAlready(t *testing.T) {
	b := newGroup(t)
	c := &call{ctx: t.Context(), news: make(chan struct{}, 1)}
	b.finish(errOwn, c)
	b.turn <- struct{}{}
	if leads, err := b.claim(c); leads || err != errOwn || len(b.turn) != 0 {
		t.Errorf("expected %v and no turn, found %v, %v", errOwn, leads, err)
	}
}
