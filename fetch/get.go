package fetch

import (
	"context"
	"fmt"

	"assay/cache"
	"assay/trust"
)

// Held is a proven artifact: the blob, and why it is believed.
type Held struct {
	Selection
	Fetched
}

// Get resolves a request and fetches the artifact into the cache.
func (c *Client) Get(ctx context.Context, request Request) (Held, error) {
	selection, err := c.Resolve(ctx, request)
	if err != nil {
		return Held{}, err
	}
	return c.GetSelected(ctx, selection)
}

// GetSelected fetches what Resolve has found.
func (c *Client) GetSelected(ctx context.Context, selection Selection) (Held, error) {
	for _, warning := range selection.Warnings {
		c.warn(warning)
	}
	fetched, err := c.Fetch(ctx, selection.Target)
	if err != nil {
		return Held{}, err
	}
	addProof(selection.Evidence, selection.Target)
	name := cache.Name{
		Repository: selection.Repository, Target: selection.Target.Path(), File: selection.Target.Name(),
		Product: selection.Product, Version: selection.Version.String(), Platform: selection.Platform.String(),
	}
	return Held{Selection: selection, Fetched: fetched}, c.note(ctx, fetched, name)
}

// addProof records the checks that Fetch has made.
func addProof(e *trust.Evidence, target trust.Target) {
	e.Add(trust.Check{ID: trust.CheckLength, Result: trust.Pass, Expected: fmt.Sprintf("%d bytes", target.Length()), Found: "the same"})
	for _, digest := range target.Digests() {
		e.Add(trust.Check{ID: trust.CheckDigest, Result: trust.Pass, Expected: digest.String(), Found: "the same"})
	}
	e.Add(trust.Check{ID: trust.CheckSignature, Result: trust.NotChecked, Why: "no policy asks for a signature besides the repository's own"})
}

// SelectTarget finds a target of a repository by its path, whether or not the
// repository follows the release layout. A path is an exact name, so one that
// is held is found in expired metadata, too. What belongs to a revoked release
// is refused by this way as well, and so is what several repositories must
// agree on and do not.
func (c *Client) SelectTarget(ctx context.Context, repository, path string) (Selection, error) {
	if _, ok := c.repositories[repository]; !ok {
		return Selection{}, fmt.Errorf("%w: no repository is named %q; known: %s", ErrUnknown, repository, quoteAll(c.Names()))
	}
	shelf, err := c.shelf(ctx, repository, true)
	if err != nil {
		return Selection{}, err
	}
	target, err := shelf.target(ctx, path)
	if err != nil {
		return Selection{}, err
	}
	entry, channel, err := shelf.standing(ctx, path)
	if err != nil {
		return Selection{}, err
	}
	agreed, err := shelf.approve(ctx, target)
	if err != nil {
		return Selection{}, err
	}
	evidence := shelf.view.Evidence()
	evidence.Add(promiseCheck(target))
	if err := agreed.AddTo(ctx, shelf.panel(), evidence); err != nil {
		return Selection{}, err
	}
	if channel != "" {
		evidence.Add(trust.Check{ID: trust.CheckStatus, Result: trust.Pass, Expected: "not revoked in any channel", Found: fmt.Sprintf("%s in %s", entry.Status, channel)})
	}
	return Selection{
		Repository: repository, Why: "named by its target path", Target: agreed.Target, Agreed: agreed.Repositories,
		Warnings: contradicted(agreed), Evidence: evidence,
	}, nil
}
