package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"assay/artifact/release"
	"assay/cache"
	"assay/mirror/storage"
	"assay/trust"
)

// ErrUpstream: the upstream stopped to answer in the middle of a run.
var ErrUpstream = errors.New("the upstream does not answer")

// giveUp is how many targets in a row, without any that came, tell that an upstream
// is gone. Each of them was tried several times by then.
const giveUp = 8

// fetched is what became of the targets of a run.
type fetched struct {
	mu     sync.Mutex
	faults map[string]error // by path
	count  int
	bytes  int64
}

// fetchAll brings what is not held, several at once. Its error is that the run can't
// go on; what is wrong with single targets is in the result.
func (r *repository) fetchAll(ctx context.Context, s Session, list []promise, judged map[string]bool) (*fetched, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result := &fetched{faults: map[string]error{}}
	var row atomic.Int64 // temporary failures without a success
	work := make(chan promise)
	var wait sync.WaitGroup
	for range min(r.m.parallel, len(list)) {
		wait.Go(func() {
			for t := range work {
				moved, err := r.bring(ctx, s, t, judged[t.path])
				if stop := r.stops(ctx, s, err); stop != nil && !s.Temporary(err) {
					cancel(stop)
				}
				switch {
				case err == nil:
					row.Store(0)
				case s.Temporary(err) && row.Add(1) >= giveUp:
					cancel(fmt.Errorf("%w: %w", ErrUpstream, err))
				}
				result.note(t.path, moved, err)
			}
		})
	}
	for _, t := range list {
		select {
		case work <- t:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	wait.Wait()
	return result, context.Cause(ctx)
}

func (f *fetched) note(path string, moved int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes += moved
	switch {
	case err != nil:
		f.faults[path] = err
	case moved > 0:
		f.count++
	}
}

// bring fetches and proves one target, and has the storage keep it.
func (r *repository) bring(ctx context.Context, s Session, t promise, judge bool) (moved int64, err error) {
	ctx, span := r.m.tracer.Start(ctx, "fetch")
	span.Text("target", t.path)
	defer func() {
		span.Number("bytes", moved)
		span.End(err)
	}()
	blob, moved, err := r.verified(ctx, s, t, judge)
	if err == nil {
		err = r.commit(ctx, blob)
	}
	if err == nil && judge {
		r.proofs.pass(t.path, t.key())
	}
	r.count("upstream_bytes_total").Add(moved)
	return moved, err
}

// verified has the upstream bring a target, and prove it.
func (r *repository) verified(ctx context.Context, s Session, t promise, judge bool) (cache.Blob, int64, error) {
	ctx, span := r.m.tracer.Start(ctx, "verify")
	how, by := s.Fetch, "digest"
	if judge {
		how, by = s.Prove, "policy"
	}
	span.Text("by", by)
	blob, moved, err := how(ctx, t.target)
	span.End(err)
	return blob, moved, err
}

// commit has the storage keep what was proven.
func (r *repository) commit(ctx context.Context, blob cache.Blob) error {
	ctx, span := r.m.tracer.Start(ctx, "commit")
	err := r.m.storage.Adopt(ctx, blob)
	span.End(err)
	return err
}

// stops tells whether an error ends a run: that of the context, of the disk, or of
// the program itself. nil: it is about one target.
func (r *repository) stops(ctx context.Context, s Session, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.m.fatal(err), s.Temporary(err):
		return err
	}
	return nil
}

// read reads a document that is held whole.
func (r *repository) read(ctx context.Context, s Session, target trust.Target, limit int64) ([]byte, error) {
	if target.Length() > limit {
		return nil, fmt.Errorf("%s: %w: expected at most %d bytes, %d are promised", target.Path(), release.ErrMalformed, limit, target.Length())
	}
	blob, _, err := s.Fetch(ctx, target)
	if err != nil {
		return nil, err
	}
	reader, err := blob.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

// absent are the carried targets that the storage does not have.
func (r *repository) absent(ctx context.Context, list []promise) ([]promise, error) {
	var missing []promise
	for _, t := range list {
		if !t.carried {
			continue
		}
		_, err := r.m.storage.Stat(ctx, t.key())
		if errors.Is(err, storage.ErrMissing) {
			missing = append(missing, t)
		} else if err != nil {
			return nil, err
		}
	}
	return missing, nil
}
