package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
	"assay/internal/durable"
)

// The versions of what is stored. A new database has the first; a later one is
// ErrNewer to a program that does not know it: an old program must not write
// what a newer one relies on.
const (
	formatFirst = 1
	formatLarge = 2 // large values have buckets of their own
	formatLast  = formatLarge
)

// The top-level tables of state.db; all of them exist from the start, so that
// a missing one is damage.
const (
	tableMeta         = "meta"
	tableRepositories = "repositories"
	tableLayouts      = "layouts"
	tableTrust        = "trust"
)

const (
	keyFormat    = "format"
	keyMachineID = "machine-id"
)

// Options are the outside of a DB; each has a default.
type Options struct {
	// LockWait is how long a call waits for other processes, 5 s if zero.
	LockWait time.Duration
	// Now gives the time of a registration, time.Now if nil.
	Now func() time.Time
	// Rand gives the machine's random number, crypto/rand if nil.
	Rand io.Reader
}

// DB is the state of one user on one machine. It holds nothing open between
// calls and may be used by several goroutines; their transactions take turns.
type DB struct {
	path     string
	lockWait time.Duration
	now      func() time.Time
	rand     io.Reader
	turn     boltfile.Turn

	// Whoever has the turn owns these.
	memory boltfile.Memory
	sealed map[string]bool // see session
}

// Open prepares the use of state.db in folder dir. Nothing is created or read
// before the first call that needs it.
func Open(dir string, opts Options) (*DB, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: expected the path of the state directory, found an empty one", ErrInvalid)
	}
	db := &DB{
		path:     filepath.Join(dir, "state.db"),
		lockWait: opts.LockWait,
		now:      opts.Now,
		rand:     opts.Rand,
		turn:     boltfile.NewTurn(),
	}
	if db.lockWait <= 0 {
		db.lockWait = 5 * time.Second
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.rand == nil {
		db.rand = rand.Reader
	}
	return db, nil
}

// Path is where the database is, or will be.
func (db *DB) Path() string { return db.path }

// MachineID returns the random number by which rollouts sort this machine into
// cohorts. The first call makes it; it is kept from then on.
func (db *DB) MachineID(ctx context.Context) ([16]byte, error) {
	var id [16]byte
	found := false
	read := func(s *session) error {
		meta, err := s.top(tableMeta)
		if err != nil {
			return err
		}
		value, err := meta.get(keyMachineID)
		if err != nil || value == nil {
			return err
		}
		if len(value) != len(id) {
			return s.damaged("expected a machine id of %d bytes, found %d", len(id), len(value))
		}
		copy(id[:], value)
		found = true
		return nil
	}
	if err := db.view(ctx, read); err != nil || found {
		return id, err
	}
	err := db.update(ctx, func(s *session) error {
		// Another process may have made it since.
		if err := read(s); err != nil || found {
			return err
		}
		if _, err := io.ReadFull(db.rand, id[:]); err != nil {
			return fmt.Errorf("make a machine id: %w", err)
		}
		meta, err := s.top(tableMeta)
		if err != nil {
			return err
		}
		return meta.put(keyMachineID, id[:])
	})
	if err != nil {
		return [16]byte{}, err
	}
	return id, nil
}

// view runs fn on the stored state; without a database fn is not run.
func (db *DB) view(ctx context.Context, fn func(*session) error) error {
	err := db.run(ctx, false, fn)
	if errors.Is(err, errAbsent) {
		return nil
	}
	return err
}

// update runs fn and keeps all that it wrote, or nothing.
func (db *DB) update(ctx context.Context, fn func(*session) error) error {
	return db.run(ctx, true, fn)
}

func (db *DB) run(ctx context.Context, writable bool, fn func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline := time.Now().Add(db.lockWait)
	end, err := db.turn.Take(ctx, deadline)
	if errors.Is(err, boltfile.ErrBusy) {
		return fmt.Errorf("%w: %s: this process has used it for %v; try again", ErrBusy, db.path, db.lockWait)
	}
	if err != nil {
		return err
	}
	defer end()
	s, err := db.begin(ctx, writable, deadline)
	if err != nil {
		return err
	}
	defer s.close()
	if err := fn(s); err != nil {
		return err
	}
	if !writable {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.commit()
}

// create makes the database where there is none. It is built under another
// name, so that a crash leaves no half-made one: at most a hidden temporary
// file, which nothing reads.
func (db *DB) create(ctx context.Context) error {
	if _, err := os.Lstat(db.path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return disk(db.path, err)
	}
	if err := durable.MkdirAll(filepath.Dir(db.path), 0o700); err != nil {
		return disk(db.path, err)
	}
	file, err := durable.Create(db.path, 0o600)
	if err != nil {
		return disk(db.path, err)
	}
	defer file.Abort()
	draft, err := boltfile.Create(ctx, file.TempName(), time.Now().Add(db.lockWait))
	if err != nil {
		return db.refused(ctx, file.TempName(), err)
	}
	s, err := newSession(file.TempName(), draft, map[string]bool{}, (*session).writeFormat)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.commit(); err != nil {
		return err
	}
	// Another process may have been faster: its database is the one.
	if err := file.CommitNew(); err != nil && !errors.Is(err, fs.ErrExist) {
		return disk(db.path, err)
	}
	return nil
}

// checkFormat compares the stored format with this program's.
func (s *session) checkFormat() error {
	var envelope []byte
	err := s.guard(func() error {
		if meta := s.tx.Bucket([]byte(tableMeta)); meta != nil {
			envelope = meta.Get([]byte(keyFormat))
		}
		return nil
	})
	if err != nil {
		return err
	}
	// The envelope and the place of the format stay the same in every format.
	var value string
	err = s.guard(func() error {
		if err := checkEnvelope(envelope); err != nil {
			return err
		}
		value = string(envelope[crc32.Size:])
		return nil
	})
	if err != nil {
		return s.damaged("the format: %w", err)
	}
	version, err := strconv.Atoi(value)
	if err != nil || version < 1 {
		return s.damaged("expected a format number, found %q", clip(value))
	}
	if version > formatLast {
		return fmt.Errorf("%w: %s: expected format %d, found %d; use the version of assay that wrote it, or a later one", ErrNewer, s.path, formatLast, version)
	}
	s.format = version
	return nil
}

// raiseFormat makes sure that a program that does not know the format leaves the
// database alone.
func (s *session) raiseFormat(to int) error {
	if s.format >= to {
		return nil
	}
	meta, err := s.top(tableMeta)
	if err != nil {
		return err
	}
	s.format = to
	return meta.put(keyFormat, strconv.AppendInt(nil, int64(to), 10))
}

// writeFormat gives a new database its tables.
func (s *session) writeFormat() error {
	for _, name := range []string{tableMeta, tableRepositories, tableLayouts, tableTrust} {
		t, err := s.createTable(s.tx.CreateBucket, name, name)
		if err != nil {
			return err
		}
		if name != tableMeta {
			continue
		}
		if err := t.put(keyFormat, strconv.AppendInt(nil, formatFirst, 10)); err != nil {
			return err
		}
	}
	return nil
}

// top opens a top-level table.
func (s *session) top(name string) (*table, error) {
	var bucket *bbolt.Bucket
	if err := s.guard(func() error { bucket = s.tx.Bucket([]byte(name)); return nil }); err != nil {
		return nil, err
	}
	if bucket == nil {
		return nil, s.damaged("the table %q is missing", name)
	}
	return s.openTable(bucket, name)
}
