package trust

import (
	"context"
	"errors"
	"fmt"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// refreshAttempts bounds how often Refresh starts over because another process
// stored newer state in the meantime. Each round that loses was won by another.
const refreshAttempts = 8

// Refresh runs the client workflow of the TUF specification 1.0 (section 5.3 to
// 5.6) at one fixed time and returns what the repository promises now. What it
// accepts is stored role by role; a crash or an error in between leaves the
// roles accepted so far, their floors, and the last complete set.
//
// With nothing new it makes two requests: the next root and the timestamp.
func (r *Repository) Refresh(ctx context.Context) (*View, error) {
	if r.remote == nil {
		return nil, fmt.Errorf("%s: %w", r.name, ErrNotHeld)
	}
	for range refreshAttempts {
		view, err := r.refresh(ctx)
		switch {
		case err == nil:
			return view, nil
		case errors.Is(err, errOvertaken):
			continue
		case errors.Is(err, ErrNoAnswer) && r.grace > 0:
			return r.graceView(ctx, err)
		default:
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: %w", r.name, ErrBusy)
}

func (r *Repository) refresh(ctx context.Context) (*View, error) {
	now := r.now()
	s, err := r.load(ctx, newestSums)
	if err != nil {
		return nil, err
	}
	ref, err := s.reference(r.name, now)
	if err != nil {
		return nil, atCheck(CheckFreshness, err)
	}
	stored, err := r.storedRoot(ctx, s)
	if err != nil {
		return nil, err
	}
	before := versionsBefore(s, stored)
	v := r.newView(now, Fresh)
	v.reference, v.online, v.checked = ref, true, now
	if v.root, err = r.walkRoots(ctx, s, stored); err != nil {
		return nil, atCheck(CheckRootChain, err)
	}
	if err := v.root.expiry(r.name, ref); err != nil {
		return nil, atCheck(CheckRootChain, err)
	}
	if v.timestamp, err = r.updateTimestamp(ctx, s, v); err != nil {
		return nil, atCheck(CheckTimestamp, err)
	}
	if v.snapshot, err = r.updateSnapshot(ctx, s, v); err != nil {
		return nil, atCheck(CheckSnapshot, err)
	}
	if v.targets, err = r.updateTargets(ctx, s, v); err != nil {
		return nil, atCheck(CheckTargets, err)
	}
	v.changes = append(v.changedSince(before), v.changes...)
	if err := r.commitComplete(ctx, v); err != nil {
		return nil, err
	}
	v.noteAccepted(s, v.root.version, true)
	r.known.keep(v.timestamp, v.snapshot, v.targets)
	return v, nil
}

func versionsBefore(s *state, root *document) map[string]int64 {
	before := map[string]int64{metadata.ROOT: root.version}
	if s.complete.Root == 0 {
		before[metadata.ROOT] = 0
	}
	for role, record := range s.newest {
		before[role] = record.Version
	}
	return before
}

// updateTimestamp is section 5.4. An expired timestamp is never stored.
func (r *Repository) updateTimestamp(ctx context.Context, s *state, v *View) (*document, error) {
	var doc *document
	var next timestampFloor
	refused, err := readJudged(ctx, r.remote, "timestamp.json", r.limits.Timestamp, func(raw []byte) (err error) {
		doc, next, err = r.judgeTimestamp(s, v, raw)
		return err
	})
	switch {
	case refused:
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%s: timestamp: %w", r.name, tooLarge(metadata.TIMESTAMP, err))
	}
	if s.holds(doc) && (s.timeFloor == next || v.twin) {
		return doc, nil // stored already
	}
	return doc, r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		var floor timestampFloor
		if _, err := needRecord(tx, keyTimeFloor, &floor); err != nil {
			return err
		}
		if floor.check(r.name, next) != nil {
			return errOvertaken
		}
		if err := putRecord(tx, keyTimeFloor, next); err != nil {
			return err
		}
		return putMeta(tx, doc, v.now)
	})
}

// judgeTimestamp is section 5.4.2 to 5.4.4 for one that a source offers: next is
// the floor by it, and doc what goes on to count.
func (r *Repository) judgeTimestamp(s *state, v *View, raw []byte) (doc *document, next timestampFloor, err error) {
	v.twin = false
	doc, content, err := r.acceptTimestamp(v.root, raw)
	if err != nil {
		return nil, next, fmt.Errorf("%s: %w", r.name, err)
	}
	next = timestampFloor{Version: doc.version, Signed: content, Snapshot: snapshotPromise(doc).version}
	err = s.timeFloor.check(r.name, next)
	if next.isTwinOf(s.timeFloor) {
		doc, err = r.heldTimestamp(s, v, err)
	}
	if err != nil {
		return nil, next, err
	}
	return doc, next, doc.expiry(r.name, v.reference)
}

// isTwinOf reports whether a timestamp has the version of the one that was
// accepted, and other content.
func (f timestampFloor) isTwinOf(accepted timestampFloor) bool {
	return f.Version == accepted.Version && f.Signed != accepted.Signed
}

// heldTimestamp is the stored timestamp that goes on to count where a source
// offers a twin of it: the specification has the client discard the newcomer and
// call that normal (section 5.4.3). Without it there is nothing to go on with,
// and cause is the error.
func (r *Repository) heldTimestamp(s *state, v *View, cause error) (*document, error) {
	doc, content, err := r.acceptTimestamp(v.root, s.bytes(s.newest[metadata.TIMESTAMP].Sum))
	if err != nil || content != s.timeFloor.Signed {
		return nil, cause
	}
	v.twin = true
	return doc, nil
}

// acceptTimestamp opens a timestamp that nothing but the root promises. content
// is the digest of its signed part.
func (r *Repository) acceptTimestamp(root *document, raw []byte) (doc *document, content artifact.Digest, err error) {
	doc, err = open(metadata.TIMESTAMP, metadata.TIMESTAMP, raw, r.limits.Timestamp, r.limits.Depth)
	if err != nil {
		return nil, content, err
	}
	if _, err := root.ring(metadata.TIMESTAMP).verify(doc); err != nil {
		return nil, content, err
	}
	if err := doc.decode(); err != nil {
		return nil, content, err
	}
	content, err = doc.content()
	return doc, content, err
}

// holds reports whether the newest accepted bytes of the role are doc's.
func (s *state) holds(doc *document) bool {
	sum := s.newest[doc.role].Sum
	return sum == doc.sum && s.bytes(sum) != nil
}

// snapshotPromise is what a timestamp says of the snapshot; decode made sure that
// it says something.
func snapshotPromise(doc *document) *fileInfo { return doc.file(metadata.SNAPSHOT) }

// check is section 5.4.3, and refuses other content under a known version.
func (f timestampFloor) check(repository string, next timestampFloor) error {
	switch {
	case next.Version < f.Version:
		return &RollbackError{Repository: repository, Role: metadata.TIMESTAMP, Held: f.Version, Offered: next.Version}
	case next.Version == f.Version && next.Signed != f.Signed:
		return sameVersion(repository, metadata.TIMESTAMP, next.Version)
	case next.Snapshot < f.Snapshot:
		return &RollbackError{Repository: repository, Role: metadata.SNAPSHOT, Held: f.Snapshot, Offered: next.Snapshot}
	}
	return nil
}

// updateTargets is section 5.6, for the top-level role.
func (r *Repository) updateTargets(ctx context.Context, s *state, v *View) (*document, error) {
	sum := s.newest[metadata.TARGETS].Sum
	w := v.wantTargets(s.meta[sum], s.parsed[sum])
	w.record = s.newest[metadata.TARGETS]
	doc, stored, err := r.obtain(ctx, r.remote, v.consistent(), w)
	if err != nil {
		return nil, err
	}
	if err := doc.expiry(r.name, v.reference); err != nil || stored {
		return doc, err
	}
	if err := r.storePieces(ctx, doc); err != nil {
		return nil, err
	}
	return doc, r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		return putMeta(tx, doc, v.now)
	})
}

