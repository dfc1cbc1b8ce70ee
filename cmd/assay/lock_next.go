package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"assay/artifact/release"
	"assay/fetch"
	"assay/fetch/lockfile"
	"assay/trust"
)

// next is the lock that would be written.
func (l *locking) next(ctx context.Context) (lockfile.File, error) {
	next := lockfile.File{}
	roles := map[string]map[string]bool{} // by repository: those that promise something
	for _, t := range l.tools {
		product := lockfile.Product{Name: t.found.Product, Repository: t.found.Repository, Request: t.ref.Selector, Version: t.found.Version, Channel: t.found.Channel}
		for _, p := range t.picks {
			manifest := p.selection.Manifest
			product.Manifest = lockfile.Manifest{Target: manifest.Path(), Digests: manifest.Digests()}
			product.Artifacts = append(product.Artifacts, p.locked)
			if err := l.session.addRoles(ctx, roles, p); err != nil {
				return next, err
			}
		}
		next.Products = append(next.Products, product)
	}
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		entry, err := l.session.repositoryEntry(ctx, name, roles[name])
		if err != nil {
			return next, err
		}
		next.Repositories = append(next.Repositories, entry)
	}
	var err error
	next.Pins, err = l.nextPins(ctx)
	return next, err
}

// keepFloors takes the repositories of the old lock over where nothing that is locked
// of them changes: else there would be a difference each day. Those that only have to
// agree change with any product.
func (l *locking) keepFloors(next lockfile.File) (lockfile.File, error) {
	changed := map[string]bool{}
	var products bool
	for _, change := range lockfile.Compare(l.old, next) {
		switch {
		case change.Floor:
		case change.Kind == lockfile.KindProduct:
			changed[change.Repository], products = true, true
		case change.Kind == lockfile.KindRepository:
			changed[change.Name] = true
		}
	}
	for i, entry := range next.Repositories {
		owns := slices.ContainsFunc(next.Products, func(p lockfile.Product) bool { return p.Repository == entry.Name })
		old := slices.IndexFunc(l.old.Repositories, func(r lockfile.Repository) bool { return r.Name == entry.Name })
		if old >= 0 && !changed[entry.Name] && (owns || !products) {
			next.Repositories[i] = l.old.Repositories[old]
		}
	}
	_, err := lockfile.Encode(next)
	return next, err
}

// addRoles enters the delegated roles that promise an artifact, the manifest that
// lists it, its bundles, and the channel that it was found in; and those by which
// others have agreed.
func (s *session) addRoles(ctx context.Context, roles map[string]map[string]bool, p *lockPick) error {
	sel := p.selection
	paths := []string{sel.Manifest.Path(), p.locked.Target, release.ChannelPath(sel.Product, sel.Channel)}
	for _, bundle := range p.locked.Bundles {
		paths = append(paths, bundle.Target)
	}
	for _, name := range append([]string{sel.Repository}, sel.Agreed...) {
		view, err := s.client.View(ctx, name)
		if err != nil {
			return err
		}
		if roles[name] == nil {
			roles[name] = map[string]bool{}
		}
		for _, path := range paths {
			target, err := view.HeldTarget(ctx, path)
			switch {
			case errors.Is(err, trust.ErrNoTarget): // it lies elsewhere, or need not be listed
			case err != nil:
				return err
			default:
				roles[name][target.Role()] = true
			}
		}
	}
	return nil
}

// repositoryEntry is what a lock says of a repository, with the floors of the
// top-level roles and of those that are named.
func (s *session) repositoryEntry(ctx context.Context, name string, named map[string]bool) (lockfile.Repository, error) {
	view, err := s.client.View(ctx, name)
	if err != nil {
		return lockfile.Repository{}, err
	}
	seen, err := seenBy(ctx, view, 0, true)
	if err != nil {
		return lockfile.Repository{}, err
	}
	since, err := view.RootsSince(ctx, seen.Root)
	if err != nil {
		return lockfile.Repository{}, err
	}
	entry := lockfile.Repository{Name: name, Root: seen.Root, RootSHA256: since.Digest, Floors: map[string]int64{}}
	for role, version := range seen.Roles {
		if named[role] || slices.Contains(topLevelRoles, role) {
			entry.Floors[role] = version
		}
	}
	return entry, nil
}

