package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"assay/internal/boltfile"
)

// errAbsent: there is no database yet, or an empty file that a crash left.
var errAbsent = errors.New("no database")

// session is one transaction on the database, from open to close.
type session struct {
	path string
	file *os.File // holds the lock; closed with bolt, or instead of it
	bolt *bbolt.DB
	tx   *bbolt.Tx
	// abandoned is set after a panic inside bbolt. Its own locks may be held
	// then, so it is not called again: the file's lock is given up without it,
	// and the mapping stays until the process ends.
	abandoned bool
}

// begin opens the database and starts a transaction, waiting for its lock
// until deadline or the end of ctx. A missing or empty file is errAbsent for a
// reader and is created for a writer.
func (db *DB) begin(ctx context.Context, writable bool, deadline time.Time) (*session, error) {
	if writable {
		if err := db.create(ctx); err != nil {
			return nil, err
		}
	}
	// Only a reader may look at pages that are not checked yet, as opening for
	// writing already follows the list of free pages. A writer looks first and
	// opens again; what other writers do in between is well formed.
	s, err := db.lock(ctx, false, deadline)
	if err == nil {
		err = s.checkPages()
	}
	if writable && (err == nil || errors.Is(err, errAbsent)) {
		if s != nil {
			s.close()
		}
		s, err = db.lock(ctx, true, deadline)
	}
	if err == nil {
		err = s.guard(func() (err error) { s.tx, err = s.bolt.Begin(writable); return err })
	}
	if err == nil {
		err = s.checkFormat(writable)
	}
	if err != nil {
		if s != nil {
			s.close()
		}
		return nil, err
	}
	return s, nil
}

// lock opens the file and takes its lock, shared or exclusive. bbolt would
// poll every 50 ms and know no context, so it is asked for one try at a time.
func (db *DB) lock(ctx context.Context, writable bool, deadline time.Time) (*session, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		s, err := db.open(writable)
		if !errors.Is(err, bolterrors.ErrTimeout) {
			return s, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%w: %s: another process has held it for %v; try again", ErrBusy, db.path, db.lockWait)
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (db *DB) open(writable bool) (*session, error) {
	s := &session{path: db.path}
	options := &bbolt.Options{
		Timeout:      time.Nanosecond, // one try
		ReadOnly:     !writable,
		NoStatistics: true,
		OpenFile: func(path string, flag int, perm os.FileMode) (*os.File, error) {
			info, err := os.Stat(path)
			if err != nil {
				return nil, err
			}
			if !info.Mode().IsRegular() {
				return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
			}
			// bbolt would write its first pages through a reader's file.
			if !writable && info.Size() == 0 {
				return nil, errAbsent
			}
			s.file, err = os.OpenFile(path, flag&^os.O_CREATE, perm)
			return s.file, err
		},
	}
	err := boltfile.Guard(func() (err error) { s.bolt, err = bbolt.Open(db.path, 0o600, options); return err })
	if err == nil {
		return s, nil
	}
	s.release()
	return nil, s.explain(err)
}

// guard runs one step of bbolt and abandons the session where it panics.
func (s *session) guard(step func() error) error {
	if s.abandoned {
		return damaged(s.path, "the database was abandoned after a fault")
	}
	err := boltfile.Guard(step)
	if errors.Is(err, boltfile.ErrPanic) {
		s.abandoned = true
		s.release()
		return damaged(s.path, "%w", err)
	}
	return err
}

// explain sorts an error of opening into lock, disk and damage.
func (s *session) explain(err error) error {
	var path *fs.PathError
	var number syscall.Errno
	switch {
	case errors.Is(err, bolterrors.ErrTimeout), errors.Is(err, errAbsent):
		return err
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist):
		return errAbsent
	case errors.As(err, &path), errors.As(err, &number):
		return disk(s.path, err)
	default:
		return damaged(s.path, "%w", err)
	}
}

func (s *session) checkPages() error {
	info, err := s.file.Stat()
	if err != nil {
		return disk(s.path, err)
	}
	err = boltfile.CheckPages(s.file, info.Size())
	if err != nil && !errors.Is(err, boltfile.ErrPages) {
		return disk(s.path, err)
	}
	if err != nil {
		return damaged(s.path, "%w", err)
	}
	return nil
}

// commit makes the transaction durable. A crash before bbolt writes its meta
// page leaves the state as it was, with unused pages that the next writer
// takes; after it, the whole update.
func (s *session) commit() error {
	err := s.guard(func() error { return s.tx.Commit() })
	s.tx = nil
	if err != nil && !errors.Is(err, ErrDamaged) {
		return disk(s.path, err)
	}
	return err
}

// close gives up the lock, and the transaction where it was not committed.
func (s *session) close() {
	if s.tx != nil {
		// The file as it was before is what counts: nothing to do on an error.
		s.guard(func() error { return s.tx.Rollback() })
		s.tx = nil
	}
	if s.bolt != nil && !s.abandoned {
		s.guard(s.bolt.Close)
	}
	s.release()
}

// release gives up the file and its lock. Both fail where bbolt did it, which
// is the usual way.
func (s *session) release() {
	if s.file == nil {
		return
	}
	boltfile.Unlock(s.file)
	s.file.Close()
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return ctx.Err()
	}
}
