package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/install"
	"assay/fetch/lockfile"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// errChangedSince is policy.ErrChanged, found out by a lock.
var errChangedSince = fmt.Errorf("%w since it was locked", policy.ErrChanged)

// A locked release may be promised no longer: its publisher has cleared it away. A
// lock proves nothing by itself, as it comes with a clone; so what is promised no
// longer is installed only where this machine has proven it before, and holds it.

// proveWithdrawn finds a locked artifact that no channel lists any more: by its
// manifest, where both are promised still; or held, and proven here before.
func (y *syncing) proveWithdrawn(ctx context.Context, item *syncItem, cause error) error {
	p, s := item.product, y.session
	exact := fetch.Exact{Repository: p.Repository, Product: p.Name, Version: p.Version, Channel: p.Channel}
	selection, err := s.client.SelectDelisted(ctx, exact, fetch.Part{Platform: item.locked.Platform, Target: item.locked.Target, Held: true})
	switch {
	case errors.Is(err, fetch.ErrWithdrawn):
		err = y.takeHeld(ctx, item, cause)
	case errors.Is(err, fetch.ErrUnknown):
		err = fmt.Errorf("%w: %w", errLock, err)
	case err == nil:
		err = y.takeDelisted(ctx, item, selection)
	}
	if err != nil {
		return err
	}
	warning := fmt.Sprintf("%s %s of %s is locked, and its publisher does not promise it any more: `assay lock --%s %s` chooses another release", p.Name, p.Version, p.Repository, flagUpgrade, p.Name)
	y.app.out.warn("%s", warning)
	item.wish.held.Warnings = append(item.wish.held.Warnings, warning)
	return item.wish.release.Fit()
}

// takeDelisted proves what is promised still, though no channel lists it. The lock
// must have the manifest right: there is no channel to say which one was chosen.
func (y *syncing) takeDelisted(ctx context.Context, item *syncItem, selection fetch.Selection) error {
	p, s := item.product, y.session
	if err := y.app.sameAsLocked(ctx, s, p.Repository, item.locked, selection.Target); err != nil {
		return err
	}
	if promised := selection.Manifest.Digests(); !p.Manifest.Digests.Agree(promised) {
		want, found := differing(p.Manifest.Digests, promised)
		return fmt.Errorf("%w: %s: expected %s, as is locked, found %s", errLock, p.Manifest.Target, want, found)
	}
	held, err := s.client.GetSelected(ctx, selection)
	if err != nil {
		return err
	}
	held.Channel, held.Why, held.Warnings = p.Channel, "locked", nil // those were told
	item.wish.held = held
	item.wish.release, err = s.releaseOf(ctx, held, item.wish.request)
	return err
}

// differing are the digests by which two lists are seen to differ: of one algorithm,
// if they share any.
func differing(want, found artifact.Digests) (artifact.Digest, artifact.Digest) {
	for _, digest := range want {
		if other, ok := found.Of(digest.Algorithm()); ok && other != digest {
			return digest, other
		}
	}
	return want.Primary(), found.Primary()
}

// takeHeld takes what is held of a locked artifact, if it was proven here before as
// what the lock says it is, by the manifest that it was proven by then.
func (y *syncing) takeHeld(ctx context.Context, item *syncItem, cause error) error {
	p, locked := item.product, item.locked
	held, err := y.heldBefore(ctx, item, cause)
	if err != nil {
		return err
	}
	doc, err := y.manifestOf(ctx, p, held.Receipt)
	if err != nil {
		return err
	}
	listed := slices.IndexFunc(doc.Artifacts, func(a release.Artifact) bool {
		return artifact.Digests(a.Digests).Agree(locked.Digests) && locked.Platform.Rank(a.OS, a.Arch, a.Variant) > 0
	})
	if listed < 0 {
		return fmt.Errorf("%w: expected %s among the artifacts of %s for %s, found none such", errLock, locked.Target, p.Manifest.Target, locked.Platform)
	}
	manifest := held.Receipt.Manifest.Primary()
	held.Release, held.Artifact = doc, doc.Artifacts[listed]
	held.Repository, held.Product, held.Version, held.Channel, held.Platform = p.Repository, p.Name, p.Version, p.Channel, locked.Platform
	held.Why = "locked"
	item.wish.held = held
	item.wish.release = install.Release{
		Repository: p.Repository, Product: p.Name, Version: p.Version.String(), Channel: p.Channel, Request: item.wish.request,
		Platform: locked.Platform, Target: locked.Target, Name: path.Base(locked.Target), Format: held.Artifact.Format,
		Length: locked.Length, Digests: locked.Digests, Manifest: manifest,
		Executables: held.Artifact.Executables, Published: doc.Published, Blobs: []artifact.Digest{manifest},
	}
	return nil
}

