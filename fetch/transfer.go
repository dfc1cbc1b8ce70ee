package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/transfer"
	"assay/trust"
)

// transferBuffer is the size of the one buffer of a transfer. 256 KiB keeps the
// number of system calls low; more gains nothing with one goroutine.
const transferBuffer = 256 << 10

// Progress is told of transfers as they go. Its methods may be called from
// several goroutines.
type Progress interface {
	// Start announces a transfer of total bytes; 0: nobody knows how many.
	Start(name string, total int64) Meter
}

// Meter is told of one transfer.
type Meter interface {
	Add(n int)      // bytes that came, or were there; less than 0: they have to come again
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
// are not the promised ones). What a transfer that failed has brought stays in the
// cache's staging folder, without a name, for the next one to go on from.
func (c *Client) Fetch(ctx context.Context, target trust.Target) (Fetched, error) {
	return c.fetch(ctx, target, nil)
}

// fetch is Fetch with a file that gets the bytes in the same pass; nil: none. What is
// not held yet gets the names in the cache's index.
func (c *Client) fetch(ctx context.Context, target trust.Target, to *destination, names ...cache.Name) (Fetched, error) {
	if target.IsZero() {
		return Fetched{}, fmt.Errorf("%w: an empty target promises nothing", ErrUnknown)
	}
	held, err := c.held(ctx, target, to)
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
	defer stage.Keep()
	// Whoever held the stage before us may have brought it.
	if held, err := c.held(ctx, target, to); err == nil || !errors.Is(err, cache.ErrMissing) {
		return held, err
	}
	return c.download(ctx, repository, target, stage, to, names)
}

// held finds a target's bytes in the cache and hashes them.
func (c *Client) held(ctx context.Context, target trust.Target, to *destination) (Fetched, error) {
	blob, err := c.cache.Get(target.Digests().Primary())
	if err != nil {
		return Fetched{}, err
	}
	if blob.Length() != target.Length() {
		return Fetched{}, &trust.MismatchError{What: target.Path(), Expected: fmt.Sprintf("%d bytes", target.Length()), Found: fmt.Sprintf("%d held under the same digest", blob.Length())}
	}
	err = to.from(blob, func(also io.Writer) error { return proveAll(ctx, blob, target, also) })
	if err != nil {
		return Fetched{}, err
	}
	return Fetched{Blob: blob}, nil
}

// proveAll reads a blob whole. The blob's reader checks the digest it is stored
// under; any further promised digest is computed here. also gets what is read.
func proveAll(ctx context.Context, blob cache.Blob, target trust.Target, also io.Writer) error {
	reader, err := blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	prover := newProver(target, blob.Digest().Algorithm())
	if err := copyBytes(ctx, io.MultiWriter(prover, also), reader, nil); err != nil {
		return err
	}
	return prover.check()
}

// download fills the stage from the places of a target. What a cut or given up
// transfer has brought is kept, for the next run to take up.
func (c *Client) download(ctx context.Context, r *Repository, target trust.Target, stage *cache.Stage, to *destination, names []cache.Name) (fetched Fetched, err error) {
	places, err := r.Source.Places(ctx, target)
	if err != nil {
		return Fetched{}, err
	}
	pieces, err := piecesOf(target)
	if err != nil {
		return Fetched{}, err
	}
	end, err := c.downloads.take(ctx, target.Length())
	if err != nil {
		return Fetched{}, err
	}
	defer end()
	if err := to.beside(stage); err != nil {
		return Fetched{}, err
	}
	meter := c.progress.Start(target.Name(), target.Length())
	defer func() { meter.Done(err) }()
	result, err := c.mover.Move(ctx, transfer.Object{Name: target.Path(), Pieces: pieces, Observe: r.Source.Observe}, places, stage, meter)
	end() // what is left to do is the disk's part
	for _, liar := range result.Wrong {
		if err == nil {
			c.warn(fmt.Sprintf("%s sent wrong bytes of %s; they were fetched again elsewhere", liar, target.Path()))
		}
	}
	if err == nil {
		var blob cache.Blob
		blob, err = stage.Commit(ctx, names...)
		if err == nil && to != nil && to.cloned {
			err = blob.Clone(to.file)
		}
		fetched = Fetched{Blob: blob, Moved: result.Moved, From: result.From}
	}
	if err != nil {
		return Fetched{}, c.notFetched(ctx, target, stage, err)
	}
	return fetched, nil
}

// notFetched ends a stage that could not be filled, and says what it was for.
func (c *Client) notFetched(ctx context.Context, target trust.Target, stage *cache.Stage, err error) error {
	switch cause := context.Cause(ctx); {
	case noRoom(err):
		err = errors.Join(err, stage.Abort()) // room is what is wanted most
	case cause != nil:
		return cause
	case missing(err):
		return fmt.Errorf("%s is promised by %s, but no source has it: %w", target.Path(), target.Repository(), err)
	}
	return kept(stage, fmt.Errorf("%s: %w", target.Path(), err))
}

// kept ends a stage that could not be filled, and says how much of it the next one
// goes on from, where that is worth a word.
func kept(stage *cache.Stage, err error) error {
	there, length := stage.Written(), stage.Length()
	if endErr := stage.Keep(); endErr != nil {
		return errors.Join(err, endErr)
	}
	if percent := 100 * there / max(length, 1); there >= cache.KeepBytes && length > 0 {
		return fmt.Errorf("%w; %d %% of it is here, and the next run goes on from there", err, percent)
	}
	return err
}

// noRoom reports whether the cache's disk is full. The one that an output goes to is
// none of its business: what came stays.
func noRoom(err error) bool {
	return (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) && !errors.Is(err, ErrOutput)
}

// missing reports whether every source has said that it has no such file.
func missing(err error) bool {
	var places *transfer.PlacesError
	if !errors.As(err, &places) {
		return false
	}
	for _, err := range places.Errs {
		if !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// piecesOf are the digests of a target's parts, if its manifest has any.
func piecesOf(target trust.Target) (transfer.Pieces, error) {
	promised := target.Pieces()
	if promised == nil {
		return transfer.Pieces{}, nil
	}
	pieces := transfer.Pieces{Length: promised.Length}
	for _, text := range promised.SHA256 {
		digest, err := artifact.NewDigest(artifact.SHA256, text)
		if err != nil {
			return pieces, fmt.Errorf("%s: pieces: %w", target.Path(), err)
		}
		pieces.Digests = append(pieces.Digests, digest)
	}
	return pieces, nil
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
