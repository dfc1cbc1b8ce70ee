package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
)

// indexFile is a bbolt file of the cache that can be made again from what else is
// there, or does without.
type indexFile struct {
	store   *Store
	path    string
	lost    string   // what is said of it when it was set aside
	buckets [][]byte // beside bucketFormat
	format  int      // that it is written in
	// steps lead from a format to the next one, within one transaction for all of
	// them. What no step leads from is set aside, and made anew.
	steps map[int]func(*bbolt.Tx) error
	// wanted reports whether a reader has any use for it where it is missing.
	wanted func() bool
	// fill gives a new one its entries.
	fill func(context.Context, *bbolt.Tx) error
	// group has the calls of several goroutines share transactions, and spares all
	// but the first of a process the look at every page.
	group *boltfile.Group
}

// newBlobIndex is index.db, which is small and needed by every command.
func (s *Store) newBlobIndex() *indexFile {
	path := filepath.Join(s.dir, "index.db")
	return &indexFile{
		store: s, path: path, group: boltfile.NewGroup(path, nil), buckets: [][]byte{bucketBlobs}, format: indexFormat,
		lost: "is rebuilt from the blobs, without what they were fetched for", wanted: s.anyBlobs, fill: s.fillIndex,
	}
}

// newFactsIndex is facts.db. It is a file of its own as it grows with every
// component of every artifact, and those who only get or list blobs should not
// pay for the look at its pages.
func (s *Store) newFactsIndex() *indexFile {
	path := filepath.Join(s.dir, "facts.db")
	return &indexFile{
		store: s, path: path, group: boltfile.NewGroup(path, nil), buckets: factsBuckets(), format: factsFormat,
		lost:   "begins anew: each artifact is described again when it is next proven",
		wanted: func() bool { return false },
		fill:   func(context.Context, *bbolt.Tx) error { return nil },
	}
}

// errNoIndex: the file is not there.
var errNoIndex = errors.New("no index")

// indexDamage says that the index can't be relied on, and which file that is.
type indexDamage struct {
	info  fs.FileInfo
	cause error
}

func (e *indexDamage) Error() string { return "the cache index is damaged: " + e.cause.Error() }
func (e *indexDamage) Unwrap() error { return e.cause }

// transaction runs fn on the index as it is, together with what other goroutines
// want of it. fn must be short, as others wait, and may be run again, also where it
// gave no error, so it sets anew all that it hands out. It is code of this package
// and does nothing but read and write entries, so a panic in it is one of bbolt's.
func (x *indexFile) transaction(ctx context.Context, writable bool, fn func(*bbolt.Tx) error) error {
	err := x.group.Do(ctx, writable, time.Now().Add(x.store.lockWait), func(s *boltfile.Session) error {
		err := s.Guard(func() error { return fn(s.Tx()) })
		var found *corruptEntry
		if errors.As(err, &found) {
			return &indexDamage{s.Info(), err}
		}
		return err
	})
	return x.explain(err)
}

// compact gives back the free pages of the file, where there are many, and returns
// how many bytes that were. Others wait meanwhile.
func (x *indexFile) compact(ctx context.Context) (freed int64, err error) {
	deadline := time.Now().Add(x.store.lockWait)
	end, err := x.group.Take(ctx, deadline)
	if err != nil {
		return 0, x.explain(err)
	}
	defer end()
	freed, err = boltfile.Compact(ctx, x.path, deadline)
	err = x.explain(err)
	var damage *indexDamage
	if errors.Is(err, errNoIndex) || errors.As(err, &damage) {
		// The next transaction sets aside what is damaged.
		return 0, nil
	}
	return freed, err
}

// explain puts what is wrong with the file into this package's words. An empty
// index is a damaged one, as it gets its name full here.
func (x *indexFile) explain(err error) error {
	var file *boltfile.Error
	switch {
	case errors.Is(err, boltfile.ErrBusy):
		return x.busy()
	case !errors.As(err, &file):
		return err
	case file.Kind == boltfile.ErrAbsent:
		return errNoIndex
	case file.Kind == boltfile.ErrDamaged, file.Kind == boltfile.ErrEmpty:
		return &indexDamage{file.Info, file.Cause}
	default:
		return disk(x.path, file.Cause)
	}
}

func (x *indexFile) busy() error {
	return fmt.Errorf("%w: %s: it was in use for %v; try again", ErrBusy, x.path, x.store.lockWait)
}
