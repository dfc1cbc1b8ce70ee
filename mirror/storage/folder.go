package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"assay/artifact"
	"assay/cache"
	"assay/internal/durable"
)

// Options are the outside of a Folder; each has a default.
type Options struct {
	// Now is the clock, time.Now if nil.
	Now func() time.Time
	// Notice is told, in a sentence, of what went wrong and was healed or can wait;
	// nobody if nil. It may be called by several goroutines.
	Notice func(string)
	// LockWait is how long a call waits for the index of the objects, 5 s if zero. For
	// the folder itself nobody waits.
	LockWait time.Duration
}

// Folder is the back end in a folder of this machine. It is safe for several
// goroutines, and of one process at a time.
type Folder struct {
	dir       string
	documents string // the folder of them
	cache     *cache.Store
	notice    func(string)
	lock      *flock.Flock

	// mu is held by whoever changes a document, and guards closed.
	mu     sync.Mutex
	closed bool
}

var _ Storage = (*Folder)(nil)

// Open takes a folder for this process alone, and makes it where it is missing. Where
// another one has it the error is an *InUseError, at once. It must be closed.
//
// A crash leaves folders that the next Open takes up.
func Open(dir string, opts Options) (*Folder, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: expected the path of the storage's folder, found an empty one", ErrInvalid)
	}
	if opts.Notice == nil {
		opts.Notice = func(string) {}
	}
	objects := filepath.Join(dir, "objects")
	store, err := cache.Open(objects, cache.Options{LockWait: opts.LockWait, Now: opts.Now, Notice: opts.Notice, NoIndex: true})
	if err != nil {
		return nil, failure(err)
	}
	f := &Folder{dir: dir, documents: filepath.Join(dir, "documents"), cache: store, notice: opts.Notice}
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, disk(err)
	}
	if f.lock, err = takeLock(dir, opts.Notice); err != nil {
		return nil, err
	}
	for _, folder := range []string{objects, f.documents} {
		if err := durable.MkdirAll(folder, 0o700); err != nil {
			return nil, errors.Join(disk(err), f.lock.Close())
		}
	}
	f.sweep()
	return f, nil
}

// Close gives the folder up to others. No call may come after it; Replace would be
// ErrInvalid.
func (f *Folder) Close() error {
	f.mu.Lock() // until the last document is written
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	return disk(dropLock(f.lock))
}

// Cache is where the objects are: what is fetched into it is an object already.
func (f *Folder) Cache() *cache.Store { return f.cache }

// Free tells how much room the device of the folder has for this user.
func (f *Folder) Free(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	free, err := freeBytes(f.dir)
	if err != nil {
		return 0, disk(&os.PathError{Op: "statfs", Path: f.dir, Err: err})
	}
	return free, nil
}

// failure puts an error of the cache into this package's words.
func failure(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, cache.ErrDamaged):
		return fmt.Errorf("%w, %w: %w", ErrMismatch, ErrMissing, err)
	case errors.Is(err, cache.ErrMissing):
		return fmt.Errorf("%w: %w", ErrMissing, err)
	case errors.Is(err, cache.ErrMismatch):
		return fmt.Errorf("%w: %w", ErrMismatch, err)
	case errors.Is(err, cache.ErrInUse):
		return fmt.Errorf("%w: %w", ErrInUse, err)
	case errors.Is(err, cache.ErrInvalid), errors.Is(err, artifact.ErrDigest):
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return disk(err)
}

// disk marks an error of a file operation, which names the path.
func disk(err error) error {
	if err == nil || errors.Is(err, ErrDisk) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}
