package trust

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	Version  int64           `json:"version"`
	Signed   artifact.Digest `json:"signed"` // of the signed part: no other may follow under this version
	Sum      artifact.Digest `json:"sum"`
	Accepted time.Time       `json:"accepted"` // when this client first took it
}

type completeRecord struct {
	Root      int64           `json:"root"`
	Version   int64           `json:"version"` // of the timestamp: orders sets under one root
	Timestamp artifact.Digest `json:"timestamp"`
	Snapshot  artifact.Digest `json:"snapshot"`
	Targets   artifact.Digest `json:"targets"`
	Checked   time.Time       `json:"checked"`
}

// names reports whether c names the same bytes as next does.
func (c completeRecord) names(next completeRecord) bool {
	return c.Timestamp == next.Timestamp && c.Snapshot == next.Snapshot && c.Targets == next.Targets
}

type clockRecord struct {
	Latest time.Time `json:"latest"`
}

type rootFloor struct {
	Version  int64           `json:"version"`
	Signed   artifact.Digest `json:"signed"`
	Accepted time.Time       `json:"accepted"` // when this client first took it
	// Sums are the SHA-256 of the stored roots by version: a byte of white space
	// that has changed on the disk would still be signed.
	Sums map[int64]artifact.Digest `json:"sums"`
}

// with is the floor after root was stored.
func (f rootFloor) with(root *document) rootFloor {
	f.Sums = maps.Clone(f.Sums)
	if f.Sums == nil {
		f.Sums = map[int64]artifact.Digest{}
	}
	f.Sums[root.version] = root.sum
	return f
}

// timestampFloor holds what an accepted timestamp forbids its successors: a
// lower version, other content under the same one, and a lower snapshot.
type timestampFloor struct {
	Version  int64           `json:"version"`
	Signed   artifact.Digest `json:"signed"`
	Snapshot int64           `json:"snapshot"`
}

// snapshotFloor and rolesFloor hold what an accepted snapshot forbids its
// successors: lower versions, and to leave out a role (specification section
// 5.5.5). The roles are apart, as there may be thousands and only a snapshot
// that is new needs them.
type snapshotFloor struct {
	Version int64           `json:"version"`
	Signed  artifact.Digest `json:"signed"`
}

type rolesFloor struct {
	Signed artifact.Digest  `json:"signed"` // of the snapshot that they are of
	Roles  map[string]int64 `json:"roles"`
}

// state is what one read of the Store found. Raw bytes are not yet verified.
type state struct {
	given         givenRecord
	roots         map[int64][]byte
	rootFloor     rootFloor
	timeFloor     timestampFloor
	snapshotFloor snapshotFloor
	rolesFloor    []byte // record rolesFloor, not decoded: see rolesBefore
	clock         clockRecord
	complete      completeRecord
	newest        map[string]roleRecord         // of the top-level roles below root
	meta          map[artifact.Digest][]byte    // of the roles that were asked for
	parsed        map[artifact.Digest]*document // of these, in place of bytes, what the process has parsed
	mended        []*document                   // roots fetched in place of damaged ones, see commitRoot
}

// newestSums and completeSums name the bytes that load reads.
func newestSums(s *state) []artifact.Digest {
	return []artifact.Digest{s.newest[metadata.TIMESTAMP].Sum, s.newest[metadata.SNAPSHOT].Sum, s.newest[metadata.TARGETS].Sum}
}

func completeSums(s *state) []artifact.Digest {
	return []artifact.Digest{s.complete.Timestamp, s.complete.Snapshot, s.complete.Targets}
}

// load reads the state, with the bytes that sums names. Damaged bytes and records
// that can be fetched again are left out; a damaged floor is ErrState.
func (r *Repository) load(ctx context.Context, sums func(*state) []artifact.Digest) (*state, error) {
	for range refreshAttempts {
		s, err := r.loadRecords(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		whole, err := r.loadBytes(ctx, s, sums(s))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		if whole {
			return s, nil
		}
		// What is missing is damaged, or was swept away since the records were
		// read: then they name something else by now.
		now, err := r.loadRecords(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		if slices.Equal(sums(now), sums(s)) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", r.name, ErrBusy)
}

// loadRecords reads all but the bytes, in one transaction.
func (r *Repository) loadRecords(ctx context.Context) (*state, error) {
	s := new(state)
	return s, r.store.View(ctx, func(tx Tx) error {
		*s = state{
			roots: map[int64][]byte{}, newest: map[string]roleRecord{},
			meta: map[artifact.Digest][]byte{}, parsed: map[artifact.Digest]*document{},
		}
		return s.read(tx)
	})
}

// loadBytes reads stored bytes. whole: none that is not known was missing.
func (r *Repository) loadBytes(ctx context.Context, s *state, sums []artifact.Digest) (whole bool, err error) {
	whole = true
	for _, sum := range sums {
		if sum.IsZero() {
			continue
		}
		// Taken over once, as another goroutine's refresh replaces what is known.
		if doc := r.known.by(sum); doc != nil {
			s.parsed[sum] = doc
			continue
		}
		raw, err := r.storedBytes(ctx, sum)
		if err != nil {
			return false, err
		}
		if raw == nil {
			whole = false
			continue
		}
		s.meta[sum] = raw
	}
	return whole, nil
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
		raw, err := tx.Get(key)
		if err != nil {
			return err
		}
		if artifact.DigestOf(artifact.SHA256, raw) == s.rootFloor.Sums[version] {
			s.roots[version] = raw
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
	var err error
	if s.rolesFloor, err = recordBody(tx, keyRolesFloor); errors.Is(err, errRecord) {
		return fmt.Errorf("%w: %w", ErrState, err)
	} else if err != nil {
		return err
	}
	if s.snapshotFloor.Version != 0 && s.rolesFloor == nil {
		return fmt.Errorf("%w: %s: expected a record beside %s, found none", ErrState, keyRolesFloor, keySnapshotFloor)
	}
	if s.given.Version != 0 && s.rootFloor.Version == 0 {
		return fmt.Errorf("%w: %s: expected a record beside %s, found none", ErrState, keyRootFloor, keyGiven)
	}
	// Nothing is stored before the given root: starting over with it would forget
	// the floors.
	if s.given.Version == 0 && (s.rootFloor.Version != 0 || s.timeFloor.Version != 0 || s.snapshotFloor.Version != 0) {
		return fmt.Errorf("%w: %s: expected a record beside the floors, found none", ErrState, keyGiven)
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

// check refuses other content under the version that was accepted. What is lower
// was refused with the snapshot already.
func (c roleRecord) check(repository string, d *document) error {
	content, err := d.content()
	if err != nil {
		return err
	}
	if c.Version == d.version && c.Signed != content {
		return sameVersion(repository, d.role, d.version)
	}
	return nil
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
func putMeta(tx Tx, d *document, now time.Time) error {
	var held roleRecord
	found, err := getRecord(tx, keyRolePrefix+d.role, &held)
	if err != nil && !errors.Is(err, errRecord) {
		return err
	}
	if err := putBytes(tx, d); err != nil {
		return err
	}
	if found && held.Version > d.version {
		return nil
	}
	content, err := d.content()
	if err != nil {
		return err
	}
	next := roleRecord{Version: d.version, Signed: content, Sum: d.sum, Accepted: now}
	if found && held.Version == d.version && held.Sum == d.sum {
		next.Accepted = held.Accepted
	}
	return putRecord(tx, keyRolePrefix+d.role, next)
}
