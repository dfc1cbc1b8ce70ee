package trust

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

type givenRecord struct {
	Version int64           `json:"version"`
	Sum     artifact.Digest `json:"sum"`
}

type roleRecord struct {
	Version int64           `json:"version"`
	Sum     artifact.Digest `json:"sum"`
}

type completeRecord struct {
	Root      int64           `json:"root"`
	Version   int64           `json:"version"` // of the timestamp: orders sets under one root
	Timestamp artifact.Digest `json:"timestamp"`
	Snapshot  artifact.Digest `json:"snapshot"`
	Targets   artifact.Digest `json:"targets"`
	Checked   time.Time       `json:"checked"`
}

type clockRecord struct {
	Latest time.Time `json:"latest"`
}

type rootFloor struct {
	Version int64           `json:"version"`
	Signed  artifact.Digest `json:"signed"`
}

// timestampFloor holds what an accepted timestamp forbids its successors: a
// lower version, other content under the same one, and a lower snapshot.
type timestampFloor struct {
	Version  int64           `json:"version"`
	Signed   artifact.Digest `json:"signed"`
	Snapshot int64           `json:"snapshot"`
}

// snapshotFloor holds what an accepted snapshot forbids its successors: lower
// versions, and to leave out a role (specification section 5.5.5).
type snapshotFloor struct {
	Version int64            `json:"version"`
	Signed  artifact.Digest  `json:"signed"`
	Roles   map[string]int64 `json:"roles"`
}

// state is what one read of the Store found. Raw bytes are not yet verified.
type state struct {
	given         givenRecord
	roots         map[int64][]byte
	rootFloor     rootFloor
	timeFloor     timestampFloor
	snapshotFloor snapshotFloor
	clock         clockRecord
	complete      completeRecord
	newest        map[string]roleRecord      // of the top-level roles below root
	meta          map[artifact.Digest][]byte // of the top-level roles
	mended        []*rootDocument            // fetched in place of damaged ones, see commitRoot
}

// load reads the state in one transaction. Damaged bytes and records that can
// be fetched again are left out; a damaged floor is ErrState.
func (r *Repository) load(ctx context.Context) (*state, error) {
	s := &state{roots: map[int64][]byte{}, newest: map[string]roleRecord{}, meta: map[artifact.Digest][]byte{}}
	err := r.store.View(ctx, func(tx Tx) error { return s.read(tx) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	return s, nil
}

func (s *state) read(tx Tx) error {
	if err := s.readFloors(tx); err != nil {
		return err
	}
	keys, err := tx.Keys(keyRootPrefix)
	if err != nil {
		return err
	}
	for _, key := range keys {
		version, err := strconv.ParseInt(strings.TrimPrefix(key, keyRootPrefix), 10, 64)
		if err != nil {
			continue
		}
		if s.roots[version], err = tx.Get(key); err != nil {
			return err
		}
	}
	if _, err := getRecord(tx, keyComplete, &s.complete); err != nil && !errors.Is(err, errRecord) {
		return err
	}
	for _, role := range []string{metadata.TIMESTAMP, metadata.SNAPSHOT, metadata.TARGETS} {
		var record roleRecord
		found, err := getRecord(tx, keyRolePrefix+role, &record)
		if err != nil && !errors.Is(err, errRecord) {
			return err
		}
		if found {
			s.newest[role] = record
		}
	}
	for _, sum := range []artifact.Digest{
		s.newest[metadata.TIMESTAMP].Sum, s.newest[metadata.SNAPSHOT].Sum, s.newest[metadata.TARGETS].Sum,
		s.complete.Timestamp, s.complete.Snapshot, s.complete.Targets,
	} {
		if err := s.readMeta(tx, sum); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) readFloors(tx Tx) error {
	for key, record := range map[string]any{
		keyGiven: &s.given, keyRootFloor: &s.rootFloor, keyTimeFloor: &s.timeFloor,
		keySnapshotFloor: &s.snapshotFloor, keyClock: &s.clock,
	} {
		if _, err := needRecord(tx, key, record); err != nil {
			return err
		}
	}
	if s.given.Version != 0 && s.rootFloor.Version == 0 {
		return fmt.Errorf("%w: %s: expected a record beside %s, found none", ErrState, keyRootFloor, keyGiven)
	}
	return nil
}

// readMeta takes bytes over only if they still have their digest.
func (s *state) readMeta(tx Tx, sum artifact.Digest) error {
	if sum.IsZero() || s.meta[sum] != nil {
		return nil
	}
	raw, err := tx.Get(keyMetaPrefix + sum.Hex())
	if err != nil {
		return err
	}
	if raw != nil && artifact.DigestOf(artifact.SHA256, raw) == sum {
		s.meta[sum] = raw
	}
	return nil
}

// reference is the time that expiry is judged at: now, or the latest time seen
// if that is later. A clock that is too far behind is a ClockError.
func (s *state) reference(repository string, now time.Time) (time.Time, error) {
	if !s.clock.Latest.After(now) {
		return now, nil
	}
	if s.clock.Latest.Sub(now) > clockSlack {
		return s.clock.Latest, &ClockError{Repository: repository, Now: now, Latest: s.clock.Latest}
	}
	return s.clock.Latest, nil
}

// underRoot is errOvertaken where a newer root than the given version has been
// accepted meanwhile. Keys that it revoked must not raise again, in a process
// that was late, the floors that it lowered.
func underRoot(tx Tx, version int64) error {
	var floor rootFloor
	if _, err := needRecord(tx, keyRootFloor, &floor); err != nil {
		return err
	}
	if floor.Version > version {
		return errOvertaken
	}
	return nil
}

// putMeta stores a role's bytes and its record, unless the record that is there
// is newer: two processes that share a Store never move each other back.
func putMeta(tx Tx, role string, version int64, sum artifact.Digest, raw []byte) error {
	var held roleRecord
	found, err := getRecord(tx, keyRolePrefix+role, &held)
	if err != nil && !errors.Is(err, errRecord) {
		return err
	}
	if err := tx.Put(keyMetaPrefix+sum.Hex(), raw); err != nil {
		return err
	}
	if found && held.Version > version {
		return nil
	}
	return putRecord(tx, keyRolePrefix+role, roleRecord{Version: version, Sum: sum})
}

// sweep deletes the metadata bytes that no record names.
func sweep(tx Tx) error {
	var complete completeRecord
	if _, err := getRecord(tx, keyComplete, &complete); err != nil && !errors.Is(err, errRecord) {
		return err
	}
	named := []artifact.Digest{complete.Timestamp, complete.Snapshot, complete.Targets}
	roles, err := tx.Keys(keyRolePrefix)
	if err != nil {
		return err
	}
	for _, key := range roles {
		var record roleRecord
		if _, err := getRecord(tx, key, &record); err != nil && !errors.Is(err, errRecord) {
			return err
		}
		named = append(named, record.Sum)
	}
	keep := map[string]bool{}
	for _, sum := range named {
		keep[keyMetaPrefix+sum.Hex()] = true
	}
	stored, err := tx.Keys(keyMetaPrefix)
	if err != nil {
		return err
	}
	for _, key := range slices.DeleteFunc(stored, func(key string) bool { return keep[key] }) {
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	return nil
}
