package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"assay/artifact"
	"assay/cache"
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
	wanted := sel.targets
	if r.settings.Mode == Lazy {
		if wanted, err = r.heldUnproven(ctx, sel); err != nil {
			return nil, err
		}
	}
	more, err := r.fetchMissing(ctx, s, wanted, sel.judged)
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
