package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay/cache"
	"assay/trust"
)

// settle turns the faults of a run into a quarantine, and tells of them. What was
// in quarantine for its bytes and came leaves it. What the repository promises no
// longer leaves it once readers of what was published before are not led to it; and
// what a person has put aside only under other bytes, as it may be promised or carried
// again.
//
// Crash behind it: the generation before, without what is aside by now.
func (r *repository) settle(ctx context.Context, s Session, sel *selection, faults map[string]error, result *Run) error {
	var held []Quarantined
	now := r.m.now().UTC()
	r.mu.Lock() // nothing that a person puts aside meanwhile is lost
	defer r.mu.Unlock()
	before := r.quarantine
	anew := r.judgesAnew(s)
	promised, decided := map[string]bool{}, map[wanted]bool{}
	for _, t := range sel.targets {
		err := faults[t.path]
		was, known := isolated(before, t.path, t.key())
		promised[t.path] = true
		if !t.carried {
			if known && was.ByHand {
				held, decided[wanted{t.path, t.key()}] = append(held, was), true
			}
			continue
		}
		decided[wanted{t.path, t.key()}] = true
		switch {
		case err != nil && s.Temporary(err):
			// What is held and could not be judged is not served. What is not held is judged
			// when it comes.
			if _, missing := r.m.storage.Stat(ctx, t.key()); !known && sel.judged[t.path] && missing == nil {
				was, known = Quarantined{Repository: r.settings.Name, Path: t.path, Digest: t.key(), Reason: clipReason(err.Error()), Since: now, Retry: true}, true
			}
			if known {
				held = append(held, was)
			}
			result.fault(Fault{Path: t.path, Reason: clipReason(err.Error()), Quarantined: known, Retry: true}, err)
		case err != nil:
			q := Quarantined{Repository: r.settings.Name, Path: t.path, Digest: t.key(), Reason: clipReason(err.Error()), Since: now, Retry: !errors.Is(err, ErrRefused)}
			if known {
				q.Since = was.Since
			}
			held = append(held, q)
			result.fault(Fault{Path: t.path, Reason: q.Reason, Quarantined: true, Retry: q.Retry}, err)
			r.count("verification_failures_total", "kind", kindOf(err)).Add(1)
		case known && (was.ByHand || !was.Retry && !(anew && sel.judged[t.path])):
			held = append(held, was)
			result.fault(Fault{Path: t.path, Reason: was.Reason, Quarantined: true}, fmt.Errorf("%w: %s: %s", ErrQuarantined, t.path, was.Reason))
		}
	}
	for _, f := range sel.faults {
		if !slices.ContainsFunc(held, func(q Quarantined) bool { return q.Path == f.Path }) {
			f.Reason = clipReason(f.Reason)
			result.fault(f, fmt.Errorf("%s: %s", f.Path, f.Reason))
		}
	}
	// Until the new generation is published, and as long as names of before are kept.
	serving := r.serving.Load()
	for _, q := range before {
		if !decided[wanted{q.Path, q.Digest}] && (q.ByHand && !promised[q.Path] || serving.leadsTo(q, now)) {
			held = append(held, q)
		}
	}
	return r.setQuarantine(ctx, held)
}

// fault notes a fault of a run, and the first one's error as that of the run.
func (result *Run) fault(f Fault, err error) {
	if result.Err == nil {
		result.Err = fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if len(result.Faults) < MaxFaults {
		result.Faults = append(result.Faults, f)
	}
}

// lies are what a verification of metadata finds, as the label of the counter has it.
var lies = []struct {
	err  error
	kind string
}{
	{trust.ErrRollback, "rollback"},
	{trust.ErrExpired, "expired"},
	{trust.ErrSignature, "signature"},
	{trust.ErrRootChain, "root"},
	{trust.ErrRootConflict, "root"},
	{trust.ErrMismatch, "digest"},
	{cache.ErrMismatch, "digest"},
	{trust.ErrMalformed, "malformed"},
	{trust.ErrTooLarge, "malformed"},
}

// lieOf says in a word what the verification of metadata found that failed a run;
// empty: it was not that.
func lieOf(err error) string {
	for _, lie := range lies {
		if errors.Is(err, lie.err) {
			return lie.kind
		}
	}
	return ""
}

// kindOf says in a word what a verification found.
func kindOf(err error) string {
	switch {
	case errors.Is(err, ErrRefused):
		return "policy"
	case errors.Is(err, trust.ErrMismatch), errors.Is(err, cache.ErrMismatch):
		return "digest"
	}
	return "other"
}
