package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"assay/artifact/release"
	"assay/cache"
	"assay/trust"
)

// ask gets a view: refreshed, or offline what is held; and the mirrors that it
// promises.
func (c *Client) ask(ctx context.Context, r *Repository) (*trust.View, error) {
	if c.offline {
		view, err := r.Trust.Offline(ctx)
		if err == nil {
			c.heldMirrors(ctx, r, view)
		}
		return view, err
	}
	view, err := r.Trust.Refresh(ctx)
	silent := err == nil && view.Freshness() == trust.Grace || errors.Is(err, trust.ErrNoAnswer)
	if silent && ctx.Err() == nil && c.mirrorsOfBefore(ctx, r) {
		view, err = r.Trust.Refresh(ctx)
	}
	if err != nil {
		return nil, err
	}
	return view, c.promisedMirrors(ctx, r, view)
}

// mirrorsOfBefore takes the mirrors that the last complete set promises, where
// the sources known otherwise are silent. It reports whether there was a new one.
func (c *Client) mirrorsOfBefore(ctx context.Context, r *Repository) bool {
	if r.Source.mirrorsOnly {
		return false
	}
	view, err := r.Trust.Offline(ctx)
	return err == nil && c.heldMirrors(ctx, r, view)
}

// heldMirrors takes the mirrors of a held mirrors.json; without one, or where it
// can't be read, there are none.
func (c *Client) heldMirrors(ctx context.Context, r *Repository, view *trust.View) bool {
	target, err := view.HeldTopLevelTarget(release.MirrorsPath)
	if err != nil || target.Length() > release.MaxMirrorsBytes {
		return false
	}
	held, err := c.held(ctx, target, nil)
	if err != nil {
		return false
	}
	added, err := c.takeMirrors(r, held.Blob)
	return err == nil && added
}

// promisedMirrors takes the mirrors that a repository's mirrors.json names, where
// it promises one: from the cache, or else fetched. They are about speed alone, so
// that what is wrong with it is told, and no error.
func (c *Client) promisedMirrors(ctx context.Context, r *Repository, view *trust.View) error {
	if r.Source.mirrorsOnly {
		return nil
	}
	target, err := view.TopLevelTarget(release.MirrorsPath)
	if errors.Is(err, trust.ErrNoTarget) || view.Stale() != nil {
		return nil
	}
	if err == nil {
		err = c.fetchMirrors(ctx, r, target)
	}
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		c.warn(fmt.Sprintf("%s: the mirrors that it names are not used: %v", r.Trust.Name(), err))
	}
	return nil
}

func (c *Client) fetchMirrors(ctx context.Context, r *Repository, target trust.Target) error {
	if target.Length() > release.MaxMirrorsBytes {
		return fmt.Errorf("%s: %w: expected at most %d bytes, %d are promised", target.Path(), release.ErrMalformed, release.MaxMirrorsBytes, target.Length())
	}
	fetched, err := c.fetch(ctx, target, nil, cache.Name{Repository: target.Repository(), Target: target.Path(), File: target.Name()})
	if err != nil {
		return err
	}
	_, err = c.takeMirrors(r, fetched.Blob)
	return err
}

// takeMirrors decodes a mirrors.json, and reports whether it names a mirror that
// was not known; one of another program's is passed over.
func (c *Client) takeMirrors(r *Repository, blob cache.Blob) (bool, error) {
	reader, err := blob.Open()
	if err != nil {
		return false, err
	}
	defer reader.Close()
	data, err := io.ReadAll(reader)
	if err != nil || !release.IsOurs(data) {
		return false, err
	}
	doc, err := release.DecodeMirrors(data)
	if err != nil {
		return false, err
	}
	return r.Source.takeMirrors(doc), nil
}
