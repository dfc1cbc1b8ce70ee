package fetch

import (
	"context"
	"errors"
	"fmt"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

// Move brings an object that no repository promises into the cache, and proves that
// it has all digests of want: at most limit bytes, from the places in their order.
// It tells how many bytes came, and from where. What is longer is
// wire.ErrTooLong, other bytes cache.ErrMismatch. It asks no less for a Client
// that is offline: whoever calls it decides what may be asked. What a transfer that
// failed has brought is kept without a name, as by Fetch.
func (c *Client) Move(ctx context.Context, places []transfer.Place, want artifact.Digests, limit int64, name string) (blob cache.Blob, moved int64, from string, err error) {
	stage, err := c.cache.StageAny(ctx, want)
	if err != nil {
		return blob, 0, "", err
	}
	defer stage.Keep()
	// Whoever held the stage before us may have brought it.
	if held, is := stage.Held(ctx); is {
		if err := hasAll(ctx, held, want); err == nil || !errors.Is(err, cache.ErrMissing) {
			return held, 0, "", err
		}
	}
	if length := stage.Length(); length > limit { // of an earlier run, with a higher one
		return blob, 0, "", fmt.Errorf("%s: %w: expected at most %d bytes, found %d", name, wire.ErrTooLong, limit, length)
	}
	end, err := c.downloads.take(ctx, -1)
	if err != nil {
		return blob, 0, "", err
	}
	defer end()
	meter := c.progress.Start(name, 0)
	defer func() { meter.Done(err) }()
	result, err := c.mover.Move(ctx, transfer.Object{Name: name, Limit: limit}, places, stage, meter)
	if err == nil {
		blob, err = stage.Commit(ctx)
	}
	switch cause := context.Cause(ctx); {
	case err == nil:
		return blob, result.Moved, result.From, nil
	case noRoom(err):
		err = errors.Join(err, stage.Abort()) // room is what is wanted most
	case cause != nil:
		return cache.Blob{}, 0, "", cause
	}
	return cache.Blob{}, 0, "", kept(stage, fmt.Errorf("%s: %w", name, err))
}

// hasAll reads a blob whole and compares it with every digest.
func hasAll(ctx context.Context, blob cache.Blob, want artifact.Digests) error {
	reader, err := blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	sums := newDigester()
	if err := copyBytes(ctx, sums, reader, nil); err != nil {
		return err
	}
	for _, digest := range want {
		if found, _ := sums.digests().Of(digest.Algorithm()); found != digest {
			return &trust.MismatchError{What: blob.Digest().String() + " that is held", Expected: digest.String(), Found: found.String()}
		}
	}
	return nil
}
