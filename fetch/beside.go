package fetch

import (
	"context"
	"errors"
	"slices"

	"assay/artifact"
	"assay/trust"
)

// Beside are the digests of the documents that proving an artifact takes: its
// release's manifest, signatures, bill of materials and checksums, those that are
// promised. Whoever wants to prove it again offline has the cache keep them, and the
// catalog and the channels of that day, which Documents tells.
func (c *Client) Beside(ctx context.Context, held Held) ([]artifact.Digest, error) {
	release := held.item.Release
	if release == nil {
		return nil, nil
	}
	shelf, err := c.shelf(ctx, held.Repository, true)
	if err != nil {
		return nil, err
	}
	paths := slices.Concat(held.item.Artifact.Bundles, []string{held.Manifest.Path(), held.item.Artifact.SBOM})
	if sums := release.Checksums; sums != nil { // a release need not have them
		paths = append(append(paths, sums.Target), sums.Bundles...)
	}
	var digests []artifact.Digest
	for _, path := range paths {
		if path == "" {
			continue
		}
		target, err := shelf.target(ctx, path)
		switch {
		case errors.Is(err, trust.ErrNoTarget):
		case err != nil:
			return nil, err
		case !slices.Contains(digests, target.Digests().Primary()):
			digests = append(digests, target.Digests().Primary())
		}
	}
	return digests, nil
}
