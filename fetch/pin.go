package fetch

import (
	"context"
	"fmt"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// Move brings the bytes of given digests, which no repository promises, from the
// first place that has them, and proves them: all digests hold, and they are at
// most limit bytes long. name is for people. It implements pinned.Mover. What is
// longer is wire.ErrTooLong, other bytes cache.ErrMismatch; a transfer that was
// cut is taken up by the next of the same digests.
func (c *Client) Move(ctx context.Context, places []transfer.Place, want artifact.Digests, limit int64, name string) (blob cache.Blob, moved int64, from string, err error) {
	stage, err := c.cache.StageAny(ctx, want)
	if err != nil {
		return blob, 0, "", err
	}
	defer stage.Keep()
	if blob, held := stage.Held(ctx); held { // whoever had the stage before has brought it
		return blob, 0, "", nil
	}
	if stage.Length() > limit {
		return blob, 0, "", fmt.Errorf("%s: %w: expected at most %d bytes, found %d", name, wire.ErrTooLong, limit, stage.Length())
	}
	if err := c.downloads.Acquire(ctx, 1); err != nil {
		return blob, 0, "", context.Cause(ctx)
	}
	defer c.downloads.Release(1)
	meter := c.progress.Start(name, max(stage.Length(), 0))
	defer func() { meter.Done(err) }()
	result, err := c.mover.Move(ctx, transfer.Object{Name: name, Limit: limit}, places, stage, meter)
	if err == nil {
		blob, err = stage.Commit(ctx)
	}
	if err != nil {
		return cache.Blob{}, result.Moved, "", c.notMoved(ctx, stage, err)
	}
	return blob, result.Moved, result.From, nil
}

// notMoved ends a stage that could not be filled.
func (c *Client) notMoved(ctx context.Context, stage *cache.Stage, err error) error {
	end := stage.Keep
	if noRoom(err) {
		end = stage.Abort // room is what is wanted most
	}
	if endErr := end(); endErr != nil {
		c.warn(endErr.Error())
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
