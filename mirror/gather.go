package mirror

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"assay/artifact"
)

// survey fetches the documents, and finds out what is carried.
func (r *repository) survey(ctx context.Context, s Session) (*selection, *fetched, error) {
	list, err := promises(ctx, s.View())
	if err != nil {
		return nil, nil, err
	}
	var documents []promise
	for _, t := range list {
		if t.carried = isDocument(t.path); t.carried {
			documents = append(documents, t)
		}
	}
	found, err := r.fetchMissing(ctx, s, documents, nil)
	if err != nil {
		return nil, nil, err
	}
	if err := r.mustRead(s, found); err != nil {
		return nil, nil, err
	}
	sel, err := r.choose(ctx, s, list)
	return sel, found, err
}

// gather fetches what is carried: first the documents, which decide what else.
func (r *repository) gather(ctx context.Context, s Session, result *Run, last bool) (*selection, error) {
	sel, found, err := r.survey(ctx, s)
	if err == nil {
		err = r.mustBeWhole(found.faults)
	}
	if err != nil {
		return nil, err
	}
	work := sel.targets
	if r.settings.Mode == Lazy {
		if work, err = r.heldUnproven(ctx, sel); err != nil {
			return nil, err
		}
	}
	more, err := r.fetchMissing(ctx, s, work, sel.judged)
	if err == nil {
		err = r.mustBeWhole(more.faults)
	}
	if err != nil {
		return nil, err
	}
	r.clean = len(sel.faults) == 0
	maps.Copy(more.faults, found.faults)
	result.Fetched, result.Bytes = found.count+more.count, found.bytes+more.bytes
	if !last && mayFit(s, more.faults) {
		return nil, errPublishedAnew
	}
	return sel, r.settle(ctx, s, sel, more.faults, result)
}

// mustRead ends a run whose documents do not come because of the network: without
// them nobody knows what is carried.
func (r *repository) mustRead(s Session, found *fetched) error {
	for _, path := range slices.Sorted(maps.Keys(found.faults)) {
		if err := found.faults[path]; s.Temporary(err) {
			return fmt.Errorf("%w: %w", ErrUpstream, err)
		}
	}
	return nil
}

// fetchMissing fetches what the storage does not have, and judges what it has and was
// not judged by this policy yet. Room is taken for it first.
func (r *repository) fetchMissing(ctx context.Context, s Session, list []promise, judged map[string]bool) (*fetched, error) {
	missing, err := r.absent(ctx, list)
	if err != nil {
		return nil, err
	}
	var bytes int64
	work := missing[:0:0]
	aside := r.aside()
	anew := r.judgesAnew(s)
	for _, t := range missing {
		if q, found := isolated(aside, t.path, t.key()); found && !q.Retry && (q.ByHand || !anew) {
			continue
		}
		bytes += t.length
		work = append(work, t)
	}
	release, err := r.m.reserve(ctx, r.settings.Name, bytes)
	if err != nil {
		return nil, err
	}
	found, err := r.fetchAll(ctx, s, append(work, r.unjudged(s, list, judged, missing)...), judged)
	release(fetchedSum{int64(found.count), found.bytes})
	return found, err
}

// judgesAnew reports whether the policy is another one than that by which the
// served generation was judged.
func (r *repository) judgesAnew(s Session) bool {
	now := r.serving.Load()
	return now == nil || now.generation.Policy != s.Policy()
}

// unjudged are the artifacts that are held, and of which nobody has said yet that this
// policy lets them be served: it changed, and what was refused by the one before may
// pass; they came for another repository, by another path, or for a run that was cut
// off; or their proof did not come.
func (r *repository) unjudged(s Session, list []promise, judged map[string]bool, missing []promise) []promise {
	skip := map[string]bool{}
	for _, t := range missing {
		skip[t.path] = true
	}
	keys := map[string]artifact.Digest{}
	for _, t := range list {
		if isDocument(t.path) {
			keys[t.path] = t.key()
		}
	}
	now, anew, aside := r.serving.Load(), r.judgesAnew(s), r.aside()
	var work []promise
	for _, t := range list {
		if !t.carried || !judged[t.path] || skip[t.path] {
			continue
		}
		q, known := isolated(aside, t.path, t.key())
		switch {
		case anew, known && q.Retry, r.proofs.withdrawn(t.path, t.key()):
		case known, now.judgedBefore(t, keys[manifestBeside(t.path)]):
			continue
		}
		work = append(work, t)
	}
	return work
}

func (r *repository) aside() []Quarantined {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.quarantine
}