var topLevelRoles = []string{"timestamp", "snapshot", "targets"}

// seenBy is what a view shows of its age, since a root of a lock; with delegated of
// all roles.
func seenBy(ctx context.Context, view *trust.View, root int64, delegated bool) (lockfile.Seen, error) {
	seen := lockfile.Seen{Roles: map[string]int64{}}
	for _, role := range view.Roles() {
		if role.Role == "root" {
			seen.Root = role.Version
			continue
		}
		seen.Roles[role.Role] = role.Version
	}
	since, err := view.RootsSince(ctx, root)
	if err != nil {
		return seen, err
	}
	seen.NewTimestampKeys, seen.NewSnapshotKeys = since.NewTimestampKeys, since.NewSnapshotKeys
	if !delegated {
		return seen, nil
	}
	for role, err := range view.DelegatedRoles(ctx) {
		if err != nil {
			return seen, err
		}
		seen.Roles[role.Role] = role.Version
	}
	return seen, nil
}

// holdToLock refuses a repository that is another one than the lock was made from, or
// an older state of it. What the lock says is compared, and stored nowhere.
func (a *app) holdToLock(ctx context.Context, s *session, entry lockfile.Repository) error {
	err := s.heldTo(ctx, entry)
	return a.noteRefusal(ctx, s, asked{repository: entry.Name}, err)
}

func (s *session) heldTo(ctx context.Context, entry lockfile.Repository) error {
	view, err := s.client.View(ctx, entry.Name)
	if err != nil {
		return err
	}
	since, err := view.RootsSince(ctx, entry.Root)
	if err != nil {
		return err
	}
	// A chain that begins later, or has not come so far, does not have that root.
	if !since.Digest.IsZero() {
		if err := entry.CheckRoot(since.Digest); err != nil {
			return err
		}
	}
	delegated := slices.ContainsFunc(slices.Collect(maps.Keys(entry.Floors)), func(role string) bool { return !slices.Contains(topLevelRoles, role) })
	seen, err := seenBy(ctx, view, entry.Root, delegated)
	if err != nil {
		return err
	}
	below := entry.Below(seen)
	if len(below) == 0 {
		return nil
	}
	first := below[0]
	rollback := &trust.RollbackError{Repository: entry.Name, Role: first.Role, Held: first.Locked, Offered: first.Found}
	err = fmt.Errorf("%s: %w", lockfile.Name, &trust.CheckError{ID: checkOf(first.Role), Err: rollback})
	if s.config.Offline {
		return withHint(err, "what is held here is older than assay.lock: run the command once without --offline")
	}
	return withHint(err, "an old state is being served, or assay.lock was changed: compare it with version control, and try another network or mirror; `assay trust show "+entry.Name+" --offline` tells what is held")
}

// checkOf is the check that holds a role to its floor.
func checkOf(role string) string {
	switch role {
	case "root":
		return trust.CheckRootChain
	case "timestamp":
		return trust.CheckTimestamp
	case "snapshot":
		return trust.CheckSnapshot
	}
	return trust.CheckTargets
}

// bundlesOf are the signature bundles that an artifact is proven with and that are
// promised: its own, and those over the checksums file.
func (s *session) bundlesOf(ctx context.Context, sel fetch.Selection) ([]trust.Target, error) {
	view, err := s.client.View(ctx, sel.Repository)
	if err != nil {
		return nil, err
	}
	paths := slices.Clone(sel.Artifact.Bundles)
	if sel.Release.Checksums != nil {
		paths = append(paths, sel.Release.Checksums.Bundles...)
	}
	slices.Sort(paths)
	var list []trust.Target
	for _, path := range slices.Compact(paths) {
		target, err := view.HeldTarget(ctx, path)
		if errors.Is(err, trust.ErrNoTarget) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, target)
	}
	return list, nil
}
