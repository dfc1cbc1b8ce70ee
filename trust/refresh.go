package trust

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
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
	s, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	ref, err := s.reference(r.name, now)
	if err != nil {
		return nil, err
	}
	stored, err := r.storedRoot(ctx, s)
	if err != nil {
		return nil, err
	}
	v := r.newView(now, Fresh)
	v.reference, v.online, v.checked = ref, true, now
	if v.root, err = r.walkRoots(ctx, s, stored); err != nil {
		return nil, err
	}
	if err := v.root.expiry(r.name, ref); err != nil {
		return nil, err
	}
	before := versionsBefore(s, stored)
	if v.timestamp, err = r.updateTimestamp(ctx, s, v.root, ref); err != nil {
		return nil, err
	}
	if v.snapshot, err = r.updateSnapshot(ctx, s, v, ref); err != nil {
		return nil, err
	}
	if v.targets, err = r.updateTargets(ctx, s, v, ref); err != nil {
		return nil, err
	}
	v.changes = v.changedSince(before)
	if err := r.commitComplete(ctx, v); err != nil {
		return nil, err
	}
	return v, nil
}

func versionsBefore(s *state, root *rootDocument) map[string]int64 {
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
func (r *Repository) updateTimestamp(ctx context.Context, s *state, root *rootDocument, ref time.Time) (*timestampDocument, error) {
	raw, err := r.remote.ReadMetadata(ctx, "timestamp.json", r.limits.Timestamp)
	if err != nil {
		return nil, fmt.Errorf("%s: timestamp: %w", r.name, err)
	}
	doc, err := parse[metadata.TimestampType](metadata.TIMESTAMP, raw, r.limits.Timestamp, r.limits.Depth)
	if err == nil {
		err = verifyRole(root, metadata.TIMESTAMP, doc)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	if err := s.timeFloor.check(r.name, doc); err != nil {
		return nil, err
	}
	if err := doc.expiry(r.name, ref); err != nil {
		return nil, err
	}
	if s.meta[doc.sum] != nil && s.newest[metadata.TIMESTAMP].Sum == doc.sum && s.timeFloor.Signed == doc.signed {
		return doc, nil // stored already
	}
	return doc, r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, root.version); err != nil {
			return err
		}
		var floor timestampFloor
		if _, err := needRecord(tx, keyTimeFloor, &floor); err != nil {
			return err
		}
		if floor.check(r.name, doc) != nil {
			return errOvertaken
		}
		if err := putRecord(tx, keyTimeFloor, timestampFloor{Version: doc.version, Signed: doc.signed, Snapshot: snapshotPromise(doc).Version}); err != nil {
			return err
		}
		return putMeta(tx, metadata.TIMESTAMP, doc.version, doc.sum, doc.raw)
	})
}

func snapshotPromise(doc *timestampDocument) *metadata.MetaFiles {
	return doc.meta.Signed.Meta["snapshot.json"]
}

// check is section 5.4.3, and refuses other content under a known version.
func (f timestampFloor) check(repository string, doc *timestampDocument) error {
	switch {
	case doc.version < f.Version:
		return &RollbackError{Repository: repository, Role: metadata.TIMESTAMP, Held: f.Version, Offered: doc.version}
	case doc.version == f.Version && doc.signed != f.Signed:
		return sameVersion(repository, metadata.TIMESTAMP, doc.version)
	case snapshotPromise(doc).Version < f.Snapshot:
		return &RollbackError{Repository: repository, Role: metadata.SNAPSHOT, Held: f.Snapshot, Offered: snapshotPromise(doc).Version}
	}
	return nil
}

// updateSnapshot is section 5.5.
func (r *Repository) updateSnapshot(ctx context.Context, s *state, v *View, ref time.Time) (*snapshotDocument, error) {
	w := wanted[metadata.SnapshotType]{
		role: metadata.SNAPSHOT, promise: snapshotPromise(v.timestamp), limit: r.limits.Snapshot,
		held:   s.meta[s.newest[metadata.SNAPSHOT].Sum],
		verify: func(doc *snapshotDocument) error { return verifyRole(v.root, metadata.SNAPSHOT, doc) },
	}
	doc, stored, err := obtain(ctx, r, v.consistent(), w)
	if err != nil {
		return nil, err
	}
	if err := s.snapshotFloor.check(r.name, doc); err != nil {
		return nil, err
	}
	if err := doc.expiry(r.name, ref); err != nil {
		return nil, err
	}
	if stored && s.snapshotFloor.Signed == doc.signed {
		return doc, nil
	}
	return doc, r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		var floor snapshotFloor
		if _, err := needRecord(tx, keySnapshotFloor, &floor); err != nil {
			return err
		}
		if floor.check(r.name, doc) != nil {
			return errOvertaken
		}
		if err := putRecord(tx, keySnapshotFloor, floorOf(doc)); err != nil {
			return err
		}
		return putMeta(tx, metadata.SNAPSHOT, doc.version, doc.sum, doc.raw)
	})
}

func floorOf(doc *snapshotDocument) snapshotFloor {
	floor := snapshotFloor{Version: doc.version, Signed: doc.signed, Roles: map[string]int64{}}
	for name, file := range doc.meta.Signed.Meta {
		if role, ok := strings.CutSuffix(name, ".json"); ok {
			floor.Roles[role] = file.Version
		}
	}
	return floor
}

// check is section 5.5.5, and refuses other content under a known version.
func (f snapshotFloor) check(repository string, doc *snapshotDocument) error {
	if doc.version < f.Version {
		return &RollbackError{Repository: repository, Role: metadata.SNAPSHOT, Held: f.Version, Offered: doc.version}
	}
	if doc.version == f.Version && doc.signed != f.Signed {
		return sameVersion(repository, metadata.SNAPSHOT, doc.version)
	}
	for role, version := range f.Roles {
		file := doc.meta.Signed.Meta[role+".json"]
		if file == nil {
			return &RollbackError{Repository: repository, Role: role, Held: version, Detail: "the snapshot no longer lists it"}
		}
		if file.Version < version {
			return &RollbackError{Repository: repository, Role: role, Held: version, Offered: file.Version}
		}
	}
	return nil
}

// updateTargets is section 5.6, for the top-level role.
func (r *Repository) updateTargets(ctx context.Context, s *state, v *View, ref time.Time) (*targetsDocument, error) {
	w := wanted[metadata.TargetsType]{
		role: metadata.TARGETS, promise: v.snapshot.meta.Signed.Meta["targets.json"], limit: r.limits.Targets,
		held:   s.meta[s.newest[metadata.TARGETS].Sum],
		verify: func(doc *targetsDocument) error { return verifyRole(v.root, metadata.TARGETS, doc) },
	}
	doc, stored, err := obtain(ctx, r, v.consistent(), w)
	if err != nil {
		return nil, err
	}
	if err := doc.expiry(r.name, ref); err != nil || stored {
		return doc, err
	}
	return doc, r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		return putMeta(tx, metadata.TARGETS, doc.version, doc.sum, doc.raw)
	})
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
		if held.Root > next.Root || held.Root == next.Root && held.Version > next.Version {
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
		if len(v.changes) == 0 {
			return nil
		}
		return sweep(tx)
	})
}
