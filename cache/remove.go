package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"go.etcd.io/bbolt"

	"assay/artifact"
	"assay/internal/durable"
)

// InUseError says why a blob was not removed. It is an ErrInUse.
type InUseError struct {
	Digest     artifact.Digest
	References []Reference // that hold it; none: it is being staged
}

// Error names the blob and what needs it.
func (e *InUseError) Error() string {
	if len(e.References) == 0 {
		return fmt.Sprintf("%v: %v: expected nobody to fetch it, found that it is being staged", ErrInUse, e.Digest)
	}
	var names []string
	for _, ref := range e.References {
		names = append(names, ref.String())
	}
	return fmt.Sprintf("%v: %v: expected no reference to it, found %s", ErrInUse, e.Digest, clip(strings.Join(names, ", ")))
}

// Is makes the error an ErrInUse.
func (e *InUseError) Is(target error) bool { return target == ErrInUse }

// Remove removes one blob, what is known of it, too, and reports whether there was
// one. However lately it was used, it goes: that is the caller's to know, as it is
// for who keeps the list of what is needed himself. What a reference holds, or
// somebody stages, stays, and the error is an *InUseError; where a reference can't be
// read it is an ErrReference. Who has the file open reads on.
//
// A crash, or an error, leaves the blob, or less and less of what is known of it: see
// removeFile. Who asks again finishes it.
func (s *Store) Remove(ctx context.Context, d artifact.Digest) (gone bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	_, err = s.Look(d)
	switch {
	case errors.Is(err, ErrMissing):
		// What a run before this one may have left is entries alone. Where something else
		// stood in the blob's place, that was set aside.
		return false, s.forgetOne(ctx, d)
	case err != nil:
		return false, err
	}
	if err := durable.MkdirAll(s.stagingDir(), 0o700); err != nil {
		return false, disk(s.stagingDir(), err)
	}
	// As for pruner.remove: under the one lock no reference comes, under the other
	// nobody makes the blob.
	err = s.withReferences(ctx, func() error {
		refs, err := s.readReferences(ctx, referenceSet{})
		if err != nil {
			return err
		}
		if held := HeldBy(refs.list)[d]; len(held) > 0 {
			return &InUseError{Digest: d, References: held}
		}
		gone, err = s.removeStaged(ctx, d)
		return err
	})
	if err != nil {
		return gone, err
	}
	// Crash here: facts about what is not held stay. Find passes them over, and Prune
	// drops them.
	return gone, s.undescribe(ctx, []artifact.Digest{d})
}

// removeStaged removes the blob unless somebody stages it.
func (s *Store) removeStaged(ctx context.Context, d artifact.Digest) (gone bool, err error) {
	lock, err := tryAcquire(s.stagingBase(d) + lockSuffix)
	if err != nil {
		return false, err
	}
	if lock == nil {
		return false, &InUseError{Digest: d}
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	remove := func(tx *bbolt.Tx) error {
		became, err := s.removeFile(tx, d, func(record, bool, fs.FileInfo) bool { return false })
		gone = gone || became == removed // it may run again
		return err
	}
	if s.index == nil {
		err = remove(nil)
	} else {
		err = s.update(ctx, remove)
	}
	return gone, err
}

// forgetOne drops the entry and the facts of a blob that is not there.
func (s *Store) forgetOne(ctx context.Context, d artifact.Digest) error {
	_, found, err := s.lookup(ctx, d)
	if err == nil && found {
		err = s.update(ctx, func(tx *bbolt.Tx) error {
			// One that was committed since stays.
			_, err := s.removeFile(tx, d, func(record, bool, fs.FileInfo) bool { return true })
			return err
		})
	}
	if err != nil {
		return err
	}
	return s.undescribe(ctx, []artifact.Digest{d})
}
