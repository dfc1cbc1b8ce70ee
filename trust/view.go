package trust

import (
	"sync"
	"time"
)

// Freshness says what a View knows of its age.
type Freshness string

// The states of freshness.
const (
	// Fresh: a source was asked just now and all metadata is unexpired.
	Fresh Freshness = "fresh"
	// Grace: no source answers, and the configured grace covers held metadata.
	Grace Freshness = "grace"
	// Unchecked: offline; nothing was asked since View.Checked.
	Unchecked Freshness = "unchecked"
)

// View is what a repository promised at one time: a whole set of metadata, all
// of it verified. It is safe for several goroutines. A view made by Refresh
// fetches delegated roles when a look-up first needs them; an offline view has
// those that are stored.
type View struct {
	repository *Repository
	now        time.Time
	reference  time.Time // what expiry is judged at
	tolerance  time.Duration
	checked    time.Time
	freshness  Freshness
	online     bool
	stale      error // why nothing resolves by this view; nil: it does
	changes    []Change

	root      *rootDocument
	timestamp *timestampDocument
	snapshot  *snapshotDocument
	targets   *targetsDocument

	mu       sync.Mutex
	roles    map[string]*targetsDocument
	verified map[edge]bool
}

// Change is a role whose version differs from what was held before; From is 0
// where nothing was.
type Change struct {
	Role string `json:"role"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

// RoleStatus is one top-level role of a view.
type RoleStatus struct {
	Role      string    `json:"role"`
	Version   int64     `json:"version"`
	Expires   time.Time `json:"expires"`
	Threshold int       `json:"threshold"`
	Keys      int       `json:"keys"`
}

func (r *Repository) newView(now time.Time, freshness Freshness) *View {
	return &View{
		repository: r, now: now, freshness: freshness,
		roles: map[string]*targetsDocument{}, verified: map[edge]bool{},
	}
}

// Repository is the name of the repository this is a view of.
func (v *View) Repository() string { return v.repository.name }

// Freshness says what is known of the view's age.
func (v *View) Freshness() Freshness { return v.freshness }

// Checked is when a source was last asked and everything accepted.
func (v *View) Checked() time.Time { return v.checked }

// Stale is nil, or the ExpiredError or ClockError because of which nothing but
// what is held and named exactly resolves.
func (v *View) Stale() error { return v.stale }

// Changes lists the top-level roles that the refresh brought a new version of.
func (v *View) Changes() []Change { return v.changes }

// consistent reports whether files carry their version or hash in the name
// (specification 1.0, section 6.2).
func (v *View) consistent() bool { return v.root.meta.Signed.ConsistentSnapshot }

// Roles lists the four top-level roles in the order root, timestamp, snapshot,
// targets.
func (v *View) Roles() []RoleStatus {
	list := []RoleStatus{
		{Role: v.root.role, Version: v.root.version, Expires: v.root.expires},
		{Role: v.timestamp.role, Version: v.timestamp.version, Expires: v.timestamp.expires},
		{Role: v.snapshot.role, Version: v.snapshot.version, Expires: v.snapshot.expires},
		{Role: v.targets.role, Version: v.targets.version, Expires: v.targets.expires},
	}
	for i := range list {
		role := v.root.meta.Signed.Roles[list[i].Role]
		list[i].Threshold, list[i].Keys = role.Threshold, len(role.KeyIDs)
	}
	return list
}

// Expires is the earliest expiry of the top-level roles, and whose it is.
func (v *View) Expires() (time.Time, string) {
	roles := v.Roles()
	first := roles[0]
	for _, role := range roles[1:] {
		if role.Expires.Before(first.Expires) {
			first = role
		}
	}
	return first.Expires, first.Role
}

func (v *View) changedSince(before map[string]int64) []Change {
	var list []Change
	for _, role := range v.Roles() {
		if before[role.Role] != role.Version {
			list = append(list, Change{Role: role.Role, From: before[role.Role], To: role.Version})
		}
	}
	return list
}
