package lockfile

import (
	"assay/artifact"
)

// Seen is what a view of a repository shows of its age, to hold a lock's floors to.
type Seen struct {
	Root int64 // version
	// Roles are the versions of timestamp, snapshot and targets, and of all delegated
	// roles that the snapshot lists.
	Roles map[string]int64
	// NewTimestampKeys and NewSnapshotKeys: of the roots after the lock's, up to Root,
	// one replaced the keys of that role. Where that is not known, they are false.
	NewTimestampKeys, NewSnapshotKeys bool
}

// Floor is a role that is older than the lock says it has been.
type Floor struct {
	Role   string `json:"role"`
	Locked int64  `json:"locked"`
	Found  int64  `json:"found"` // 0: the view does not list the role
}

// Below lists the roles of a view that are older than the floors of the lock, root
// first, then timestamp, snapshot, targets and delegated ones by name; nil: there are
// none. It decides nothing else and keeps nothing.
//
// As in package trust, new keys for timestamp lapse its floor; new ones for snapshot
// lapse that of snapshot and of all roles below. The floor of root never lapses, and
// without a root later than the lock's nothing does.
func (r Repository) Below(seen Seen) []Floor {
	var below []Floor
	if seen.Root < r.Root {
		below = append(below, Floor{"root", r.Root, seen.Root})
	}
	later := seen.Root > r.Root
	for _, role := range sortedRoles(r.Floors) {
		lapsed := seen.NewSnapshotKeys
		if role == "timestamp" {
			lapsed = seen.NewTimestampKeys
		}
		if floor, found := r.Floors[role], seen.Roles[role]; found < floor && (!lapsed || !later) {
			below = append(below, Floor{role, floor, found})
		}
	}
	return below
}

// CheckRoot is ErrForeign where root, the SHA-256 of the root of version r.Root in the
// chain of a repository that is trusted here, is not the one that the lock was made
// with: that is another repository of the same name. A chain that begins later, or has
// not come that far, has no such root, and can't be compared: then it is not to be
// called; Below tells of one that has not come that far.
func (r Repository) CheckRoot(root artifact.Digest) error {
	if root == r.RootSHA256 {
		return nil
	}
	return &Error{
		File: Name, Key: "repository " + r.Name, Kind: ErrForeign,
		Detail: "expected root " + number(r.Root) + ", " + r.RootSHA256.String() + ", found " + root.String(),
	}
}
