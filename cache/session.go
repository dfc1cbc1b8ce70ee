package cache

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

// errNoIndex: index.db is not there.
var errNoIndex = errors.New("no index")

// indexDamage says that the index can't be relied on, and which file that is.
type indexDamage struct {
	info  fs.FileInfo
	cause error
}

func (e *indexDamage) Error() string { return "the cache index is damaged: " + e.cause.Error() }
func (e *indexDamage) Unwrap() error { return e.cause }

// session is one transaction on the index, from open to close.
type session struct {
	path string
	info fs.FileInfo
	file *os.File // holds the lock; closed with bolt, or instead of it
	bolt *bbolt.DB
	tx   *bbolt.Tx
	// abandoned is set after a panic inside bbolt. Its own locks may be held
	// then, so it is not called again: the file's lock is given up without it,
	// and the mapping stays until the process ends.
	abandoned bool
}

// transaction runs fn on the index as it is. fn must be short, as others wait,
// and may be run again after an error.
func (s *Store) transaction(ctx context.Context, writable bool, fn func(*bbolt.Tx) error) error {
	deadline := time.Now().Add(s.lockWait)
	timer := time.NewTimer(s.lockWait)
	defer timer.Stop()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return s.busy()
	}
	// Only a reader may look at pages that are not checked yet, as opening for
	// writing already follows the list of free pages. A writer looks first and
	// opens again; what other writers do in between is well formed.
	x, err := s.lockIndex(ctx, false, deadline)
	if err != nil {
		return err
	}
	defer func() { x.close() }()
	if err := x.checkPages(); err != nil {
		return err
	}
	if writable {
		x.close()
		next, err := s.lockIndex(ctx, true, deadline)
		if err != nil {
			return err
		}
		x = next
	}
	return x.run(writable, fn)
}

func (s *Store) busy() error {
	return fmt.Errorf("%w: %s: it was in use for %v; try again", ErrBusy, s.indexPath(), s.lockWait)
}

// lockIndex opens the index and takes its lock, shared or exclusive. bbolt
// would poll slowly and know no context, so it is asked for one try at a time.
func (s *Store) lockIndex(ctx context.Context, writable bool, deadline time.Time) (*session, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		x, err := openIndex(s.indexPath(), writable)
		if !errors.Is(err, bolterrors.ErrTimeout) {
			return x, err
		}
		if time.Now().After(deadline) {
			return nil, s.busy()
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func openIndex(path string, writable bool) (*session, error) {
	x := &session{path: path}
	options := &bbolt.Options{
		Timeout:      time.Nanosecond, // one try
		ReadOnly:     !writable,
		NoStatistics: true,
		OpenFile: func(path string, flag int, perm os.FileMode) (_ *os.File, err error) {
			if x.info, err = os.Stat(path); err != nil {
				return nil, err
			}
			if !x.info.Mode().IsRegular() {
				return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
			}
			if x.info.Size() == 0 {
				// bbolt would take it for a new one. It gets its name full here.
				return nil, &indexDamage{x.info, errors.New("the file is empty")}
			}
			x.file, err = os.OpenFile(path, flag&^os.O_CREATE, perm)
			return x.file, err
		},
	}
	err := boltfile.Guard(func() (err error) { x.bolt, err = bbolt.Open(path, 0o600, options); return err })
	if err == nil {
		return x, nil
	}
	x.release()
	return nil, x.explain(err)
}

// explain sorts an error of opening into lock, disk and damage.
func (x *session) explain(err error) error {
	var withPath *fs.PathError
	var number syscall.Errno
	var damage *indexDamage
	switch {
	case errors.Is(err, bolterrors.ErrTimeout), errors.As(err, &damage):
		return err
	case errors.As(err, &withPath) && errors.Is(err, fs.ErrNotExist):
		return errNoIndex
	case errors.As(err, &withPath), errors.As(err, &number):
		return disk(x.path, err)
	default:
		return &indexDamage{x.info, err}
	}
}

func (x *session) checkPages() error {
	info, err := x.file.Stat()
	if err != nil {
		return disk(x.path, err)
	}
	err = boltfile.CheckPages(x.file, info.Size())
	if err != nil && !errors.Is(err, boltfile.ErrPages) {
		return disk(x.path, err)
	}
	if err != nil {
		return &indexDamage{x.info, err}
	}
	return nil
}

// run is one transaction. fn is code of this package and does nothing but read
// and write entries, so a panic in it is one of bbolt's.
func (x *session) run(writable bool, fn func(*bbolt.Tx) error) error {
	err := x.guard(func() (err error) { x.tx, err = x.bolt.Begin(writable); return err })
	if err == nil {
		err = x.guard(func() error { return fn(x.tx) })
	}
	if err != nil || !writable {
		return err
	}
	err = x.guard(x.tx.Commit)
	x.tx = nil
	var damage *indexDamage
	if err != nil && !errors.As(err, &damage) {
		// A crash or an error before bbolt writes its meta page leaves the index
		// as it was.
		return disk(x.path, err)
	}
	return err
}

// guard runs one step of bbolt, and abandons the session where it panics.
func (x *session) guard(step func() error) error {
	err := boltfile.Guard(step)
	var found *corruptEntry
	switch {
	case errors.Is(err, boltfile.ErrPanic):
		x.abandoned = true
		x.release()
		return &indexDamage{x.info, err}
	case errors.As(err, &found):
		return &indexDamage{x.info, err}
	}
	return err
}

// close gives up the lock, and the transaction where it was not committed.
func (x *session) close() {
	if x.tx != nil && !x.abandoned {
		// The file as it was before is what counts: nothing to do on an error.
		x.guard(x.tx.Rollback)
	}
	x.tx = nil
	if x.bolt != nil && !x.abandoned {
		x.guard(x.bolt.Close)
	}
	x.bolt = nil
	x.release()
}

// release gives up the file and its lock. Both fail where bbolt did it, which
// is the usual way.
func (x *session) release() {
	if x.file == nil {
		return
	}
	boltfile.Unlock(x.file)
	x.file.Close()
}
