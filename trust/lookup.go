package trust

import (
	"context"
	"errors"
	"fmt"
)

// Target looks a path up through the delegations. Without a role that lists it
// the error is ErrNoTarget; that it could not be found out is another error.
// Expired metadata resolves nothing here; see HeldTarget.
func (v *View) Target(ctx context.Context, path string) (Target, error) {
	if v.stale != nil {
		return Target{}, v.stale
	}
	return v.target(ctx, path, false)
}

// HeldTarget is Target for what is held already and named exactly: it answers
// from the stored metadata even where that has expired since. Nobody may fetch
// by such a target, see Target.Stale.
func (v *View) HeldTarget(ctx context.Context, path string) (Target, error) {
	stale := v.stale
	if stale == nil {
		target, err := v.target(ctx, path, false)
		if v.freshness != Unchecked || !errors.Is(err, ErrExpired) {
			return target, err
		}
		stale = err // only a delegated role has expired
	}
	target, err := v.target(ctx, path, true)
	if err != nil {
		return Target{}, err
	}
	target.promise.stale = stale
	return target, nil
}

// TopLevelTarget is Target for the documents that count only if the top-level
// targets role itself lists them; nothing delegated is asked.
func (v *View) TopLevelTarget(path string) (Target, error) {
	if v.stale != nil {
		return Target{}, v.stale
	}
	return v.topLevelTarget(path)
}

// HeldTopLevelTarget is to TopLevelTarget what HeldTarget is to Target.
func (v *View) HeldTopLevelTarget(path string) (Target, error) {
	target, err := v.topLevelTarget(path)
	if err == nil {
		target.promise.stale = v.stale
	}
	return target, err
}

func (v *View) topLevelTarget(path string) (Target, error) {
	if err := checkTargetPath(path); err != nil {
		return Target{}, err
	}
	file := v.targets.target(path)
	if file == nil {
		return Target{}, fmt.Errorf("%s: %w: %q in the top-level targets role", v.repository.name, ErrNoTarget, path)
	}
	return v.promise(path, found{file: file, doc: v.targets}), nil
}

func (v *View) target(ctx context.Context, path string, exact bool) (Target, error) {
	f, err := v.search(ctx, path, exact)
	// What was fetched on the way counts whatever the search ends with.
	if err := errors.Join(err, v.saveRoles(ctx)); err != nil {
		return Target{}, err
	}
	return v.promise(path, f), nil
}
