package state

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"
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
// calls and may be used by several goroutines, which share transactions.
type DB struct {
	*file  // state.db
	proofs *file
	now    func() time.Time
	rand   io.Reader
}

// Open prepares the use of state.db and proofs.db in folder dir. Nothing is
// created or read before the first call that needs it.
func Open(dir string, opts Options) (*DB, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: expected the path of the state directory, found an empty one", ErrInvalid)
	}
	wait := opts.LockWait
	if wait <= 0 {
		wait = 5 * time.Second
	}
	db := &DB{file: newFile(dir, stateKind(), wait), proofs: newFile(dir, proofsKind(), wait), now: opts.Now, rand: opts.Rand}
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
		found = false
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
