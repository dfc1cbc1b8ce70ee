package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"assay/cache"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

// transferBuffer is the size of the one buffer of a transfer. 256 KiB keeps the
// number of system calls low; more gains nothing with one goroutine.
const transferBuffer = 256 << 10

// Progress is told of transfers as they go. Its methods may be called from
// several goroutines.
type Progress interface {
	// Start announces a transfer of total bytes.
	Start(name string, total int64) Meter
}

// Meter is told of one transfer.
type Meter interface {
	Add(n int)      // bytes that came
	Done(err error) // exactly once; nil: all bytes came and were proven
}

type silent struct{}

func (silent) Start(string, int64) Meter { return silent{} }
func (silent) Add(int)                   {}
func (silent) Done(error)                {}

// Fetched is a blob and what it took to get it.
type Fetched struct {
	Blob  cache.Blob
	Moved int64  // bytes that came over a source; 0: it was held
	From  string // the URL that sent them, without credentials and query
}

// Fetch brings a target's bytes into the cache, or finds them there, and proves
// them: their length and every digest that the target promises. What is held is
// hashed again. The cache names what failed (cache.ErrMismatch for bytes that
// are not the promised ones); nothing of a failed transfer stays.
func (c *Client) Fetch(ctx context.Context, target trust.Target) (Fetched, error) {
	if target.IsZero() {
		return Fetched{}, fmt.Errorf("%w: an empty target promises nothing", ErrUnknown)
	}
	held, err := c.held(ctx, target)
	if err == nil || !errors.Is(err, cache.ErrMissing) {
		return held, err
	}
	if stale := target.Stale(); stale != nil {
		return Fetched{}, fmt.Errorf("%s: %w, and it may not be fetched: %v", target.Path(), ErrOffline, stale)
	}
	if c.offline {
		return Fetched{}, fmt.Errorf("%s: %w", target.Path(), ErrOffline)
	}
	repository, ok := c.repositories[target.Repository()]
	if !ok {
		return Fetched{}, fmt.Errorf("%w: the repository %q", ErrUnknown, target.Repository())
	}
	stage, err := c.cache.Stage(ctx, target.Digests(), target.Length())
	if err != nil {
		return Fetched{}, err
	}
	defer stage.Abort()
	// Whoever held the stage before us may have brought it.
	if held, err := c.held(ctx, target); err == nil || !errors.Is(err, cache.ErrMissing) {
		return held, err
	}
	return c.download(ctx, repository, target, stage)
}

// held finds a target's bytes in the cache and hashes them.
func (c *Client) held(ctx context.Context, target trust.Target) (Fetched, error) {
	blob, err := c.cache.Get(target.Digests().Primary())
	if err != nil {
		return Fetched{}, err
	}
	if blob.Length() != target.Length() {
		return Fetched{}, &trust.MismatchError{What: target.Path(), Expected: fmt.Sprintf("%d bytes", target.Length()), Found: fmt.Sprintf("%d held under the same digest", blob.Length())}
	}
	if err := proveAll(ctx, blob, target); err != nil {
		return Fetched{}, err
	}
	return Fetched{Blob: blob}, nil
}

// proveAll reads a blob whole. The blob's reader checks the digest it is stored
// under; any further promised digest is computed here.
func proveAll(ctx context.Context, blob cache.Blob, target trust.Target) error {
	reader, err := blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	prover := newProver(target, blob.Digest().Algorithm())
	if err := copyBytes(ctx, prover, reader, nil); err != nil {
		return err
	}
	return prover.check()
}

// download tries the places of a target in turn. A place that has no such file,
// or does not answer, passes the turn on where there is another; any other failure
// ends it.
func (c *Client) download(ctx context.Context, r *Repository, target trust.Target, stage *cache.Stage) (Fetched, error) {
	places, err := r.Source.Places(ctx, target)
	if err != nil {
		return Fetched{}, err
	}
	var missing error
	for i, place := range places {
		begun := c.now()
		a, err := c.engine.Open(ctx, wire.Request{URL: place.URL, Reach: place.Reach})
		if err != nil {
			r.Source.Observe(transfer.Observation{URL: place.URL, Err: err})
		}
		if errors.Is(err, fs.ErrNotExist) {
			missing = errors.Join(missing, r.Source.NotCarried(place.URL, err))
			continue
		}
		if err != nil {
			err = wire.Explain(ctx, place.URL, err)
			if errors.Is(err, trust.ErrNoAnswer) && i < len(places)-1 {
				missing = errors.Join(missing, err)
				continue
			}
			return Fetched{}, err
		}
		answered := c.now()
		blob, err := c.receive(ctx, a, target, stage)
		seen := transfer.Observation{URL: place.URL, Latency: answered.Sub(begun), Bytes: target.Length(), Took: c.now().Sub(answered), Err: err}
		if errors.Is(err, cache.ErrMismatch) {
			seen.Err = fmt.Errorf("%w: %w", transfer.ErrWrongBytes, err)
		}
		r.Source.Observe(seen)
		if err != nil {
			return Fetched{}, err
		}
		return Fetched{Blob: blob, Moved: target.Length(), From: a.URL}, nil
	}
	return Fetched{}, fmt.Errorf("%s is promised by %s, but no source has it: %w", target.Path(), target.Repository(), missing)
}

// receive streams one answer into the stage. One byte more than promised ends
// it; commit checks length and digests before the bytes get their name.
func (c *Client) receive(ctx context.Context, a *wire.Answer, target trust.Target, stage *cache.Stage) (blob cache.Blob, err error) {
	defer a.Body.Close()
	meter := c.progress.Start(target.Name(), target.Length())
	defer func() { meter.Done(err) }()
	err = copyBytes(ctx, stage, io.LimitReader(a.Body, target.Length()+1), meter)
	if err != nil {
		if errors.Is(err, errRead) {
			err = a.Broken(ctx, err)
		}
		return blob, fmt.Errorf("%s from %s: %w", target.Path(), a.Source(), err)
	}
	if blob, err = stage.Commit(ctx); err != nil {
		return blob, fmt.Errorf("%s from %s: %w", target.Path(), a.Source(), err)
	}
	return blob, nil
}

// errRead marks the error of a source, as against that of the place written to.
var errRead = errors.New("reading")

// copyBytes copies through one buffer and looks for the caller's giving up at
// each turn.
func copyBytes(ctx context.Context, to io.Writer, from io.Reader, meter Meter) error {
	buffer := make([]byte, transferBuffer)
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return err
			}
			if meter != nil {
				meter.Add(n)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errRead, err)
		}
	}
}
