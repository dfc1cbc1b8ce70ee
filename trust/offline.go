package trust

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assay/artifact"
)

// Offline returns the last complete set, without any request. Every signature
// is checked again; what has expired since is told by View.Stale and by the
// look-ups, not here.
func (r *Repository) Offline(ctx context.Context) (*View, error) {
	now := r.now()
	s, err := r.load(ctx, completeSums)
	if err != nil {
		return nil, err
	}
	v := r.newView(now, Unchecked)
	v.checked = s.complete.Checked
	if v.root, err = r.storedRoot(ctx, s); err != nil {
		return nil, err
	}
	if _, err := r.checkRootFloor(s, v.root); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotHeld, err)
	}
	if s.complete.Root == 0 {
		return nil, fmt.Errorf("%s: %w: no complete set of metadata was fetched yet", r.name, ErrNotHeld)
	}
	if err := v.loadSet(s); err != nil {
		return nil, fmt.Errorf("%s: %w: the held set does not verify any more: %w", r.name, ErrNotHeld, err)
	}
	v.noteAccepted(s, s.rootFloor.Version, false)
	v.reference, v.stale = s.reference(r.name, now)
	if v.stale == nil {
		v.stale = v.firstExpiry(v.reference)
	}
	return v, nil
}

// loadSet parses and verifies the set that the complete record names.
func (v *View) loadSet(s *state) (err error) {
	r := v.repository
	if v.timestamp, _, err = r.acceptTimestamp(v.root, s.bytes(s.complete.Timestamp)); err != nil {
		return err
	}
	if v.snapshot, err = v.held(s, s.complete.Snapshot, v.wantSnapshot); err != nil {
		return err
	}
	v.targets, err = v.held(s, s.complete.Targets, v.wantTargets)
	return err
}

// held is one document of the complete set.
func (v *View) held(s *state, sum artifact.Digest, want func([]byte, *document) wanted) (*document, error) {
	r := v.repository
	w := want(s.meta[sum], s.parsed[sum])
	if w.known != nil {
		return w.known, w.check(r, w.known)
	}
	return w.accept(r, w.held)
}

// bytes are those that were read with the state, or parsed before.
func (s *state) bytes(sum artifact.Digest) []byte {
	if doc := s.parsed[sum]; doc != nil {
		return doc.raw
	}
	return s.meta[sum]
}

// graceView is the held set while no source answers, if the configured grace
// covers it; else the cause, with the expiry where that is what is in the way.
func (r *Repository) graceView(ctx context.Context, cause error) (*View, error) {
	v, err := r.Offline(ctx)
	if err != nil {
		return nil, cause
	}
	if errors.Is(v.stale, ErrClock) {
		return nil, v.stale
	}
	v.tolerance = r.grace
	if err := v.firstExpiry(v.reference.Add(-v.tolerance)); err != nil {
		return nil, errors.Join(err, cause)
	}
	v.freshness, v.stale = Grace, nil
	return v, nil
}

func (v *View) firstExpiry(at time.Time) error {
	name := v.repository.name
	for _, check := range []func(string, time.Time) error{v.root.expiry, v.timestamp.expiry, v.snapshot.expiry, v.targets.expiry} {
		if err := check(name, at); err != nil {
			return err
		}
	}
	return nil
}