// heldBefore is what is held of a locked artifact, if it was proven here as what the
// lock says it is, nothing has spoken against it since, and the policy of today does
// not.
func (y *syncing) heldBefore(ctx context.Context, item *syncItem, cause error) (fetch.Held, error) {
	p, s := item.product, y.session
	refuse := func(found string) error {
		return withHint(fmt.Errorf("%w: %w: expected that this machine has proven it before and holds it, found %s", errLock, cause, found),
			chooseAnother(p))
	}
	receipt, err := s.receiptOf(ctx, p.Repository, item.locked)
	if err != nil {
		return fetch.Held{}, err
	}
	if receipt == nil {
		return fetch.Held{}, refuse("no receipt of it")
	}
	if wasRefused(receipt) {
		return fetch.Held{}, refuse("that it was refused: " + receipt.Reason)
	}
	standing, err := s.client.JudgeHeld(ctx, receipt)
	if errors.Is(err, cache.ErrMissing) {
		return fetch.Held{}, refuse("that it is not held")
	}
	switch {
	case err != nil:
	case standing.Err != nil && standing.State != fetch.Withdrawn:
		err = standing.Err
	case standing.Err == nil: // its manifest alone is gone: what that says counts
		err = s.client.JudgeAgain(ctx, receipt)
	}
	if err != nil {
		return fetch.Held{}, err
	}
	held := fetch.Held{Receipt: receipt}
	held.Evidence = receipt.Evidence
	held.Blob, err = s.cache.Get(item.locked.Digests.Primary())
	return held, err
}

// chooseAnother is the hint where a locked release can't be had.
func chooseAnother(p lockfile.Product) string {
	return fmt.Sprintf("`assay lock --%s %s` chooses another release", flagUpgrade, p.Name)
}

// wasRefused reports whether a release was refused when it was judged last, for more
// than that it is promised no longer.
func wasRefused(receipt *proof.Receipt) bool {
	failed, is := receipt.Evidence.Failed()
	return receipt.Outcome == proof.Refused && !(is && failed.ID == trust.CheckPromise)
}

// rememberRevoked has it remembered of what was proven here that it is revoked: it
// must not come back when its publisher clears it away.
func (a *app) rememberRevoked(ctx context.Context, s *session, repository string, proven lockfile.Artifact) {
	receipt, err := s.receiptOf(ctx, repository, proven)
	if err == nil && receipt != nil {
		_, err = s.client.JudgeHeld(ctx, receipt)
	}
	if err != nil && !errors.Is(err, cache.ErrMissing) { // what is not held can't come back
		a.out.warn("that %s is revoked can't be remembered: %v", proven.Target, err)
	}
}

// receiptOf is what this machine remembers of having proven a locked artifact, under
// its path; nil: it never has.
func (s *session) receiptOf(ctx context.Context, repository string, locked lockfile.Artifact) (*proof.Receipt, error) {
	names, err := s.prover.ReceiptsOf(ctx, locked.Digests.Primary())
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n proof.ReceiptName) bool { return n.Repository != repository || n.Target != locked.Target })
	for receipt, err := range s.prover.Receipts(ctx, names) {
		if err != nil {
			return nil, err
		}
		if !receipt.Proven.IsZero() && receipt.Digests.Agree(locked.Digests) && receipt.Length == locked.Length {
			return receipt, nil
		}
	}
	return nil, nil
}

// manifestOf is the manifest that a withdrawn release was proven by here. Neither the
// lock nor the names in the cache say which one that is: both may be forged, and what a
// manifest says is linked and run.
func (y *syncing) manifestOf(ctx context.Context, p lockfile.Product, receipt *proof.Receipt) (*release.Release, error) {
	if len(receipt.Manifest) == 0 {
		return nil, withHint(fmt.Errorf("%w: %s %s of %s is not promised any more: expected a receipt that says by which manifest it was proven, found one that does not", errLock, p.Name, p.Version, p.Repository),
			chooseAnother(p))
	}
	if !p.Manifest.Digests.Agree(receipt.Manifest) {
		want, found := differing(p.Manifest.Digests, receipt.Manifest)
		return nil, withHint(fmt.Errorf("%w: %s of %s: expected %s, as is locked, found that it was proven by %s", errLock, p.Manifest.Target, p.Repository, want, found),
			"assay.lock was changed: compare it with version control")
	}
	data, err := y.session.client.Manifest(ctx, receipt)
	if errors.Is(err, trust.ErrNotHeld) {
		return nil, withHint(fmt.Errorf("%w: %s of %s: expected that it is held, as it was proven by it, found that it is not: %w", errLock, p.Manifest.Target, p.Repository, err),
			chooseAnother(p))
	}
	if err != nil {
		return nil, err
	}
	return release.DecodeRelease(data, p.Name, p.Version)
}
