package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/trust"
	"assay/trust/proof"
)

// Held is a proven artifact: the blob, and why it is believed.
type Held struct {
	Selection
	Fetched
	Receipt *proof.Receipt // nil: the Client has no Prover
}

// Get resolves a request and fetches the artifact into the cache.
func (c *Client) Get(ctx context.Context, request Request) (Held, error) {
	selection, err := c.Resolve(ctx, request)
	if err != nil {
		return Held{}, err
	}
	return c.GetSelected(ctx, selection)
}

// GetSelected proves and fetches what Resolve has found: first what is signed
// and attested, then the bytes. A proof.Refusal keeps it from being fetched.
func (c *Client) GetSelected(ctx context.Context, selection Selection) (Held, error) {
	return c.getSelected(ctx, selection, nil)
}

// GetInto is GetSelected and Save in one pass over the bytes. What is in the way
// of the file is an error before anything is fetched.
func (c *Client) GetInto(ctx context.Context, selection Selection, path string, replace bool) (held Held, changed bool, err error) {
	target := selection.Target
	to, err := openDestination(ctx, output{target.Path(), target.Digests().Primary(), target.Length(), selection.permission(), path, replace})
	if err != nil {
		return Held{}, false, err
	}
	defer to.abort()
	if held, err = c.getSelected(ctx, selection, to); err != nil {
		return Held{}, false, err
	}
	changed, err = to.finish(ctx, c, held.Blob)
	return held, changed, err
}

func (c *Client) getSelected(ctx context.Context, selection Selection, to *destination) (Held, error) {
	found, err := c.prove(ctx, &selection, papers{fetch: true})
	for _, warning := range selection.Warnings {
		c.warn(warning)
	}
	if err != nil {
		return Held{}, c.refused(ctx, err)
	}
	name := cache.Name{
		Repository: selection.Repository, Target: selection.Target.Path(), File: selection.Target.Name(),
		Product: selection.Product, Version: selection.Version.String(), Platform: selection.Platform.String(),
	}
	fetched, err := c.fetch(ctx, selection.Target, to, name)
	if err != nil {
		return Held{}, err
	}
	if err := c.stillNotRevoked(ctx, selection); err != nil {
		return Held{}, err
	}
	addProof(selection.Evidence, selection.Target)
	if fetched.Moved == 0 { // what was fetched has its name
		if err := c.cache.Note(ctx, fetched.Blob.Digest(), name); err != nil {
			return Held{}, err
		}
	}
	receipt, err := c.record(ctx, found)
	return Held{Selection: selection, Fetched: fetched, Receipt: receipt}, err
}

// stillNotRevoked looks again, once the bytes are here, where their target does not
// name them by the algorithm that others do.
func (c *Client) stillNotRevoked(ctx context.Context, selection Selection) error {
	beside, ok := selection.item.Documents.(papers)
	if _, named := selection.Target.Digests().Of(artifact.SHA256); named || !ok || c.prover == nil {
		return nil
	}
	digest, err := beside.Hash(ctx, artifact.SHA256)
	if err != nil {
		return err
	}
	all, err := artifact.NewDigests(append(slices.Clone(selection.Target.Digests()), digest)...)
	if err != nil {
		return err
	}
	return beside.shelf.notRevoked(ctx, selection.Target, selection.item.Channel, all)
}

// addProof records the checks that Fetch has made.
func addProof(e *trust.Evidence, target trust.Target) {
	e.Add(trust.Check{ID: trust.CheckLength, Result: trust.Pass, Expected: fmt.Sprintf("%d bytes", target.Length()), Found: "the same"})
	for _, digest := range target.Digests() {
		e.Add(trust.Check{ID: trust.CheckDigest, Result: trust.Pass, Expected: digest.String(), Found: "the same"})
	}
}

// named finds a target by its path. An artifact that lies outside the repository
// is none of its targets; it is found in the manifest of the release that the path
// tells. What belongs to a revoked release may be promised no longer, and is
// ErrRevoked all the same.
func (s *shelf) named(ctx context.Context, path string) (trust.Target, error) {
	target, none := s.target(ctx, path)
	product, version, ok := releaseOf(path)
	if !errors.Is(none, trust.ErrNoTarget) || !ok {
		return target, none
	}
	if _, _, err := s.standing(ctx, path); err != nil {
		return trust.Target{}, err
	}
	m, err := s.manifest(ctx, release.ManifestPath(product, version))
	if errors.Is(err, trust.ErrNoTarget) {
		return trust.Target{}, none
	}
	if err != nil {
		return trust.Target{}, err
	}
	for _, listed := range m.Artifacts {
		target, err := s.artifact(ctx, m, listed)
		if err != nil || target.Path() == path {
			return target, err
		}
	}
	return trust.Target{}, none
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
	target, err := shelf.named(ctx, path)
	if err != nil {
		return Selection{}, err
	}
	entry, channel, err := shelf.standing(ctx, path)
	if err == nil {
		err = shelf.notRevoked(ctx, target, channel, target.Digests())
	}
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
	item, err := shelf.itemAt(ctx, target, entry, channel, evidence)
	if err != nil {
		return Selection{}, err
	}
	warnings, outlived, deprecated := contradicted(agreed), "", ""
	if channel != "" {
		if entry.Status == release.StatusDeprecated {
			deprecated = deprecation(item.Product, entry)
			warnings = append(warnings, deprecated)
		}
		evidence.Add(trust.Check{ID: trust.CheckStatus, Result: trust.Pass, Expected: "not revoked in any channel", Found: fmt.Sprintf("%s in %s", entry.Status, channel)})
		if outlived, err = shelf.aged(ctx, item.Product, channel, evidence); err != nil {
			return Selection{}, err
		}
		if outlived != "" {
			warnings = append(warnings, outlived)
		}
	}
	return Selection{
		Repository: repository, Why: "named by its target path", Target: agreed.Target, Agreed: agreed.Repositories,
		Warnings: warnings, Evidence: evidence, item: item, outlived: outlived, deprecated: deprecated,
	}, nil
}
