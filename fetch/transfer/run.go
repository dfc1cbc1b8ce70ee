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
)

// run is one request under way.
type run struct {
	site   *site
	cancel context.CancelCauseFunc
	began  time.Time

	// Guarded by the job's mu while it is under way.
	at, to int64 // the next byte, and the one behind the last; to may be taken back
	seen   time.Time
	came   int64 // bytes
	window time.Time
	before int64 // came, when the window began
	head   time.Duration
	name   string // of the place, with the proxy that was asked; empty: no answer
	err    error
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
	if err := skip(a, r.at-a.From); err != nil {
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

// skip reads over what is there already, at a place that sends whole files only.
func skip(a *wire.Answer, n int64) error {
	if n <= 0 {
		return nil
	}
	_, err := io.CopyN(io.Discard, a.Body, n)
	return err
}

// receive writes what comes into the stage, up to the end of the run's part.
func (j *job) receive(ctx context.Context, r *run, a *wire.Answer) error {
	origin := j.originOf(r.site, a.Validator)
	for {
		buffer, err := j.stage.Buffer(ctx)
		if err != nil {
			return err
		}
		read, readErr := gather(a.Body, buffer.Data)
		at, n, more := j.claim(r, read)
		if n == 0 {
			buffer.Release()
		} else if err := j.stage.Put(buffer, n, at, origin); err != nil {
			return err
		}
		j.count(r, n)
		switch {
		case read > n && at+int64(n) == j.stage.Length():
			return fmt.Errorf("%s: %w: %w", a.Source(), ErrWrongBytes, j.wrongLength(j.stage.Length()+1))
		case a.To == 0 && j.stage.Length() < 0 && at+int64(n) > j.object.Limit:
			return fmt.Errorf("%s: %w: expected at most %d bytes, found more", a.Source(), wire.ErrTooLong, j.object.Limit)
		case !more && readErr == nil && a.To == 0:
			return j.surplus(ctx, r, a)
		case !more:
			return nil
		case errors.Is(readErr, io.EOF):
			return j.atEnd(r, a)
		case readErr != nil:
			return a.Broken(ctx, readErr)
		}
	}
}

// gather reads until there is enough to be worth a write, or it takes too long.
func gather(body io.Reader, data []byte) (n int, err error) {
	var began time.Time
	for n < len(data) && n < gatherBytes && err == nil {
		var m int
		m, err = body.Read(data[n:])
		if n += m; n == 0 {
			continue
		}
		if began.IsZero() {
			began = time.Now()
		} else if time.Since(began) > gatherTime {
			break
		}
	}
	return n, err
}

// claim is where the next n bytes belong, and how many of them are the run's: part
// of it may have been given to another meanwhile. more is false where it is done
// with them.
func (j *job) claim(r *run, n int) (at int64, mine int, more bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.to >= 0 {
		n = int(min(int64(n), max(r.to-r.at, 0)))
	}
	at = r.at
	return at, n, r.to < 0 || at+int64(n) < r.to
}

// count notes bytes that were written.
func (j *job) count(r *run, n int) {
	if n == 0 {
		return
	}
	j.mu.Lock()
	r.at += int64(n)
	r.came += int64(n)
	j.came += int64(n)
	r.seen = time.Now()
	j.mu.Unlock()
	j.meter.Add(n)
}

// surplus looks for bytes behind the end, where the place announced no length.
func (j *job) surplus(ctx context.Context, r *run, a *wire.Answer) error {
	j.mu.Lock()
	last := r.to == j.stage.Length()
	j.mu.Unlock()
	if !last {
		return nil
	}
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
