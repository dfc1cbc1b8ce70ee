package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay/trust"
)

// ErrIncomplete: a run published what it could, and some targets are missing or in
// quarantine.
var ErrIncomplete = errors.New("some targets are not served")

// run takes what is new upstream, proves it and publishes it. What it returns tells
// the rest.
func (r *repository) run(ctx context.Context) (result Run) {
	r.runs.Lock()
	defer r.runs.Unlock()
	began := r.m.now()
	result = Run{Repository: r.settings.Name, Began: began.UTC()}
	ctx, span := r.m.tracer.Start(ctx, "sync")
	span.Text("repository", r.settings.Name)
	defer func() {
		span.Text("outcome", string(result.Outcome))
		span.End(result.Err)
	}()
	err := r.sync(ctx, &result, false)
	if (errors.Is(err, errPublishedAnew) || errors.Is(err, trust.ErrMismatch)) && ctx.Err() == nil {
		// What the upstream has by now may fit. What came is held.
		fetched, bytes := result.Fetched, result.Bytes
		result = Run{Repository: r.settings.Name, Began: began.UTC()}
		err = r.sync(ctx, &result, true)
		result.Fetched, result.Bytes = result.Fetched+fetched, result.Bytes+bytes
	}
	result.Took = r.m.now().Sub(began)
	switch {
	case err == nil:
		result.Outcome = Done
		if len(result.Faults) > 0 {
			result.Outcome = Partial
		}
	case ctx.Err() != nil:
		result.Outcome, result.Err = Cancelled, context.Cause(ctx)
	default:
		result.Outcome, result.Err = Failed, err
	}
	if result.Err != nil {
		result.Reason = clipReason(result.Err.Error())
	}
	if result.Outcome == Failed || result.Outcome == Cancelled {
		result.Faults = nil
	}
	if now := r.serving.Load(); now != nil {
		result.Generation, result.Targets = now.generation.Number, now.counted()
	}
	r.told(result)
	return result
}

// errPublishedAnew ends the first try of a run in which something came that was not
// what was promised: the upstream may have published in the middle of it. Nothing of
// that try is published, or put aside.
var errPublishedAnew = errors.New("the upstream has published in the middle of the run")

// mayFit reports whether faults look like that.
func mayFit(s Session, faults map[string]error) bool {
	for _, err := range faults {
		if !errors.Is(err, ErrRefused) && !s.Temporary(err) {
			return true
		}
	}
	return false
}

// told notes how a run ended.
func (r *repository) told(result Run) {
	r.mu.Lock()
	r.last = &result
	if result.Outcome == Done || result.Outcome == Partial {
		r.confirmed = result.Began
	}
	if good := result.Outcome == Done; result.Outcome != Cancelled && (good != r.good || r.since.IsZero()) {
		r.good, r.since = good, r.m.now().UTC()
	}
	r.mu.Unlock()
	if result.Outcome == Failed {
		if kind := lieOf(result.Err); kind != "" {
			r.count("verification_failures_total", "kind", kind).Add(1)
		}
	}
	r.count("syncs_total", "outcome", string(result.Outcome)).Add(1)
	log := r.m.log.Info
	if result.Outcome != Done {
		log = r.m.log.Warn
	}
	log("sync", "repository", result.Repository, "outcome", result.Outcome, "changed", result.Changed, "generation", result.Generation,
		"fetched", result.Fetched, "bytes", result.Bytes, "took", result.Took, "reason", result.Reason, "faults", len(result.Faults))
}

// sync is one try of a run; last: no other follows.
func (r *repository) sync(ctx context.Context, result *Run, last bool) error {
	s, err := r.refresh(ctx)
	if err != nil {
		return err
	}
	r.m.writing.RLock() // no collection while objects come that nothing leads to yet
	defer r.m.writing.RUnlock()
	files, err := r.metadataOf(ctx, s.View())
	if err != nil {
		return err
	}
	basis, err := r.settings.basisOf(files)
	if err != nil {
		return err
	}
	if r.unchanged(s, files, basis.Hex()) {
		r.mu.Lock()
		r.session = s
		r.mu.Unlock()
		return nil
	}
	sel, err := r.gather(ctx, s, result, last)
	if err != nil {
		return err
	}
	l := newListing(sel.targets, sel.attested, sel.groups)
	g := &generation{
		Schema: generationSchema, Repository: r.settings.Name, Number: r.nextNumber(), Made: r.m.now().UTC(), Mode: r.settings.Mode,
		Basis: basis, Policy: s.Policy(), Roles: rolesOf(s.View()), Files: files,
	}
	if now := r.serving.Load(); now != nil && r.sameGeneration(now, g, l) {
		r.mu.Lock()
		r.session = s
		r.mu.Unlock()
		return r.recount(ctx, now) // only what was missing came, or went
	}
	if err := r.publish(ctx, s, g, l); err != nil {
		return err
	}
	result.Changed = true
	return nil
}

// refresh asks the upstream for the newest metadata, and notes what it answered.
func (r *repository) refresh(ctx context.Context) (Session, error) {
	ctx, span := r.m.tracer.Start(ctx, "refresh")
	began := r.m.now()
	s, err := r.upstream.Refresh(ctx)
	if err == nil {
		err = fresh(s)
	}
	span.End(err)
	now := Answer{Asked: began.UTC(), Took: r.m.now().Sub(began)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		now.Roles = rolesOf(s.View())
	} else if r.answer != nil {
		now.Roles = r.answer.Roles
	}
	r.answer = &now
	return s, err
}

// fresh refuses metadata that was not confirmed by the upstream just now.
func fresh(s Session) error {
	if err := s.View().Stale(); err != nil {
		return err
	}
	if how := s.View().Freshness(); how != trust.Fresh {
		return fmt.Errorf("%s: %w: expected fresh metadata, found it to be %s", s.View().Repository(), ErrUpstream, how)
	}
	return nil
}

// unchanged reports whether there is nothing to do: the same metadata, the same
// settings and policy, documents that were all read, and all that is carried is held.
func (r *repository) unchanged(s Session, files []metadataFile, basis string) bool {
	now := r.serving.Load()
	if now == nil || !r.clean || !now.generation.sameMetadata(files) || now.generation.Basis.Hex() != basis ||
		now.generation.Policy != s.Policy() || r.settings.Filter.MaxAge > 0 {
		return false
	}
	return len(now.quarantined) == 0 && (r.settings.Mode == Lazy || now.counted().Missing == 0)
}

// sameGeneration reports whether publishing would change nothing for a reader.
func (r *repository) sameGeneration(now *serving, g *generation, l *listing) bool {
	same := func(x, y promise) bool { return x.path == y.path && x.key() == y.key() && x.carried == y.carried }
	return now.generation.sameMetadata(g.Files) && now.generation.Basis == g.Basis && now.generation.Policy == g.Policy &&
		slices.EqualFunc(now.listing.targets, l.targets, same)
}
