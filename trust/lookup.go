package trust

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
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
	file := v.targets.meta.Signed.Targets[path]
	if file == nil {
		return Target{}, fmt.Errorf("%s: %w: %q in the top-level targets role", v.repository.name, ErrNoTarget, path)
	}
	return v.promise(path, found{file: file, doc: v.targets})
}

func (v *View) target(ctx context.Context, path string, exact bool) (Target, error) {
	f, err := v.search(ctx, path, exact)
	if err != nil {
		return Target{}, err
	}
	return v.promise(path, f)
}

// Targets lists every target that a look-up would find, each once, with the
// role that promises it. It stops at the first error. All delegated roles are
// fetched on the way.
func (v *View) Targets(ctx context.Context) iter.Seq2[Target, error] {
	return func(yield func(Target, error) bool) {
		if v.stale != nil {
			yield(Target{}, v.stale)
			return
		}
		docs, err := v.allRoles(ctx)
		if err != nil {
			yield(Target{}, err)
			return
		}
		seen := map[string]bool{}
		for _, doc := range docs {
			for path := range doc.meta.Signed.Targets {
				if seen[path] {
					continue
				}
				seen[path] = true
				target, err := v.target(ctx, path, false)
				if errors.Is(err, ErrNoTarget) {
					continue // listed by a role that may not promise it
				}
				if !yield(target, err) || err != nil {
					return
				}
			}
		}
	}
}

// allRoles visits every delegation once, whatever paths it is for.
func (v *View) allRoles(ctx context.Context) ([]*targetsDocument, error) {
	docs := []*targetsDocument{v.targets}
	visited := map[edge]bool{}
	for next := 0; next < len(docs); next++ {
		delegations := docs[next].meta.Signed.Delegations
		if delegations == nil {
			continue
		}
		for _, name := range v.delegatedNames(delegations) {
			e := edge{docs[next].role, name}
			if visited[e] {
				continue
			}
			if len(visited) == v.repository.limits.Roles {
				return nil, fmt.Errorf("%s: %w: expected at most %d in all", v.repository.name, ErrSearchLimit, v.repository.limits.Roles)
			}
			visited[e] = true
			doc, err := v.role(ctx, docs[next], name, false)
			if err != nil {
				return nil, err
			}
			docs = append(docs, doc)
		}
	}
	return docs, nil
}

// delegatedNames lists the roles below; of hash bins those that the snapshot
// lists, as 2^32 of them can be announced in a line.
func (v *View) delegatedNames(delegations *metadata.Delegations) []string {
	var names []string
	for _, role := range delegations.Roles {
		names = append(names, role.Name)
	}
	if bins := delegations.SuccinctRoles; bins != nil {
		for file := range v.snapshot.meta.Signed.Meta {
			if name, ok := strings.CutSuffix(file, ".json"); ok && bins.IsDelegatedRole(name) {
				names = append(names, name)
			}
		}
	}
	return names
}
