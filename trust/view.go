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
// those that are stored. Expiry is judged at the time at which the view was made,
// so whoever keeps one for long refreshes before View.Expires.
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
	twin       bool // a timestamp of the same version and other content was discarded

	root, timestamp, snapshot, targets *document
	accepted                           map[string]time.Time // of the top-level roles

	mu      sync.Mutex
	roles   map[string]*document // delegated ones
	unsaved []*document          // of these, what is not stored yet
}

// Change is a role whose version differs from what was held before; From is 0
// where nothing was.
type Change struct {
	Role string `json:"role"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

// RoleStatus is one role of a view.
type RoleStatus struct {
	Role      string
	Version   int64
	Expires   time.Time
	Threshold int
	Keys      int
	// Signers are the ids of the keys that were found to have signed: of all of
	// them, or of as many as the threshold takes where the file is large.
	Signers []string
	// Accepted is when this client first took this version; zero if it is not
	// known, or not stored yet.
	Accepted time.Time
	// Held is false for a delegated role whose metadata was not needed yet; then
	// only its version is known.
	Held bool
}

func (r *Repository) newView(now time.Time, freshness Freshness) *View {
	return &View{
		repository: r, now: now, freshness: freshness, roles: map[string]*document{},
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

// Changes lists the roles that the refresh brought a new version of: top-level
// ones in the order root, timestamp, snapshot, targets, then delegated ones by
// name, as far as the snapshot before is known.
func (v *View) Changes() []Change { return v.changes }

// consistent reports whether files carry their version or hash in the name
// (specification 1.0, section 6.2).
func (v *View) consistent() bool { return v.root.root.ConsistentSnapshot }

// Expires is the earliest expiry of the top-level roles, and whose it is.
func (v *View) Expires() (time.Time, string) {
	first := v.root
	for _, d := range []*document{v.timestamp, v.snapshot, v.targets} {
		if d.expires.Before(first.expires) {
			first = d
		}
	}
	return first.expires, first.role
}

// noteAccepted takes over when the top-level roles were accepted: what the Store
// did not hold when it was read was accepted by this view, if it is stored.
func (v *View) noteAccepted(s *state, root int64, stored bool) {
	v.accepted = map[string]time.Time{}
	for _, d := range v.topLevel() {
		record := s.newest[d.role]
		switch {
		case d == v.root && d.version == root:
			v.accepted[d.role] = s.rootFloor.Accepted
		case d != v.root && record.Sum == d.sum:
			v.accepted[d.role] = record.Accepted
		case stored:
			v.accepted[d.role] = v.now
		}
	}
}

func (v *View) changedSince(before map[string]int64) []Change {
	var list []Change
	for _, d := range v.topLevel() {
		if before[d.role] != d.version {
			list = append(list, Change{Role: d.role, From: before[d.role], To: d.version})
		}
	}
	return list
}
