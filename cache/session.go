package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.etcd.io/bbolt"

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

// transaction runs fn on the index as it is. fn must be short, as others wait,
// and may be run again after an error. It is code of this package and does
// nothing but read and write entries, so a panic in it is one of bbolt's.
func (s *Store) transaction(ctx context.Context, writable bool, fn func(*bbolt.Tx) error) error {
	deadline := time.Now().Add(s.lockWait)
	end, err := s.turn.Take(ctx, deadline)
	if err != nil {
		return s.explain(err)
	}
	defer end()
	x, err := boltfile.Begin(ctx, s.indexPath(), writable, deadline)
	if err != nil {
		return s.explain(err)
	}
	defer x.Close()
	err = x.Guard(func() error { return fn(x.Tx()) })
	if err == nil && writable {
		err = x.Commit()
	}
	var found *corruptEntry
	if errors.As(err, &found) {
		return &indexDamage{x.Info(), err}
	}
	return s.explain(err)
}

// explain puts what is wrong with the file into this package's words. An empty
// index is a damaged one, as it gets its name full here.
func (s *Store) explain(err error) error {
	var file *boltfile.Error
	switch {
	case errors.Is(err, boltfile.ErrBusy):
		return s.busy()
	case !errors.As(err, &file):
		return err
	case file.Kind == boltfile.ErrAbsent:
		return errNoIndex
	case file.Kind == boltfile.ErrDamaged, file.Kind == boltfile.ErrEmpty:
		return &indexDamage{file.Info, file.Cause}
	default:
		return disk(s.indexPath(), file.Cause)
	}
}

func (s *Store) busy() error {
	return fmt.Errorf("%w: %s: it was in use for %v; try again", ErrBusy, s.indexPath(), s.lockWait)
}
