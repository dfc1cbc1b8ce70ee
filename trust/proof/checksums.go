package proof

import (
	"context"
	"errors"
	"fmt"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/trust"
)

// listed reads the checksums file that the manifest names, if it names one. A
// signature over it counts for the artifact only if it lists the artifact, and
// what it lists must not contradict the manifest.
func (h *hearing) listed(ctx context.Context) error {
	if h.item.Release == nil || h.item.Release.Checksums == nil {
		return nil
	}
	path := h.item.Release.Checksums.Target
	target, err := h.item.Documents.Promise(ctx, path)
	if errors.Is(err, trust.ErrNoTarget) {
		return h.fail(trust.CheckChecksums, path, "promised by "+h.subject.Repository, "no such target", fmt.Errorf("%w: the manifest names the checksums file %s: %w", ErrDisagree, path, err))
	}
	if err != nil {
		return err
	}
	expected := fmt.Sprintf("%s as %s", h.item.Target.Digests().Primary(), h.item.Target.Name())
	if h.before != nil && h.before.Checksums == target.Digests().Primary() {
		h.inChecksums = true
		h.checksums = h.before.Checksums
		h.pass(trust.CheckChecksums, path, expected, "the same")
		return nil
	}
	data, err := h.document(ctx, trust.CheckChecksums, target, checksums.MaxBytes)
	if err != nil {
		return err
	}
	list, err := checksums.Parse(data)
	if err != nil {
		return h.fail(trust.CheckChecksums, path, "a checksums file", "something else", fmt.Errorf("%s: %w: %w", path, ErrDocument, err))
	}
	found, err := list.Lookup(h.item.Target.Name())
	if errors.Is(err, checksums.ErrNotListed) {
		h.unchecked(trust.CheckChecksums, path, "it does not list "+h.item.Target.Name())
		return nil
	}
	if err != nil {
		return h.fail(trust.CheckChecksums, path, expected, "a contradiction", fmt.Errorf("%s: %w: %w", path, ErrDisagree, err))
	}
	if !found.Agree(h.item.Target.Digests()) {
		return h.disagree(trust.CheckChecksums, path, expected, found.Primary().String())
	}
	h.inChecksums, h.checksums = true, target.Digests().Primary()
	h.pass(trust.CheckChecksums, path, expected, "the same")
	return nil
}

// document reads what a manifest names. What is promised to be too large is not
// fetched to be found so.
func (h *hearing) document(ctx context.Context, id string, target trust.Target, limit int64) ([]byte, error) {
	if target.Length() > limit {
		expected, found := fmt.Sprintf("at most %d bytes", limit), fmt.Sprintf("%d bytes promised", target.Length())
		return nil, h.fail(id, target.Path(), expected, found, fmt.Errorf("%w: %s: expected %s, found %s", ErrDocument, target.Path(), expected, found))
	}
	return h.item.Documents.Read(ctx, target, limit)
}

// hashOf computes another digest of a small target.
func (h *hearing) hashOf(target trust.Target) func(context.Context, artifact.Algorithm) (artifact.Digest, error) {
	return func(ctx context.Context, algorithm artifact.Algorithm) (artifact.Digest, error) {
		data, err := h.item.Documents.Read(ctx, target, checksums.MaxBytes)
		if err != nil {
			return artifact.Digest{}, err
		}
		return artifact.DigestOf(algorithm, data), nil
	}
}
