package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/lockfile"
)

// findAll finds the release of each tool, and its artifacts.
func (l *locking) findAll(ctx context.Context) error {
	for _, t := range l.tools {
		if err := l.find(ctx, t); err != nil {
			what := asked{repository: t.ref.Repo, product: t.ref.Product}
			if t.old != nil {
				what.repository = t.old.Repository
			}
			return l.app.noteRefusal(ctx, l.session, what, fmt.Errorf("%s: %w", t.Name, err))
		}
	}
	return nil
}

// find keeps what is locked while it is what is asked for, and still promised and not
// revoked; else it chooses anew.
func (l *locking) find(ctx context.Context, t *lockTool) error {
	if t.old != nil && fitsRequest(*t.old, t.ref.Selector) && !l.upgrades(t) {
		err := l.findAgain(ctx, t)
		if !errors.Is(err, fetch.ErrRevoked) && !errors.Is(err, fetch.ErrWithdrawn) {
			return err
		}
		l.warn("%v; another release is looked for", err)
		t.picks = nil
	}
	ref := t.ref
	if t.old != nil {
		ref.Repo = t.old.Repository // nobody changes over to another one unseen
	}
	var err error
	if t.found, err = l.session.client.Choose(ctx, ref); err != nil {
		return err
	}
	l.tellBack(t)
	return l.pickAll(ctx, t)
}

// tellBack says that a release is chosen which is older than the one that is locked.
func (l *locking) tellBack(t *lockTool) {
	if t.old == nil || t.found.Version.Compare(t.old.Version) >= 0 {
		return
	}
	back := lockedBack{t.found.Repository, t.found.Product, t.old.Version.String(), t.found.Version.String()}
	l.doc.Back = append(l.doc.Back, back)
	why := t.found.Why
	if was, is := t.old.Request.String(), t.ref.Selector.String(); was != is {
		why = fmt.Sprintf("it was locked for %s, and %s is asked for now", requestText(was), requestText(is))
	}
	l.warn("%s goes back from %s to %s: %s", back.Product, back.From, back.To, why)
}

// warn tells once what may be said of each platform.
func (l *locking) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if slices.Contains(l.doc.Warnings, text) {
		return
	}
	l.doc.Warnings = append(l.doc.Warnings, text)
	l.app.out.warn("%s", text)
}

func (l *locking) upgrades(t *lockTool) bool {
	return l.c.Bool(flagUpgradeAll) || slices.ContainsFunc(l.upgrade, t.named)
}

// fitsRequest reports whether a locked release is one that is asked for.
func fitsRequest(p lockfile.Product, request artifact.Selector) bool {
	switch request.Kind {
	case artifact.ByChannel:
		return p.Channel == request.Channel
	case artifact.ByVersion:
		return p.Version.Compare(request.Version) == 0
	case artifact.ByRange:
		return p.Channel == artifact.DefaultChannel && request.Range.Contains(p.Version)
	}
	return slices.ContainsFunc(p.Artifacts, func(a lockfile.Artifact) bool {
		digest, ok := a.Digests.Of(request.Digest.Algorithm())
		return ok && digest == request.Digest
	})
}

// findAgain finds the locked release. One that is in another channel now is
// withdrawn from the one that it was asked for in.
func (l *locking) findAgain(ctx context.Context, t *lockTool) (err error) {
	old := t.old
	exact := fetch.Exact{Repository: old.Repository, Product: old.Name, Version: old.Version, Channel: old.Channel}
	if t.found, err = l.session.client.ChooseAgain(ctx, exact); err != nil {
		return err
	}
	if t.found.Channel != old.Channel {
		return fmt.Errorf("%w: %s %s: expected it in the channel %s, found it in %s", fetch.ErrWithdrawn, old.Name, old.Version, old.Channel, t.found.Channel)
	}
	return l.pickAll(ctx, t)
}

