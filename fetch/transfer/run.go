package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"assay/cache"
	"assay/fetch/wire"
)

const (
	// gatherBytes are gathered before they are written, unless they take longer
	// to come than gatherTime.
	gatherBytes = 1 << 20
	gatherTime  = 100 * time.Millisecond
	// slowBytes are read at once where bytes come slowly. The store lends its
	// buffers to those that fill them soon, at fastRate bytes a second: a place that
	// drips must not hold one.
	slowBytes = 32 << 10
	fastRate  = 4 << 20
)

// run is one request under way.
type run struct {
	site   *site
	cancel context.CancelCauseFunc
	began  time.Time

	// Guarded by the job's mu while it is under way.
	at, to  int64 // the next byte, and the one behind the last; to may be taken back
	seen    time.Time
	came    int64 // bytes
	skipped int64 // bytes that were there already
	window  time.Time
	before  int64 // came and skipped, when the window began
	head    time.Duration
	name    string // of the place, with the proxy that was asked; empty: no answer
	err     error
}

// start sends a request for a part.
func (j *job) start(s *site, p part) {
	ctx, cancel := context.WithCancelCause(j.ctx)
	now := time.Now()
	r := &run{site: s, cancel: cancel, began: now, at: p.from, to: p.to, seen: now, window: now}
	j.mu.Lock()
	j.runs[r] = true
	j.mu.Unlock()
	request := wire.Request{URL: s.URL, Reach: s.Reach, Authorization: s.Authorization, Small: j.stage.Length() >= 0 && j.stage.Length() <= smallBytes}
	if !s.wholeOnly && (p.from > 0 || p.to >= 0 && p.to != j.stage.Length()) {
		request.From, request.To, request.Validator = p.from, max(p.to, 0), j.validatorOf(s)
		if p.to == j.stage.Length() {
			request.To = 0
		}
	}
	go func() {
		r.err = j.bring(ctx, r, request)
		cancel(nil)
		j.ended <- r
	}()
}

// bring moves the bytes of one request.
func (j *job) bring(ctx context.Context, r *run, request wire.Request) error {
	a, err := j.mover.engine.Open(ctx, request)
	if err != nil {
		return wire.Explain(ctx, request.URL, err)
	}
	defer a.Body.Close()
	j.mu.Lock()
	r.head = time.Since(r.began)
	r.name, r.seen = a.Source(), time.Now()
	j.mu.Unlock()
	if err := j.accept(a, request); err != nil {
		return err
	}
	j.mu.Lock()
	if r.to < 0 {
		r.to = j.stage.Length() // known now, or still not
	}
	j.mu.Unlock()
	if err := j.skip(r, a, r.at-a.From); err != nil {
		return a.Broken(ctx, err)
	}
	return j.receive(ctx, r, a)
}

// accept compares the head of an answer with what was asked for.
func (j *job) accept(a *wire.Answer, request wire.Request) error {
	length := j.stage.Length()
	if length >= 0 && a.Total >= 0 && a.Total != length {
		return fmt.Errorf("%s: %w: %w", a.Source(), ErrWrongBytes, j.wrongLength(a.Total))
	}
	if length < 0 && a.Total > j.object.Limit {
		return fmt.Errorf("%s: %w: expected at most %d bytes, found %d", a.Source(), wire.ErrTooLong, j.object.Limit, a.Total)
	}
	if request.From > 0 && a.From == 0 {
		if request.Validator != "" && a.Validator != request.Validator {
			return errChanged
		}
		return errNoRanges
	}
	if length < 0 && a.Total >= 0 {
		return j.stage.SetLength(a.Total)
	}
	return nil
}

// wrongLength is what a place has that holds a file of another length.
func (j *job) wrongLength(found int64) error {
	return &cache.MismatchError{Want: j.stage.Want().Primary(), WantLength: j.stage.Length(), GotLength: found}
}

