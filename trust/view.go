package trust

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
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

// Offline returns the last complete set, without any request. Every signature
// is checked again; what has expired since is told by View.Stale and by the
// look-ups, not here.
func (r *Repository) Offline(ctx context.Context) (*View, error) {
	now := r.now()
	s, err := r.load(ctx)
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
	v.reference, v.stale = s.reference(r.name, now)
	if v.stale == nil {
		v.stale = v.firstExpiry(v.reference)
	}
	return v, nil
}

// loadSet parses and verifies the set that the complete record names.
func (v *View) loadSet(s *state) error {
	r := v.repository
	raw := s.meta[s.complete.Timestamp]
	doc, err := parse[metadata.TimestampType](metadata.TIMESTAMP, raw, r.limits.Timestamp, r.limits.Depth)
	if err == nil {
		err = verifyRole(v.root, metadata.TIMESTAMP, doc)
	}
	if err != nil {
		return err
	}
	v.timestamp = doc
	v.snapshot, err = wanted[metadata.SnapshotType]{
		role: metadata.SNAPSHOT, promise: snapshotPromise(doc), limit: r.limits.Snapshot,
		verify: func(doc *snapshotDocument) error { return verifyRole(v.root, metadata.SNAPSHOT, doc) },
	}.accept(r, s.meta[s.complete.Snapshot])
	if err != nil {
		return err
	}
	v.targets, err = wanted[metadata.TargetsType]{
		role: metadata.TARGETS, promise: v.snapshot.meta.Signed.Meta["targets.json"], limit: r.limits.Targets,
		verify: func(doc *targetsDocument) error { return verifyRole(v.root, metadata.TARGETS, doc) },
	}.accept(r, s.meta[s.complete.Targets])
	return err
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

// Consistent reports whether target files carry their hash in the name
// (specification 1.0, section 6.2).
func (v *View) Consistent() bool { return v.consistent() }

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

// Target looks a path up through the delegations. Without a role that lists it
// the error is ErrNoTarget; that it could not be found out is another error.
// Expired metadata resolves nothing.
func (v *View) Target(ctx context.Context, path string) (Target, error) {
	if v.stale != nil {
		return Target{}, v.stale
	}
	return v.target(ctx, path, false)
}

// HeldTarget is Target for what is held already and named exactly: it answers
// from the stored metadata even where that has expired since. Nobody may fetch
// by such a target, see Target.Stale.
func (v *View) HeldTarget(ctx context.Context, path string) (Target, error) {
	if v.stale == nil {
		return v.target(ctx, path, false)
	}
	target, err := v.target(ctx, path, true)
	if err != nil {
		return Target{}, err
	}
	target.promise.stale = v.stale
	return target, nil
}

// TopLevelTarget is Target for the documents that count only if the top-level
// targets role itself lists them; nothing delegated is asked.
func (v *View) TopLevelTarget(path string) (Target, error) {
	if v.stale != nil {
		return Target{}, v.stale
	}
	return v.topLevelTarget(path)
}

// HeldTopLevelTarget is to TopLevelTarget what HeldTarget is to Target.
func (v *View) HeldTopLevelTarget(path string) (Target, error) {
	target, err := v.topLevelTarget(path)
	if err == nil {
		target.promise.stale = v.stale
	}
	return target, err
}

func (v *View) topLevelTarget(path string) (Target, error) {
	file := v.targets.meta.Signed.Targets[path]
	if file == nil {
		return Target{}, fmt.Errorf("%s: %w: %q in the top-level targets role", v.repository.name, ErrNoTarget, path)
	}
	return v.promise(path, found{file: file, doc: v.targets})
}

func (v *View) target(ctx context.Context, path string, exact bool) (Target, error) {
	f, err := v.search(ctx, path, exact)
	if err != nil {
		return Target{}, err
	}
	return v.promise(path, f)
}

// Targets lists every target that a look-up would find, each once, with the
// role that promises it. It stops at the first error. All delegated roles are
// fetched on the way.
func (v *View) Targets(ctx context.Context) iter.Seq2[Target, error] {
	return func(yield func(Target, error) bool) {
		if v.stale != nil {
			yield(Target{}, v.stale)
			return
		}
		docs, err := v.allRoles(ctx)
		if err != nil {
			yield(Target{}, err)
			return
		}
		seen := map[string]bool{}
		for _, doc := range docs {
			for path := range doc.meta.Signed.Targets {
				if seen[path] {
					continue
				}
				seen[path] = true
				target, err := v.target(ctx, path, false)
				if errors.Is(err, ErrNoTarget) {
					continue // listed by a role that may not promise it
				}
				if !yield(target, err) || err != nil {
					return
				}
			}
		}
	}
}

// allRoles visits every delegation once, whatever paths it is for.
func (v *View) allRoles(ctx context.Context) ([]*targetsDocument, error) {
	docs := []*targetsDocument{v.targets}
	visited := map[edge]bool{}
	for next := 0; next < len(docs); next++ {
		delegations := docs[next].meta.Signed.Delegations
		if delegations == nil {
			continue
		}
		names, err := v.delegatedNames(delegations)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			e := edge{docs[next].role, name}
			if visited[e] {
				continue
			}
			if len(visited) == v.repository.limits.Roles {
				return nil, fmt.Errorf("%s: %w: expected at most %d in all", v.repository.name, ErrSearchLimit, v.repository.limits.Roles)
			}
			visited[e] = true
			doc, err := v.role(ctx, docs[next], name, false)
			if err != nil {
				return nil, err
			}
			docs = append(docs, doc)
		}
	}
	return docs, nil
}

// delegatedNames lists the roles below; of hash bins those that the snapshot
// lists, as 2^32 of them can be announced in a line.
func (v *View) delegatedNames(delegations *metadata.Delegations) ([]string, error) {
	var names []string
	for _, role := range delegations.Roles {
		names = append(names, role.Name)
	}
	if bins := delegations.SuccinctRoles; bins != nil {
		for file := range v.snapshot.meta.Signed.Meta {
			if name := file[:max(0, len(file)-len(".json"))]; bins.IsDelegatedRole(name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
