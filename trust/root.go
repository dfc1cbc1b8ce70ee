package trust

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// storedRoot replays the chain of roots that the Store holds, from the given
// one on, and returns the newest that verifies. Roots behind a damaged one are
// left aside; the network walk brings them back.
func (r *Repository) storedRoot(ctx context.Context, s *state) (*document, error) {
	if s.given.Version == 0 {
		return r.acceptGivenRoot(ctx, s)
	}
	if r.root != nil {
		if sum := artifact.DigestOf(artifact.SHA256, r.root); sum != s.given.Sum {
			return nil, fmt.Errorf("%s: %w: this repository was added with root %d, %s, found %s", r.name, ErrRootConflict, s.given.Version, s.given.Sum, sum)
		}
	}
	root, err := r.givenRoot(s)
	if err != nil {
		return nil, err
	}
	for _, next := range r.replay(s, root) {
		root = next
	}
	return root, nil
}

// givenRoot reads the stored root that trust begins with.
func (r *Repository) givenRoot(s *state) (*document, error) {
	raw := s.roots[s.given.Version]
	if artifact.DigestOf(artifact.SHA256, raw) != s.given.Sum {
		return nil, fmt.Errorf("%s: %w: root %d, that trust begins with, has lost its digest %s", r.name, ErrState, s.given.Version, s.given.Sum)
	}
	root, err := r.openRoot(raw)
	if err == nil {
		err = root.decode()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	return root, nil
}

// replay verifies the stored successors of root, as far as they go.
func (r *Repository) replay(s *state, root *document) []*document {
	var chain []*document
	for {
		raw, ok := s.roots[root.version+1]
		if !ok {
			return chain
		}
		next, err := r.nextRoot(root, raw)
		if err != nil {
			return chain
		}
		chain, root = append(chain, next), next
	}
}

// acceptGivenRoot stores the root that trust begins with. A crash before the
// commit leaves a repository that has none yet.
func (r *Repository) acceptGivenRoot(ctx context.Context, s *state) (*document, error) {
	if r.root == nil {
		return nil, fmt.Errorf("%s: %w: %w", r.name, ErrNotHeld, ErrNoRoot)
	}
	root, err := r.openRoot(r.root)
	if err == nil {
		err = root.decode()
	}
	if err == nil {
		_, err = root.ring(metadata.ROOT).verify(root)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: given root: %w", r.name, err)
	}
	given := givenRecord{Version: root.version, Sum: root.sum}
	floor, err := r.floorOfRoot(root)
	if err != nil {
		return nil, err
	}
	err = r.store.Update(ctx, func(tx Tx) error {
		var held givenRecord
		found, err := needRecord(tx, keyGiven, &held)
		if err != nil {
			return err
		}
		if found {
			return errOvertaken
		}
		if err := tx.Put(keyRoot(root.version), root.raw); err != nil {
			return err
		}
		if err := putRecord(tx, keyRootFloor, floor); err != nil {
			return err
		}
		return putRecord(tx, keyGiven, given)
	})
	if err != nil {
		return nil, err
	}
	s.given, s.rootFloor = given, floor
	return root, nil
}

func (r *Repository) openRoot(raw []byte) (*document, error) {
	return open(metadata.ROOT, metadata.ROOT, raw, r.limits.Root, r.limits.Depth)
}

func (r *Repository) floorOfRoot(root *document) (rootFloor, error) {
	content, err := root.content()
	return rootFloor{Version: root.version, Signed: content, Accepted: r.now()}.with(root), err
}

// nextRoot checks raw as the successor of root: signed by both, one version
// higher (specification section 5.3.4 and 5.3.5).
func (r *Repository) nextRoot(root *document, raw []byte) (*document, error) {
	next, err := r.openRoot(raw)
	if err != nil {
		return nil, err
	}
	if _, err := root.ring(metadata.ROOT).verify(next); err != nil {
		return nil, fmt.Errorf("%w: by the keys of root %d: %w", ErrRootChain, root.version, err)
	}
	if next.version != root.version+1 {
		return nil, fmt.Errorf("%w: expected root %d, found %d", ErrRootChain, root.version+1, next.version)
	}
	if err := next.decode(); err != nil {
		return nil, err
	}
	if _, err := next.ring(metadata.ROOT).verify(next); err != nil {
		return nil, fmt.Errorf("%w: by its own keys: %w", ErrRootChain, err)
	}
	return next, nil
}

// walkRoots goes on from the stored root as far as the Remote has successors
// (section 5.3), committing each. An expired root in between is fine; the last
// one is judged by the caller.
func (r *Repository) walkRoots(ctx context.Context, s *state, root *document) (*document, error) {
	for rotations := 0; ; rotations++ {
		var next *document
		_, err := readJudged(ctx, r.remote, fmt.Sprintf("%d.root.json", root.version+1), r.limits.Root, func(raw []byte) (err error) {
			if rotations < r.limits.RootRotations { // else that there is one more is enough
				next, err = r.nextRoot(root, raw)
			}
			return err
		})
		if errors.Is(err, ErrNoMetadata) {
			return r.checkRootFloor(s, root)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: root %d: %w", r.name, root.version+1, tooLarge(metadata.ROOT, err))
		}
		if rotations == r.limits.RootRotations {
			return nil, fmt.Errorf("%s: %w: %w: expected at most %d in one refresh, found one more behind root %d", r.name, ErrRootChain, ErrRotations, r.limits.RootRotations, root.version)
		}
		if err := r.commitRoot(ctx, s, root, next); err != nil {
			return nil, err
		}
		root = next
	}
}

// checkRootFloor refuses to end below, or beside, a root that was accepted
// once: that is how a retired root would be brought back.
func (r *Repository) checkRootFloor(s *state, root *document) (*document, error) {
	if root.version < s.rootFloor.Version {
		return nil, &RollbackError{Repository: r.name, Role: metadata.ROOT, Held: s.rootFloor.Version, Offered: root.version}
	}
	content, err := root.content()
	if err != nil {
		return nil, err
	}
	// Nothing above the floor is held: it rises with each root that is stored.
	if content != s.rootFloor.Signed {
		return nil, sameVersion(r.name, metadata.ROOT, root.version)
	}
	return root, nil
}

func sameVersion(repository, role string, version int64) error {
	return &RollbackError{
		Repository: repository, Role: role, Held: version, Offered: version,
		Detail: fmt.Sprintf("version %d was accepted with other content", version),
	}
}

// commitRoot stores an accepted root with its floor. A root that is new to this
// client and has other timestamp or snapshot keys lowers the floors of those
// roles in the same transaction (specification 5.3.11): after a fast-forward
// attack that is the only way back. A crash leaves the root before.
//
// Roots below the floor are those whose stored bytes are damaged. They are kept
// back until the chain reaches the root of the floor: until then it could be
// another chain, signed with keys that were retired since.
func (r *Repository) commitRoot(ctx context.Context, s *state, before, root *document) error {
	if root.version < s.rootFloor.Version {
		s.mended = append(s.mended, root)
		return nil
	}
	fresh, err := r.floorOfRoot(root)
	if err != nil {
		return err
	}
	var next rootFloor
	err = r.store.Update(ctx, func(tx Tx) error {
		next = fresh
		var floor rootFloor
		if _, err := needRecord(tx, keyRootFloor, &floor); err != nil {
			return err
		}
		if floor.Version > s.rootFloor.Version {
			return errOvertaken
		}
		if root.version == floor.Version && next.Signed != floor.Signed {
			return sameVersion(r.name, metadata.ROOT, root.version)
		}
		next.Sums = floor.Sums
		for _, doc := range append(s.mended, root) {
			next = next.with(doc)
			if err := tx.Put(keyRoot(doc.version), doc.raw); err != nil {
				return err
			}
		}
		if root.version == floor.Version {
			next.Accepted = floor.Accepted // damaged roots came back; nothing was rotated
		} else if err := r.lowerFloors(tx, s, before, root); err != nil {
			return err
		}
		return putRecord(tx, keyRootFloor, next)
	})
	if err != nil {
		return err
	}
	s.mended, s.rootFloor = nil, next
	return nil
}

// lowerFloors forgets what revoked keys may have pushed too high: the timestamp
// keys their own floor; the snapshot keys theirs, the snapshot version that
// timestamps named, and with it every role below.
func (r *Repository) lowerFloors(tx Tx, s *state, before, root *document) error {
	timestamp := keysChanged(before, root, metadata.TIMESTAMP)
	snapshot := keysChanged(before, root, metadata.SNAPSHOT)
	if !timestamp && !snapshot {
		return nil
	}
	var floor timestampFloor
	if _, err := needRecord(tx, keyTimeFloor, &floor); err != nil {
		return err
	}
	if timestamp {
		floor = timestampFloor{}
	}
	if snapshot {
		floor.Snapshot = 0
		for _, key := range []string{keySnapshotFloor, keyRolesFloor} {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		s.snapshotFloor = snapshotFloor{}
	}
	if err := putRecord(tx, keyTimeFloor, floor); err != nil {
		return err
	}
	s.timeFloor = floor
	// The newest-accepted records would outrank what comes now.
	records, err := tx.Keys(keyRolePrefix)
	if err != nil {
		return err
	}
	for _, key := range records {
		if key == keyRolePrefix+metadata.TIMESTAMP && !timestamp {
			continue
		}
		if key != keyRolePrefix+metadata.TIMESTAMP && !snapshot {
			continue
		}
		if err := tx.Delete(key); err != nil {
			return err
		}
		delete(s.newest, key[len(keyRolePrefix):])
	}
	return nil
}

// keysChanged compares the keys of a role by value: a key that only got another
// id or another name for its type is still the same key. A key that can't be
// read is compared by its text.
func keysChanged(before, root *document, role string) bool {
	return !maps.Equal(keySet(before, role), keySet(root, role))
}

func keySet(root *document, role string) map[string]bool {
	set := map[string]bool{}
	for _, id := range root.root.Roles[role].KeyIDs {
		key := root.root.Keys[id]
		if key == nil {
			continue
		}
		name := key.Value.PublicKey
		if _, value, err := publicKey(key); err == nil {
			name = string(value[:])
		}
		set[name] = true
	}
	return set
}
