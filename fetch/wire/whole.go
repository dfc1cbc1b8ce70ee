package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"

	"assay/trust"
)

// longestPause is how long a source may ask to wait, by Retry-After, for a document
// to be asked for again.
const longestPause = 10 * time.Second

// ReadDocument reads a small file whole: at most limit bytes, within
// Options.Document or at Options.Pace. Where the source is too busy, or breaks off,
// it is asked again, Options.Retries times. With ErrTooLong comes what was read
// until then. A document that this Engine has read lately is asked for by its ETag,
// so that it comes only if it has changed (RFC 9110, 13.1.2).
func (e *Engine) ReadDocument(ctx context.Context, u *url.URL, allowed Reach, limit int64) ([]byte, *Answer, error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier = e.options.Pause, 2
	pauses.Reset()
	for try := 0; ; try++ {
		data, a, err := e.readDocument(ctx, u, allowed, limit)
		if err == nil || try >= e.options.Retries || ctx.Err() != nil || !again(err) {
			return data, a, err
		}
		wait := pauses.NextBackOff()
		var status *StatusError
		if errors.As(err, &status) && status.After > 0 {
			if wait = status.After; wait > longestPause {
				return data, a, err
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// again reports whether a document is asked for once more: not after silence, that
// took long enough, or was quick and so will be again.
func again(err error) bool { return Temporary(err) && !errors.Is(err, trust.ErrNoAnswer) }

func (e *Engine) readDocument(ctx context.Context, u *url.URL, allowed Reach, limit int64) ([]byte, *Answer, error) {
	caller := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pace := newPace(ctx, cancel, e.options.Document, e.options.Pace)
	known, found := e.documents.known(u, limit, time.Now())
	a, err := e.Open(ctx, Request{URL: u, Reach: allowed, Small: true, pauses: &pace.pauses, unless: known.validator})
	if err != nil {
		return nil, nil, Explain(caller, u, err)
	}
	defer a.Body.Close()
	if found && a.unchanged {
		return bytes.Clone(known.data), a, nil
	}
	pace.body = a.Body
	data, err := readWhole(io.LimitReader(pace, limit+1), min(a.Total, limit+1))
	if errors.Is(err, errIdle) {
		err = slowError{err}
	}
	if err != nil {
		return nil, nil, a.Broken(caller, err)
	}
	if int64(len(data)) > limit {
		return data, a, ErrTooLong
	}
	e.documents.keep(u, a.Validator, data, time.Now())
	return data, a, nil
}

// trusted is how much memory an announced length alone is worth, in bytes.
const trusted = 4 << 20

// readWhole reads all of r, which announces so many bytes (less than 0: none),
// and may lie. What arrives is kept in blocks until about half of it is there;
// then all of it gets its place. So a lie costs at most 3 times what has arrived
// and 4 MiB, and an honest answer of many MiB 1.5 times its length and 2 MiB.
func readWhole(r io.Reader, announced int64) ([]byte, error) {
	var before [][]byte // full blocks
	var arrived int64
	block := make([]byte, 0, room(0, announced))
	for {
		n, err := r.Read(block[len(block):cap(block)])
		block, arrived = block[:len(block)+n], arrived+int64(n)
		if errors.Is(err, io.EOF) {
			return join(before, block), nil
		}
		if err != nil {
			return nil, err
		}
		if len(block) < cap(block) {
			continue
		}
		before = append(before, block)
		if arrived < announced && announced <= 2*arrived+trusted {
			before, block = nil, gather(before, announced)
			continue
		}
		block = make([]byte, 0, room(arrived, announced))
	}
}

// room is the length of the next block.
func room(arrived, announced int64) int64 {
	switch {
	case arrived == announced:
		return 512 // what comes is only the end, or a surprise
	case arrived < announced:
		return min(announced-arrived, trusted)
	default:
		return min(max(arrived, 16<<10), trusted)
	}
}

// join makes one piece, without a copy where it is one.
func join(before [][]byte, last []byte) []byte {
	switch {
	case len(before) == 0:
		return last
	case len(before) == 1 && len(last) == 0:
		return before[0]
	default:
		length := int64(len(last))
		for _, block := range before {
			length += int64(len(block))
		}
		return gather(append(before, last), length)
	}
}

// gather copies blocks into one of so many bytes, or more room.
func gather(blocks [][]byte, room int64) []byte {
	whole := make([]byte, 0, room)
	for _, block := range blocks {
		whole = append(whole, block...)
	}
	return whole
}