// skip reads over what is there already, at a place that sends whole files only. It
// is no progress, but the place is not silent meanwhile.
func (j *job) skip(r *run, a *wire.Answer, n int64) error {
	if n <= 0 {
		return nil
	}
	scratch := make([]byte, 64<<10)
	for n > 0 {
		m, err := a.Body.Read(scratch[:min(int64(len(scratch)), n)])
		n -= int64(m)
		j.mu.Lock()
		r.skipped += int64(m)
		r.seen = time.Now()
		j.mu.Unlock()
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}

// receive writes what comes into the stage, up to the end of the run's part.
func (j *job) receive(ctx context.Context, r *run, a *wire.Answer) error {
	origin := j.originOf(r.site, a.Validator)
	fast := false
	for {
		buffer, err := j.buffer(ctx, r, fast)
		if err != nil {
			return err
		}
		began := time.Now()
		read, readErr := gather(a.Body, buffer.Data)
		fast = float64(read) > fastRate*time.Since(began).Seconds()
		c := j.claim(r, read)
		if c.n == 0 {
			buffer.Release()
		} else if err := j.stage.Put(buffer, c.n, c.at, origin); err != nil {
			return err
		}
		j.count(r, c.n)
		switch {
		case c.last && read > c.n:
			return fmt.Errorf("%s: %w: %w", a.Source(), ErrWrongBytes, j.wrongLength(j.stage.Length()+1))
		case j.stage.Length() < 0 && c.at+int64(c.n) > j.object.Limit:
			return fmt.Errorf("%s: %w: expected at most %d bytes, found more", a.Source(), wire.ErrTooLong, j.object.Limit)
		case c.last && readErr == nil:
			return j.surplus(ctx, a)
		case !c.more:
			return nil
		case errors.Is(readErr, io.EOF):
			return j.atEnd(r, a)
		case readErr != nil:
			return a.Broken(ctx, readErr)
		}
	}
}

// buffer is one to read into. Waiting for it is not the place's fault.
func (j *job) buffer(ctx context.Context, r *run, fast bool) (*cache.Buffer, error) {
	if length := j.stage.Length(); !fast && (length < 0 || length > slowBytes) {
		return &cache.Buffer{Data: make([]byte, slowBytes)}, nil
	}
	began := time.Now()
	buffer, err := j.stage.Buffer(ctx)
	j.mu.Lock()
	defer j.mu.Unlock()
	r.seen = time.Now()
	r.window = r.window.Add(r.seen.Sub(began))
	return buffer, err
}

// gather reads until there is enough to be worth a write, or it takes too long.
func gather(body io.Reader, data []byte) (n int, err error) {
	var began time.Time
	for n < len(data) && n < gatherBytes && err == nil {
		var m int
		m, err = body.Read(data[n:])
		n += m
		if began.IsZero() {
			began = time.Now()
		} else if time.Since(began) > gatherTime {
			break
		}
	}
	return n, err
}

// claimed is where bytes that came belong.
type claimed struct {
	at   int64
	n    int  // how many of them are the run's: part of it may have been given to another
	more bool // there is more to come for it
	last bool // the object ends with them
}

func (j *job) claim(r *run, n int) claimed {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.to >= 0 {
		n = int(min(int64(n), max(r.to-r.at, 0)))
	}
	end := r.at + int64(n)
	return claimed{at: r.at, n: n, more: r.to < 0 || end < r.to, last: end == j.stage.Length()}
}

// count notes bytes that were written.
func (j *job) count(r *run, n int) {
	j.mu.Lock()
	r.at += int64(n)
	r.came += int64(n)
	j.came += int64(n)
	r.seen = time.Now()
	j.mu.Unlock()
	j.meter.Add(n)
}

// surplus looks for bytes behind the end.
func (j *job) surplus(ctx context.Context, a *wire.Answer) error {
	var one [1]byte
	n, err := io.ReadFull(a.Body, one[:])
	if n > 0 {
		return fmt.Errorf("%s: %w: %w", a.Source(), ErrWrongBytes, j.wrongLength(j.stage.Length()+1))
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return a.Broken(ctx, err)
}

// atEnd judges an answer that ended before the part did.
func (j *job) atEnd(r *run, a *wire.Answer) error {
	j.mu.Lock()
	at := r.at
	j.mu.Unlock()
	switch {
	case j.stage.Length() < 0: // the end is where it is
		j.mu.Lock()
		j.whole = true
		j.mu.Unlock()
		return nil
	case a.To == 0: // no length was announced, so this is all that it has
		return fmt.Errorf("%s: %w: %w", a.Source(), ErrWrongBytes, j.wrongLength(at))
	default:
		return errShort
	}
}