// pickAll finds the artifact for each platform.
func (l *locking) pickAll(ctx context.Context, t *lockTool) error {
	for _, warning := range t.found.Warnings {
		l.warn("%s", warning)
	}
	platforms, err := l.platformsFor(t)
	if err != nil {
		return err
	}
	for _, platform := range platforms {
		p := &lockPick{platform: platform}
		var before *lockfile.Artifact
		if t.old != nil && t.old.Version.Compare(t.found.Version) == 0 {
			before = artifactOn(*t.old, platform)
		}
		if err := l.pick(ctx, t, p, before); err != nil {
			return err
		}
		for _, warning := range p.selection.Warnings {
			l.warn("%s", warning)
		}
		p.selection.Warnings = nil // told
		t.picks = append(t.picks, p)
	}
	return nil
}

// pick selects an artifact. What is locked for the platform stays, as long as the
// release lists it; it must be the same bytes then. A format that the platform does
// not have is meant for others.
func (l *locking) pick(ctx context.Context, t *lockTool, p *lockPick, before *lockfile.Artifact) (err error) {
	ways := []fetch.Part{{Platform: p.platform, Target: t.found.Target}}
	if before != nil && t.found.Target == "" {
		ways = slices.Insert(ways, 0, fetch.Part{Platform: p.platform, Target: before.Target})
	}
	if format := l.c.String(flagFormat); format != "" && t.found.Target == "" {
		ways = slices.Insert(ways, 0, fetch.Part{Platform: p.platform, Format: format})
	}
	p.release = t.found.Exact
	for _, p.part = range ways {
		p.selection, err = l.session.client.SelectExact(ctx, p.release, p.part)
		if !errors.Is(err, fetch.ErrUnknown) {
			break
		}
	}
	if err != nil {
		return err
	}
	return l.complete(ctx, p, before)
}

// complete writes down what was selected, and compares it with what was locked.
func (l *locking) complete(ctx context.Context, p *lockPick, before *lockfile.Artifact) error {
	target := p.selection.Target
	p.locked = lockfile.Artifact{Platform: p.platform, Target: target.Path(), Length: target.Length(), Digests: target.Digests(), URLs: target.URLs()}
	bundles, err := l.session.bundlesOf(ctx, p.selection)
	if err != nil {
		return err
	}
	for _, bundle := range bundles {
		p.locked.Bundles = append(p.locked.Bundles, lockfile.Bundle{Target: bundle.Path(), Digests: bundle.Digests()})
	}
	if before == nil {
		return nil
	}
	if before.Target == target.Path() {
		if err := l.app.sameAsLocked(ctx, l.session, p.selection.Repository, *before, target); err != nil {
			return err
		}
	}
	p.same = before.Target == target.Path()
	return nil
}

// artifactOn is what is locked for a platform by its name; nil: nothing is.
func artifactOn(p lockfile.Product, platform artifact.Platform) *lockfile.Artifact {
	i := slices.IndexFunc(p.Artifacts, func(a lockfile.Artifact) bool { return a.Platform == platform })
	if i < 0 {
		return nil
	}
	return &p.Artifacts[i]
}

// platformsFor are those to lock a tool for: as --platform says, or as it is locked
// already, or all that the release has.
func (l *locking) platformsFor(t *lockTool) ([]artifact.Platform, error) {
	switch {
	case len(l.platforms) > 0:
		return l.platforms, nil
	case t.old == nil, t.found.Target != "", l.c.Bool(flagAllPlatforms):
		return t.found.Platforms, nil
	}
	var list []artifact.Platform
	for _, locked := range t.old.Artifacts {
		suits := func(p artifact.Platform) bool { return locked.Platform.Rank(p.OS, p.Arch, p.Variant) > 0 }
		if slices.ContainsFunc(t.found.Platforms, suits) {
			list = append(list, locked.Platform)
			continue
		}
		l.warn("%s %s has nothing for %s, which was locked: that is left out", t.found.Product, t.found.Version, locked.Platform)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s %s has nothing for any platform that was locked: --%s locks those that it has", fetch.ErrUnknown, t.found.Product, t.found.Version, flagAllPlatforms)
	}
	return list, nil
}
