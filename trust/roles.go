package trust

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// topLevel are the documents of the top-level roles: root, timestamp, snapshot,
// targets.
func (v *View) topLevel() []*document {
	return []*document{v.root, v.timestamp, v.snapshot, v.targets}
}

// Roles lists the four top-level roles in the order root, timestamp, snapshot,
// targets.
func (v *View) Roles() []RoleStatus {
	var list []RoleStatus
	for _, d := range v.topLevel() {
		list = append(list, v.status(d, v.root.ring(d.role), v.accepted[d.role]))
	}
	return list
}

// DelegatedRoles lists the delegated roles that the snapshot knows. It asks no
// source. A role that is not held is listed by name and version, and with the
// first delegator's threshold and number of keys if that is held; else these are
// zero. More delegated roles than Limits.Listing are ErrSearchLimit.
func (v *View) DelegatedRoles(ctx context.Context) iter.Seq2[RoleStatus, error] {
	return func(yield func(RoleStatus, error) bool) {
		records, err := v.repository.roleRecords(ctx)
		if err != nil {
			yield(RoleStatus{}, err)
			return
		}
		queue, seen := []*document{v.targets}, map[string]bool{}
		for len(queue) > 0 {
			delegator := queue[0]
			queue = queue[1:]
			for _, name := range v.delegatedNames(delegator.delegations) {
				if seen[name] {
					continue
				}
				if len(seen) == v.repository.limits.Listing {
					yield(RoleStatus{}, v.repository.tooManyListed())
					return
				}
				seen[name] = true
				status, doc, err := v.delegatedStatus(ctx, delegator, name, records[name])
				if !yield(status, err) || err != nil {
					return
				}
				if doc != nil {
					queue = append(queue, doc)
				}
			}
		}
		for file, text := range v.snapshot.meta.all() {
			name, ok := strings.CutSuffix(file, ".json")
			info, err := parseFile(text)
			if !ok || err != nil || seen[name] || isTopLevel(name) {
				continue
			}
			if !yield(RoleStatus{Role: name, Version: info.version}, nil) {
				return
			}
		}
	}
}

// delegatedStatus tells of one delegated role, and returns its document if it is
// held and verifies.
func (v *View) delegatedStatus(ctx context.Context, delegator *document, name string, record roleRecord) (RoleStatus, *document, error) {
	ring := delegator.delegations.ring(name)
	absent := RoleStatus{Role: name, Threshold: ring.threshold, Keys: len(ring.ids)}
	if file := v.snapshot.file(name); file != nil {
		absent.Version = file.version
	}
	doc, err := v.heldDocument(ctx, ring, record)
	if err != nil || doc == nil {
		return absent, nil, err
	}
	return v.status(doc, ring, record.Accepted), doc, nil
}

// heldDocument is a delegated role as far as it can be had without a source; nil
// where it can't.
func (v *View) heldDocument(ctx context.Context, ring keyring, record roleRecord) (*document, error) {
	promise := v.snapshot.file(ring.role)
	if promise == nil || record.Version != promise.version {
		return nil, nil
	}
	v.mu.Lock()
	doc := v.roles[ring.role]
	v.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	raw, err := v.repository.storedBytes(ctx, record.Sum)
	if err != nil || raw == nil {
		return nil, err
	}
	w := wanted{role: ring.role, kind: metadata.TARGETS, promise: promise, limit: v.repository.limits.Targets, ring: ring}
	if doc, err = w.accept(v.repository, raw); err != nil {
		return nil, nil // signed by keys that were replaced: fetched again when needed
	}
	return doc, nil
}

// roleRecords are the records of all roles, in one transaction. Damaged ones are
// left out.
func (r *Repository) roleRecords(ctx context.Context) (map[string]roleRecord, error) {
	records := map[string]roleRecord{}
	err := r.store.View(ctx, func(tx Tx) error {
		clear(records)
		keys, err := tx.Keys(keyRolePrefix)
		if err != nil {
			return err
		}
		for _, key := range keys {
			var record roleRecord
			found, err := getRecord(tx, key, &record)
			if err != nil && !errors.Is(err, errRecord) {
				return err
			}
			if found {
				records[strings.TrimPrefix(key, keyRolePrefix)] = record
			}
		}
		return nil
	})
	return records, err
}

// status tells of a document that the keyring has verified.
func (v *View) status(d *document, ring keyring, accepted time.Time) RoleStatus {
	s := RoleStatus{
		Role: d.role, Version: d.version, Expires: d.expires, Accepted: accepted,
		Threshold: ring.threshold, Keys: len(ring.ids), Held: true,
	}
	if signers, err := ring.verify(d); err == nil {
		s.Signers = slices.Clone(signers)
	}
	d.letGo()
	return s
}
