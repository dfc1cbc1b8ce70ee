package trust

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// updateSnapshot is section 5.5.
func (r *Repository) updateSnapshot(ctx context.Context, s *state, v *View) (*document, error) {
	sum := s.newest[metadata.SNAPSHOT].Sum
	doc, stored, err := r.obtain(ctx, r.remote, v.consistent(), v.wantSnapshot(s.meta[sum], s.parsed[sum]))
	if err != nil {
		return nil, err
	}
	content, err := doc.content()
	if err != nil {
		return nil, err
	}
	doc.letGo()
	next := snapshotFloor{Version: doc.version, Signed: content}
	if err := s.snapshotFloor.check(r.name, next); err != nil {
		return nil, err
	}
	if s.snapshotFloor == next && stored {
		return doc, doc.expiry(r.name, v.reference)
	}
	before, err := s.rolesBefore()
	if err != nil {
		return nil, err
	}
	after := rolesFloor{Signed: content, Roles: versionsIn(doc)}
	if err := before.check(r.name, after); err != nil {
		return nil, err
	}
	if err := doc.expiry(r.name, v.reference); err != nil {
		return nil, err
	}
	if s.rolesFloor != nil {
		// What was held is told of, even if it counts no more.
		var held rolesFloor
		if err := json.Unmarshal(s.rolesFloor, &held); err == nil {
			v.changes = held.changes(after)
		}
	}
	return doc, r.commitSnapshot(ctx, s, v, doc, next, after)
}

func (v *View) wantSnapshot(held []byte, parsed *document) wanted {
	return wanted{
		role: metadata.SNAPSHOT, kind: metadata.SNAPSHOT, promise: snapshotPromise(v.timestamp),
		limit: v.repository.limits.Snapshot, ring: v.root.ring(metadata.SNAPSHOT), held: held, known: parsed,
	}
}

// commitSnapshot stores an accepted snapshot with its floors, all that was
// checked against being the floors that are still there.
func (r *Repository) commitSnapshot(ctx context.Context, s *state, v *View, doc *document, next snapshotFloor, roles rolesFloor) error {
	if err := r.storePieces(ctx, doc); err != nil {
		return err
	}
	return r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		var floor snapshotFloor
		if _, err := needRecord(tx, keySnapshotFloor, &floor); err != nil {
			return err
		}
		if floor != s.snapshotFloor && floor != next {
			return errOvertaken
		}
		if err := putRecord(tx, keySnapshotFloor, next); err != nil {
			return err
		}
		if err := putRecord(tx, keyRolesFloor, roles); err != nil {
			return err
		}
		return putMeta(tx, doc, v.now)
	})
}

// rolesBefore are the versions that the last accepted snapshot listed.
func (s *state) rolesBefore() (roles rolesFloor, err error) {
	if s.snapshotFloor.Version == 0 {
		return roles, nil
	}
	if err := json.Unmarshal(s.rolesFloor, &roles); err != nil {
		return roles, fmt.Errorf("%w: %s: %w", ErrState, keyRolesFloor, err)
	}
	if roles.Signed != s.snapshotFloor.Signed {
		return roles, fmt.Errorf("%w: %s: expected the roles of snapshot %d, found another's", ErrState, keyRolesFloor, s.snapshotFloor.Version)
	}
	return roles, nil
}

func versionsIn(snapshot *document) map[string]int64 {
	versions := make(map[string]int64, snapshot.meta.len())
	for name, text := range snapshot.meta.all() {
		role, ok := strings.CutSuffix(name, ".json")
		if !ok {
			continue
		}
		if file, err := parseFile(text); err == nil {
			versions[role] = file.version
		}
	}
	return versions
}

// check is section 5.5.5 for the snapshot itself, and refuses other content
// under a known version.
func (f snapshotFloor) check(repository string, next snapshotFloor) error {
	if next.Version < f.Version {
		return &RollbackError{Repository: repository, Role: metadata.SNAPSHOT, Held: f.Version, Offered: next.Version}
	}
	if next.Version == f.Version && next.Signed != f.Signed {
		return sameVersion(repository, metadata.SNAPSHOT, next.Version)
	}
	return nil
}

// check is section 5.5.5 for the roles that it lists.
func (f rolesFloor) check(repository string, next rolesFloor) error {
	for role, version := range f.Roles {
		offered, listed := next.Roles[role]
		if !listed {
			return &RollbackError{Repository: repository, Role: role, Held: version, Detail: "the snapshot no longer lists it"}
		}
		if offered < version {
			return &RollbackError{Repository: repository, Role: role, Held: version, Offered: offered}
		}
	}
	return nil
}

// changes lists the delegated roles that have another version in next, sorted.
func (f rolesFloor) changes(next rolesFloor) []Change {
	var list []Change
	for role, version := range next.Roles {
		if before := f.Roles[role]; before != version && !isTopLevel(role) {
			list = append(list, Change{Role: role, From: before, To: version})
		}
	}
	slices.SortFunc(list, func(a, b Change) int { return strings.Compare(a.Role, b.Role) })
	return list
}
