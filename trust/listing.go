package trust

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// saveEvery is how many delegated roles a listing fetches before it stores them,
// in one transaction.
const saveEvery = 256

// Targets lists every target that a look-up would find, each once, with the
// role that promises it, role by role and sorted by path within each. It stops
// at the first error. Delegated roles are fetched on the way, each once; more
// delegations than Limits.Listing are ErrSearchLimit.
func (v *View) Targets(ctx context.Context) iter.Seq2[Target, error] {
	return func(yield func(Target, error) bool) {
		if v.stale != nil {
			yield(Target{}, v.stale)
			return
		}
		for doc, err := range v.allRoles(ctx) {
			if err != nil {
				yield(Target{}, err)
				return
			}
			for path := range doc.targets.all() {
				target, ok, err := v.listed(ctx, path, doc)
				if err != nil {
					yield(Target{}, err)
					return
				}
				if ok && !yield(target, nil) {
					return
				}
			}
		}
	}
}

// listed makes the target of a path that doc lists, unless a look-up would find
// it in another role or in none.
func (v *View) listed(ctx context.Context, path string, doc *document) (Target, bool, error) {
	f, err := v.search(ctx, path, false)
	if errors.Is(err, ErrNoTarget) {
		return Target{}, false, nil
	}
	if f.doc != doc {
		return Target{}, false, err
	}
	return v.promise(path, f), true, nil
}

// allRoles yields the top-level targets role and every role below it, each once,
// whatever paths it is for. Each delegation is verified.
func (v *View) allRoles(ctx context.Context) iter.Seq2[*document, error] {
	return func(yield func(*document, error) bool) {
		save := func() bool {
			err := v.saveRoles(ctx)
			if err != nil {
				yield(nil, err)
			}
			return err == nil
		}
		queue := []*document{v.targets}
		queued, visited := map[*document]bool{v.targets: true}, 0
		for len(queue) > 0 {
			doc := queue[0]
			queue = queue[1:]
			if !yield(doc, nil) {
				// Nobody listens any more: what can't be stored now is stored by the
				// next look-up.
				_ = v.saveRoles(ctx)
				return
			}
			for _, name := range v.delegatedNames(doc.delegations) {
				if visited++; visited > v.repository.limits.Listing {
					yield(nil, v.repository.tooManyListed())
					return
				}
				below, err := v.role(ctx, doc, name, false)
				if err != nil {
					yield(nil, errors.Join(err, v.saveRoles(ctx)))
					return
				}
				if !queued[below] {
					queued[below] = true
					queue = append(queue, below)
				}
				if visited%saveEvery == 0 && !save() {
					return
				}
			}
		}
		save()
	}
}

func (r *Repository) tooManyListed() error {
	return &LimitError{"listing", fmt.Errorf("%s: %w: expected at most %d in all", r.name, ErrSearchLimit, r.limits.Listing)}
}

// delegatedNames lists the roles below; of hash bins those that the snapshot
// lists, as 2^32 of them can be announced in a line.
func (v *View) delegatedNames(d *delegations) []string {
	var names []string
	if d == nil {
		return nil
	}
	for i := range d.roles {
		names = append(names, d.roles[i].Name)
	}
	if d.bins != nil {
		for file := range v.snapshot.meta.all() {
			if name, ok := strings.CutSuffix(file, ".json"); ok && d.bins.has(name) {
				names = append(names, name)
			}
		}
	}
	return names
}
