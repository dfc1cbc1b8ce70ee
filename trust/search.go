package trust

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// edge is a delegation. A role is verified once per edge that leads to it, with
// the keys that this delegator names.
type edge struct{ delegator, role string }

// checkTargetPath refuses paths that could mean two things to two programs, or
// that a terminal would obey.
func checkTargetPath(target string) error {
	bad := len(target) > 4096 || strings.ContainsRune(target, '\\') || strings.ContainsFunc(target, unicode.IsControl)
	for segment := range strings.SplitSeq(target, "/") {
		bad = bad || segment == "" || segment == "." || segment == ".."
	}
	if bad {
		return fmt.Errorf("%w: expected a clean relative path, found %.80q", ErrNoTarget, target)
	}
	return nil
}

// found is what a search ends with.
type found struct {
	file *fileInfo
	doc  *document // the role that promises it
}

// search walks the delegations depth first, in order (section 5.6.7). It ends
// at the first role that lists the path; behind a terminating delegation that
// matches, nothing else is asked. An error on the way is an error of the
// search: a role that can't be proven could have been the one that counts.
func (v *View) search(ctx context.Context, target string, exact bool) (found, error) {
	if err := checkTargetPath(target); err != nil {
		return found{}, err
	}
	if err := context.Cause(ctx); err != nil {
		return found{}, err // a listing asks for each path
	}
	type step struct {
		delegator *document // nil: root
		role      string
	}
	visited := map[edge]bool{}
	stack := []step{{role: metadata.TARGETS}}
	for len(stack) > 0 {
		next := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		doc := v.targets
		if next.delegator != nil {
			e := edge{next.delegator.role, next.role}
			if visited[e] {
				continue
			}
			if len(visited) == v.repository.limits.Roles {
				return found{}, &LimitError{"roles", fmt.Errorf("%s: %q: %w: expected at most %d on the way", v.repository.name, target, ErrSearchLimit, v.repository.limits.Roles)}
			}
			visited[e] = true
			var err error
			if doc, err = v.role(ctx, next.delegator, next.role, exact); err != nil {
				return found{}, err
			}
		}
		if file := doc.target(target); file != nil {
			return found{file: file, doc: doc}, nil
		}
		var deeper []step
		for c := range doc.delegations.children(target) {
			deeper = append(deeper, step{delegator: doc, role: c.role})
			if c.terminating {
				stack = nil
				break
			}
		}
		slices.Reverse(deeper)
		stack = append(stack, deeper...)
	}
	return found{}, fmt.Errorf("%s: %w: %q", v.repository.name, ErrNoTarget, target)
}

// role returns a delegated role's metadata, verified for this delegator.
func (v *View) role(ctx context.Context, delegator *document, role string, exact bool) (*document, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	name := v.repository.name
	ring := delegator.delegations.ring(role)
	doc := v.roles[role]
	if doc == nil {
		var err error
		if doc, err = v.loadRole(ctx, delegator.role, ring); err != nil {
			return nil, err
		}
		v.roles[role] = doc
	}
	if _, err := ring.verify(doc); err != nil {
		return nil, fmt.Errorf("%s: delegated by %s: %w", name, delegator.role, err)
	}
	doc.letGo()
	if exact {
		return doc, nil
	}
	return doc, doc.expiry(name, v.reference.Add(-v.tolerance))
}

// loadRole takes a delegated role from what is known or stored, or from the
// Remote. What comes from the Remote waits for saveRoles; a crash before that
// only costs the request again.
func (v *View) loadRole(ctx context.Context, delegator string, ring keyring) (*document, error) {
	r := v.repository
	promise := v.snapshot.file(ring.role)
	if promise == nil {
		return nil, fmt.Errorf("%s: %w: %s delegates to %q, that the snapshot does not list", r.name, ErrMalformed, delegator, ring.role)
	}
	w := wanted{
		role: ring.role, kind: metadata.TARGETS, promise: promise,
		limit: r.limits.Targets, ring: ring, known: r.known.role(ring.role),
	}
	if err := r.recall(ctx, &w); err != nil {
		return nil, err
	}
	remote := r.remote
	if !v.online {
		remote = nil
	}
	doc, stored, err := r.obtain(ctx, remote, v.consistent(), w)
	if err != nil {
		return nil, err
	}
	switch {
	case !stored:
		// Whoever finds a role in the Store, offline or by grace, relies on its
		// having been accepted in time.
		if err := doc.expiry(r.name, v.reference); err != nil {
			return nil, err
		}
		v.unsaved = append(v.unsaved, doc)
	case v.online && w.record.Sum != doc.sum:
		// What is known is stored no more, as when floors fell.
		v.unsaved = append(v.unsaved, doc)
	default:
		r.known.keepRole(doc)
	}
	return doc, nil
}

// recall fills in what is known or stored of a delegated role in the version that
// is wanted.
func (r *Repository) recall(ctx context.Context, w *wanted) (err error) {
	err = r.store.View(ctx, func(tx Tx) error {
		w.record = roleRecord{}
		found, err := getRecord(tx, keyRolePrefix+w.role, &w.record)
		if !found {
			w.record = roleRecord{}
		}
		if errors.Is(err, errRecord) {
			return nil // damaged: fetched again
		}
		return err
	})
	if err != nil {
		return err
	}
	if w.known != nil && w.known.version == w.promise.version {
		w.record.Version = w.known.version
		w.record.Signed, err = w.known.content()
		return err
	}
	w.known = nil
	if w.record.Version == w.promise.version {
		w.held, err = r.storedBytes(ctx, w.record.Sum)
	}
	return err
}

// saveRoles stores the delegated roles that came from the Remote.
func (v *View) saveRoles(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.unsaved) == 0 {
		return nil
	}
	r := v.repository
	for _, doc := range v.unsaved {
		if err := r.storePieces(ctx, doc); err != nil {
			return err
		}
	}
	err := r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		for _, doc := range v.unsaved {
			if err := putMeta(tx, doc, v.now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errOvertaken) {
		return err
	}
	// Overtaken: this view is of before; its successor stores its own.
	for _, doc := range v.unsaved {
		if err == nil {
			r.known.keepRole(doc)
		}
	}
	v.unsaved = nil
	return nil
}
