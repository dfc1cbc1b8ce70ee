package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/trust"
	"assay/trust/proof"
)

// JudgeAgain has the policy of today judge what a receipt speaks of and its
// repository promises no longer, by what is held of it: a proof.Refusal says why it
// is not good enough any more. Nothing is fetched or remembered. Without a Prover it
// judges nothing.
func (c *Client) JudgeAgain(ctx context.Context, receipt *proof.Receipt) error {
	if c.prover == nil {
		return nil
	}
	return c.prover.JudgeAgain(ctx, receipt, c.heldBytes)
}

// heldBytes reads a blob of the cache; its digest is for the caller to compare.
func (c *Client) heldBytes(_ context.Context, digest artifact.Digest, limit int64) ([]byte, error) {
	blob, err := c.cache.Get(digest)
	if errors.Is(err, cache.ErrMissing) {
		return nil, fmt.Errorf("%s: %w", digest, trust.ErrNotHeld)
	}
	if err != nil {
		return nil, err
	}
	reader, err := blob.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(io.LimitReader(reader, limit))
}

// Manifest reads the manifest by which an artifact was proven here, from the cache,
// and compares it with all digests that the receipt has of it. Where the cache does
// not hold it, or something else in its place, or the receipt names none, it is
// trust.ErrNotHeld.
func (c *Client) Manifest(ctx context.Context, receipt *proof.Receipt) ([]byte, error) {
	if len(receipt.Manifest) == 0 {
		return nil, fmt.Errorf("the manifest of %s: %w: its receipt names none", receipt.Target, trust.ErrNotHeld)
	}
	data, err := c.heldBytes(ctx, receipt.Manifest.Primary(), release.MaxReleaseBytes)
	if err != nil {
		return nil, err
	}
	for _, want := range receipt.Manifest {
		if found := artifact.DigestOf(want.Algorithm(), data); found != want {
			return nil, fmt.Errorf("the manifest of %s: %w: expected %s, found %s", receipt.Target, trust.ErrNotHeld, want, found)
		}
	}
	return data, nil
}

// receiptAt is what is remembered of what was proven or refused under a path; nil:
// there is no receipt of it, or none that can be read.
func (c *Client) receiptAt(ctx context.Context, repository, path string, digests artifact.Digests) (*proof.Receipt, error) {
	if c.prover == nil || len(digests) == 0 {
		return nil, nil
	}
	names, err := c.prover.ReceiptsOf(ctx, digests.Primary())
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n proof.ReceiptName) bool { return n.Repository != repository || n.Target != path })
	for receipt, err := range c.prover.Receipts(ctx, names) {
		if err == nil || !errors.Is(err, proof.ErrReceipt) {
			return receipt, err
		}
	}
	return nil, nil
}

// withdrawn is a standing of what is promised no longer, judged by the policy of
// today. What was refused before for another reason stays that.
func (c *Client) withdrawn(ctx context.Context, s Standing, receipt *proof.Receipt) Standing {
	if receipt.Outcome == proof.Refused {
		if failed, is := receipt.Evidence.Failed(); is && failed.ID != trust.CheckPromise {
			return s
		}
	}
	if err := c.JudgeAgain(ctx, receipt); err != nil {
		return s.because(stateOf(err), err)
	}
	return s
}
