package mirror

import (
	"cmp"
	"context"
	"slices"
)

// plan is a run up to where the targets would be fetched.
func (r *repository) plan(ctx context.Context) (Plan, error) {
	p := Plan{Repository: r.settings.Name, Mode: r.settings.Mode}
	s, err := r.refresh(ctx)
	if err != nil {
		return p, err
	}
	r.m.writing.RLock()
	defer r.m.writing.RUnlock()
	files, err := r.metadataOf(ctx, s.View())
	if err != nil {
		return p, err
	}
	now := r.serving.Load()
	p.Changed = now == nil || !now.generation.sameMetadata(files)
	sel, _, err := r.survey(ctx, s)
	if err != nil {
		return p, err
	}
	if p.Free, err = r.m.left(ctx); err != nil || r.settings.Mode == Lazy {
		return p, err
	}
	missing, err := r.absent(ctx, sel.targets)
	if err != nil {
		return p, err
	}
	groups := map[PlanGroup]PlanGroup{}
	for _, t := range missing {
		key := sel.groups[t.path]
		g := cmp.Or(groups[key], key)
		g.Targets++
		g.Bytes += t.length
		groups[key] = g
		p.Targets++
		p.Bytes += t.length
	}
	for _, g := range groups {
		p.Fetch = append(p.Fetch, g)
	}
	slices.SortFunc(p.Fetch, func(x, y PlanGroup) int {
		return cmp.Or(cmp.Compare(x.Product, y.Product), cmp.Compare(x.Channel, y.Channel))
	})
	return p, nil
}
