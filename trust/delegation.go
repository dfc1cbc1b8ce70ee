package trust

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// edge is a delegation. A role is verified once per edge that leads to it, with
// the keys that this delegator names.
type edge struct{ delegator, role string }

// child is a delegation that matches a path.
type child struct {
	role        string
	terminating bool
}

// children lists the roles that doc delegates target path to, in its order.
func children(doc *targetsDocument, target string) []child {
	delegations := doc.meta.Signed.Delegations
	if delegations == nil {
		return nil
	}
	if bins := delegations.SuccinctRoles; bins != nil {
		return []child{{role: binName(bins, target), terminating: true}}
	}
	var list []child
	for i := range delegations.Roles {
		if role := &delegations.Roles[i]; delegated(role, target) {
			list = append(list, child{role: role.Name, terminating: role.Terminating})
		}
	}
	return list
}

// delegated reports whether a role may promise target: by a path pattern, or by
// a prefix of the hex SHA-256 of the path (specification 1.0, section 4.5).
func delegated(role *metadata.DelegatedRole, target string) bool {
	if len(role.PathHashPrefixes) > 0 {
		sum := sha256.Sum256([]byte(target))
		digits := hex.EncodeToString(sum[:])
		return slices.ContainsFunc(role.PathHashPrefixes, func(prefix string) bool {
			return prefix != "" && strings.HasPrefix(digits, strings.ToLower(prefix))
		})
	}
	return slices.ContainsFunc(role.Paths, func(pattern string) bool { return matchPath(pattern, target) })
}

// matchPath matches segment by segment, so that "*" does not cross a slash; it
// knows both "[^a]" and the shell's "[!a]". A malformed pattern matches nothing.
func matchPath(pattern, target string) bool {
	patterns, segments := strings.Split(pattern, "/"), strings.Split(target, "/")
	if len(patterns) != len(segments) {
		return false
	}
	for i, p := range patterns {
		if ok, err := path.Match(strings.ReplaceAll(p, "[!", "[^"), segments[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// binName is the hash bin of a path (TAP 15): the leftmost BitLength bits of
// its SHA-256, as a hex number padded to the width of the last bin's.
func binName(bins *metadata.SuccinctRoles, target string) string {
	sum := sha256.Sum256([]byte(target))
	number := uint64(binary.BigEndian.Uint32(sum[:4]) >> (32 - bins.BitLength))
	width := len(strconv.FormatUint(uint64(1)<<bins.BitLength-1, 16))
	return fmt.Sprintf("%s-%0*x", bins.NamePrefix, width, number)
}

// checkTargetPath refuses paths that could mean two things to two programs, or
// that a terminal would obey.
func checkTargetPath(target string) error {
	bad := target == "" || len(target) > 4096 || strings.ContainsRune(target, '\\') || strings.ContainsFunc(target, unicode.IsControl)
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
	file *metadata.TargetFiles
	doc  *targetsDocument // the role that promises it
}

// search walks the delegations depth first, in order (section 5.6.7). It ends
// at the first role that lists the path; behind a terminating delegation that
// matches, nothing else is asked. An error on the way is an error of the
// search: a role that can't be proven could have been the one that counts.
func (v *View) search(ctx context.Context, target string, exact bool) (found, error) {
	if err := checkTargetPath(target); err != nil {
		return found{}, err
	}
	type step struct {
		delegator *targetsDocument // nil: root
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
				return found{}, fmt.Errorf("%s: %q: %w: expected at most %d on the way", v.repository.name, target, ErrSearchLimit, v.repository.limits.Roles)
			}
			visited[e] = true
			var err error
			if doc, err = v.role(ctx, next.delegator, next.role, exact); err != nil {
				return found{}, err
			}
		}
		if file := doc.meta.Signed.Targets[target]; file != nil {
			return found{file: file, doc: doc}, nil
		}
		var deeper []step
		for _, c := range children(doc, target) {
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
func (v *View) role(ctx context.Context, delegator *targetsDocument, role string, exact bool) (*targetsDocument, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	name := v.repository.name
	e := edge{delegator.role, role}
	doc := v.roles[role]
	if doc == nil {
		var err error
		if doc, err = v.loadRole(ctx, delegator, role); err != nil {
			return nil, err
		}
		v.roles[role], v.verified[e] = doc, true
	}
	if !v.verified[e] {
		if err := verifyRole(delegator, role, doc); err != nil {
			return nil, fmt.Errorf("%s: delegated by %s: %w", name, delegator.role, err)
		}
		v.verified[e] = true
	}
	if exact {
		return doc, nil
	}
	return doc, doc.expiry(name, v.reference.Add(-v.tolerance))
}

// loadRole takes a delegated role from the Store or from the Remote. What comes
// from the Remote is stored; a crash before that only costs the request again.
// What has expired by then is not: whoever finds it in the Store, offline or by
// grace, relies on its having been accepted in time.
func (v *View) loadRole(ctx context.Context, delegator *targetsDocument, role string) (*targetsDocument, error) {
	r := v.repository
	promise := v.snapshot.meta.Signed.Meta[role+".json"]
	if promise == nil {
		return nil, fmt.Errorf("%s: %w: %s delegates to %q, that the snapshot does not list", r.name, ErrMalformed, delegator.role, role)
	}
	held, err := r.heldRole(ctx, role, promise.Version)
	if err != nil {
		return nil, err
	}
	from := *r
	if !v.online {
		from.remote = nil
	}
	doc, stored, err := obtain(ctx, &from, v.consistent(), wanted[metadata.TargetsType]{
		role: role, promise: promise, limit: r.limits.Targets, held: held,
		verify: func(doc *targetsDocument) error { return verifyRole(delegator, role, doc) },
	})
	if err != nil || stored {
		return doc, err
	}
	if err := doc.expiry(r.name, v.reference); err != nil {
		return nil, err
	}
	err = r.store.Update(ctx, func(tx Tx) error {
		if err := underRoot(tx, v.root.version); err != nil {
			return err
		}
		return putMeta(tx, role, doc.version, doc.sum, doc.raw)
	})
	if errors.Is(err, errOvertaken) {
		return doc, nil // this view is of before; its successor stores its own
	}
	return doc, err
}

// heldRole reads the stored bytes of a delegated role if they are of the
// version that is wanted. nil means that there are none.
func (r *Repository) heldRole(ctx context.Context, role string, version int64) (raw []byte, err error) {
	err = r.store.View(ctx, func(tx Tx) error {
		var record roleRecord
		found, err := getRecord(tx, keyRolePrefix+role, &record)
		if errors.Is(err, errRecord) || err == nil && (!found || record.Version != version) {
			return nil
		}
		if err != nil {
			return err
		}
		if raw, err = tx.Get(keyMetaPrefix + record.Sum.Hex()); err != nil {
			return err
		}
		if raw != nil && artifact.DigestOf(artifact.SHA256, raw) != record.Sum {
			raw = nil
		}
		return nil
	})
	return raw, err
}
