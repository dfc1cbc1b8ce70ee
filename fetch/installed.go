package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust/policy"
	"assay/trust/proof"
)

// Listed is how the manifest of its release lists what was selected, and of which
// product and version that is; false: no manifest lists it.
func (s Selection) Listed() (product string, version artifact.Version, listed release.Artifact, ok bool) {
	return s.item.Product, s.item.Version, s.item.Artifact, s.item.Release != nil
}

// JudgeInstalled judges a release that was proven when it was installed: by what its
// repository says of it, and by the policy. It looks at no bytes, and remembers
// nothing. What its channels have revoked is Revoked even where nothing else is to
// be found out, which is Unknown; and what was found revoked before is so still where
// they do not speak of it any more. What is promised no longer is judged by what is
// held of it, see JudgeAgain. Any error is that the caller gave up.
func (c *Client) JudgeInstalled(ctx context.Context, repository, path string, digests artifact.Digests) (Standing, error) {
	s := Standing{Receipt: &proof.Receipt{Repository: repository, Target: path, Digests: digests}, State: Good}
	if product, version, ok := releaseOf(path); ok {
		s.Receipt.Product, s.Receipt.Version = product, version.String()
	}
	var found *proof.Proof
	selection, err := c.SelectTarget(ctx, repository, path)
	if err != nil {
		if by := c.revokedStill(ctx, repository, path); by != nil {
			err = by
		}
	} else {
		s.Evidence, s.Listed = selection.Evidence, selection.item.Artifact
		if err = selection.SameBytes(digests); err == nil {
			found, err = c.prove(ctx, &selection, papers{})
		}
	}
	if selection.item.Channel == "" && !errors.Is(err, ErrRevoked) {
		if by := c.revokedOnce(ctx, repository, path, digests); by != nil {
			err = by
		}
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return s, cause
		}
		if s = s.because(stateOf(err), err); s.State != Withdrawn {
			return s, nil
		}
		receipt, err := c.receiptAt(ctx, repository, path, digests)
		if err != nil {
			return s.because(Unknown, err), nil
		}
		return c.withdrawn(ctx, s, cmp.Or(receipt, s.Receipt)), nil
	}
	s.graded(selection, found)
	return s, nil
}

// revokedStill looks whether the channels that are held revoke what could not be
// selected; nil: they do not, or it can't be told.
func (c *Client) revokedStill(ctx context.Context, repository, path string) error {
	if c.repositories[repository] == nil {
		return nil
	}
	shelf, err := c.shelf(ctx, repository, true)
	if err == nil {
		_, _, err = shelf.standing(ctx, path)
	}
	if errors.Is(err, ErrRevoked) {
		return err
	}
	return nil
}

// revokedOnce is ErrRevoked where what was proven here under a path is remembered as
// revoked; nil also where there is no receipt of it, or it is damaged.
func (c *Client) revokedOnce(ctx context.Context, repository, path string, digests artifact.Digests) error {
	if _, _, ok := releaseOf(path); !ok || c.prover == nil || len(digests) == 0 {
		return nil // what is of no release is not revoked
	}
	receipt, err := c.receiptAt(ctx, repository, path, digests)
	if err != nil || receipt == nil {
		return err
	}
	return revocationIn(receipt)
}

// SameBytes refuses a selection whose target promises other bytes than digests, which
// were proven of it before: policy.ErrChanged.
func (s Selection) SameBytes(digests artifact.Digests) error {
	if s.Target.Digests().Agree(digests) {
		return nil
	}
	return fmt.Errorf("%s: %w: expected %s, found %s", s.Target.Path(), policy.ErrChanged, digests.Primary(), s.Target.Digests().Primary())
}
