package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// proveWithdrawn finds a locked artifact that no channel lists any more: promised
// still, by its path; or held, and proven here before.
func (y *syncing) proveWithdrawn(ctx context.Context, item *syncItem, cause error) error {
	p, s := item.product, y.session
	selection, err := s.client.SelectTarget(ctx, p.Repository, item.locked.Target)
	var held fetch.Held
	switch {
	case errors.Is(err, trust.ErrNoTarget):
		held, err = y.heldBefore(ctx, item, cause)
	case err == nil:
		if err := y.app.sameAsLocked(ctx, s, p.Repository, item.locked, selection.Target); err != nil {
			return err
		}
		held, err = s.client.GetSelected(ctx, selection)
	}
	if err != nil {
		return err
	}
	doc, manifest, err := y.manifestOf(ctx, p)
	if err != nil {
		return err
	}
	listed := slices.IndexFunc(doc.Artifacts, func(a release.Artifact) bool {
		return artifact.Digests(a.Digests).Agree(item.locked.Digests) && item.locked.Platform.Rank(a.OS, a.Arch, a.Variant) > 0
	})
	if listed < 0 {
		return fmt.Errorf("%w: expected %s among the artifacts of %s for %s, found none such", errLock, item.locked.Target, p.Manifest.Target, item.locked.Platform)
	}
	held.Release, held.Artifact = doc, doc.Artifacts[listed]
	held.Repository, held.Product, held.Version, held.Channel, held.Platform = p.Repository, p.Name, p.Version, p.Channel, item.locked.Platform
	held.Why = "locked"
	warning := fmt.Sprintf("%s %s of %s is locked, and its publisher does not promise it any more: `assay lock --%s %s` chooses another release", p.Name, p.Version, p.Repository, flagUpgrade, p.Name)
	y.app.out.warn("%s", warning)
	held.Warnings = append(held.Warnings, warning)
	item.wish.held = held
	item.wish.release = install.Release{
		Repository: p.Repository, Product: p.Name, Version: p.Version.String(), Channel: p.Channel, Request: item.wish.request,
		Platform: item.locked.Platform, Target: item.locked.Target, Name: path.Base(item.locked.Target), Format: held.Artifact.Format,
		Length: item.locked.Length, Digests: item.locked.Digests, Manifest: manifest,
		Executables: held.Artifact.Executables, Published: doc.Published, Blobs: []artifact.Digest{manifest},
	}
	return item.wish.release.Fit()
}

// heldBefore is what is held of a locked artifact, if it was proven here as what the
// lock says it is, and nothing has spoken against it since.
func (y *syncing) heldBefore(ctx context.Context, item *syncItem, cause error) (fetch.Held, error) {
	p, s := item.product, y.session
	refuse := func(found string) error {
		return withHint(fmt.Errorf("%w: %w: expected that this machine has proven it before and holds it, found %s", errLock, cause, found),
			fmt.Sprintf("`assay lock --%s %s` chooses another release", flagUpgrade, p.Name))
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
	if err == nil && standing.Err != nil && standing.State != fetch.Withdrawn {
		err = standing.Err
	}
	if err != nil {
		return fetch.Held{}, err
	}
	held := fetch.Held{Receipt: receipt}
	held.Evidence = receipt.Evidence
	held.Blob, err = s.cache.Get(item.locked.Digests.Primary())
	return held, err
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

// manifestOf is the manifest of a locked release: as it is promised, or as it came
// here by its path once, with the digest that is locked.
func (y *syncing) manifestOf(ctx context.Context, p lockfile.Product) (*release.Release, artifact.Digest, error) {
	s, digest := y.session, p.Manifest.Digests.Primary()
	data, _, err := s.client.ReadDocument(ctx, p.Repository, p.Manifest.Target, release.MaxReleaseBytes)
	if errors.Is(err, trust.ErrNoTarget) {
		data, err = s.manifestHeld(ctx, p)
	}
	if err != nil {
		return nil, digest, err
	}
	for _, want := range p.Manifest.Digests {
		if found := artifact.DigestOf(want.Algorithm(), data); found != want {
			return nil, digest, fmt.Errorf("%w: %s: expected %s, as is locked, found %s", errLock, p.Manifest.Target, want, found)
		}
	}
	doc, err := release.DecodeRelease(data, p.Name, p.Version)
	return doc, digest, err
}

// manifestHeld is a manifest in the cache, that came here as what the lock calls it.
func (s *session) manifestHeld(ctx context.Context, p lockfile.Product) ([]byte, error) {
	entries, err := s.cache.List(ctx)
	if err != nil {
		return nil, err
	}
	came := func(n cache.Name) bool { return n.Repository == p.Repository && n.Target == p.Manifest.Target }
	i := slices.IndexFunc(entries, func(e cache.Entry) bool {
		return e.Digest == p.Manifest.Digests.Primary() && slices.ContainsFunc(e.Names, came)
	})
	if i < 0 {
		return nil, fmt.Errorf("%w: %s of %s: expected that it came here before, found that it is not held", errLock, p.Manifest.Target, p.Repository)
	}
	blob, err := s.cache.Get(entries[i].Digest)
	if err != nil {
		return nil, err
	}
	reader, err := blob.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(io.LimitReader(reader, release.MaxReleaseBytes))
}