func (v *View) wantTargets(held []byte, parsed *document) wanted {
	return wanted{
		role: metadata.TARGETS, kind: metadata.TARGETS, promise: v.snapshot.file(metadata.TARGETS),
		limit: v.repository.limits.Targets, ring: v.root.ring(metadata.TARGETS), held: held, known: parsed,
	}
}

// commitComplete names the whole set that was just accepted, moves the clock
// forward, and sweeps what no set names any more. A crash before it leaves the
// set before; the next refresh finds the accepted roles and needs no request
// for them.
func (r *Repository) commitComplete(ctx context.Context, v *View) error {
	latest := v.now
	if v.timestamp.expires.Before(latest) {
		latest = v.timestamp.expires
	}
	next := completeRecord{
		Root: v.root.version, Version: v.timestamp.version, Checked: v.now,
		Timestamp: v.timestamp.sum, Snapshot: v.snapshot.sum, Targets: v.targets.sum,
	}
	return r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		var held completeRecord
		if _, err := getRecord(tx, keyComplete, &held); err != nil && !errors.Is(err, errRecord) {
			return err
		}
		// A set under a newer root was found out by underRoot.
		if held.Root == next.Root && held.Version > next.Version {
			return nil // another process is ahead; what it stored stays
		}
		var clock clockRecord
		if _, err := needRecord(tx, keyClock, &clock); err != nil {
			return err
		}
		if latest.After(clock.Latest) {
			if err := putRecord(tx, keyClock, clockRecord{Latest: latest}); err != nil {
				return err
			}
		}
		if err := putRecord(tx, keyComplete, next); err != nil {
			return err
		}
		if held.names(next) {
			return nil
		}
		return sweep(tx, next)
	})
}
