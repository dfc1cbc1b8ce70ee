package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// urlMover is a pinned.Mover by one request to one place after the other: whole
// files, from their beginning.
type urlMover struct {
	engine   *wire.Engine
	cache    *cache.Store
	progress fetch.Progress
}

var _ pinned.Mover = (*urlMover)(nil)

// Move implements pinned.Mover.
func (m *urlMover) Move(ctx context.Context, places []transfer.Place, want artifact.Digests, limit int64, name string) (cache.Blob, int64, string, error) {
	stage, err := m.cache.StageAny(ctx, want)
	if err != nil {
		return cache.Blob{}, 0, "", err
	}
	defer func() { stage.Abort() }()
	if blob, held := stage.Held(ctx); held { // whoever had the stage before has brought it
		return blob, 0, "", nil
	}
	if stage.Written() > 0 { // what was left of another transfer is not gone on with
		if err := stage.Abort(); err != nil {
			return cache.Blob{}, 0, "", err
		}
		if stage, err = m.cache.StageAny(ctx, want); err != nil {
			return cache.Blob{}, 0, "", err
		}
	}
	var missing error
	for _, place := range places {
		a, err := m.engine.Open(ctx, wire.Request{URL: place.URL, Reach: place.Reach})
		if errors.Is(err, fs.ErrNotExist) {
			missing = errors.Join(missing, err)
			continue
		}
		if err != nil {
			return cache.Blob{}, 0, "", wire.Explain(ctx, place.URL, err)
		}
		blob, moved, err := m.receive(ctx, a, stage, limit, name)
		return blob, moved, a.Source(), err
	}
	return cache.Blob{}, 0, "", missing
}

// receive streams one answer into the stage; commit checks the digests before the
// bytes get their name.
func (m *urlMover) receive(ctx context.Context, a *wire.Answer, stage *cache.Stage, limit int64, name string) (blob cache.Blob, moved int64, err error) {
	defer a.Body.Close()
	meter := m.progress.Start(name, max(a.Total, 0))
	defer func() { meter.Done(err) }()
	buffer := make([]byte, 256<<10)
	for {
		n, err := a.Body.Read(buffer)
		if moved += int64(n); moved > limit {
			return blob, 0, fmt.Errorf("%s: %w: expected at most %d bytes, found more", a.Source(), wire.ErrTooLong, limit)
		}
		if _, err := stage.Write(buffer[:n]); err != nil {
			return blob, 0, fmt.Errorf("%s: %w", a.Source(), err)
		}
		meter.Add(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return blob, 0, a.Broken(ctx, err)
		}
	}
	if blob, err = stage.Commit(ctx); err != nil {
		return blob, 0, fmt.Errorf("%s: %w", a.Source(), err)
	}
	return blob, moved, nil
}
