package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
)

// format is the version of what audit.db holds.
const format = 1

// errAbsent: there is no log yet.
var errAbsent = errors.New("no log")

// view runs fn on the log; without a file fn is not run.
func (l *Log) view(ctx context.Context, fn func(*bbolt.Tx) error) error {
	err := l.run(ctx, false, fn)
	if errors.Is(err, errAbsent) {
		return nil
	}
	return err
}

// update runs fn and keeps all that it wrote, or nothing. Here as in view fn may be
// run more than once, so it sets anew all that it hands out.
func (l *Log) update(ctx context.Context, fn func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := l.create(ctx); err != nil {
		return err
	}
	return l.run(ctx, true, fn)
}

func (l *Log) run(ctx context.Context, writable bool, fn func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline := time.Now().Add(l.lockWait)
	err := l.group.Do(ctx, writable, deadline, func(s *boltfile.Session) error {
		err := s.Guard(func() error {
			if err := l.checkFormat(s.Tx()); err != nil {
				return err
			}
			return fn(s.Tx())
		})
		if err == nil {
			err = ctx.Err()
		}
		return err
	})
	return l.explain(ctx, err)
}

// explain puts what is wrong with the file into this package's words, and leaves
// other errors alone. An empty file is a damaged one, as create gives the file
// its name only when it is whole.
func (l *Log) explain(ctx context.Context, err error) error {
	var file *boltfile.Error
	switch {
	case errors.Is(err, boltfile.ErrBusy):
		return fmt.Errorf("%w: %s: it was in use for %v; try again", ErrBusy, l.path, l.lockWait)
	case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return context.Cause(ctx)
	case !errors.As(err, &file):
		return err
	case file.Kind == boltfile.ErrAbsent:
		return errAbsent
	case file.Kind == boltfile.ErrDamaged, file.Kind == boltfile.ErrEmpty:
		return damaged(l.path, "%w", file.Cause)
	default:
		return disk(l.path, file.Cause)
	}
}

// checkFormat compares the stored format with this program's.
func (l *Log) checkFormat(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil || tx.Bucket(bucketEntries) == nil {
		return damaged(l.path, "a table is missing")
	}
	text := string(meta.Get(keyFormat))
	version, err := strconv.Atoi(text)
	if err != nil || version < 1 {
		return damaged(l.path, "expected a format number, found %q", clip(text, maxWord))
	}
	if version > format {
		return fmt.Errorf("%w: %s: expected format %d, found %d; use the version of assay that wrote it, or a later one", ErrNewer, l.path, format, version)
	}
	return nil
}

// create makes the log where there is none.
func (l *Log) create(ctx context.Context) error {
	err := boltfile.Make(ctx, l.path, time.Now().Add(l.lockWait), func(draft *boltfile.Session) error {
		return draft.Guard(func() error {
			meta, err := draft.Tx().CreateBucket(bucketMeta)
			if err != nil {
				return err
			}
			if _, err := draft.Tx().CreateBucket(bucketEntries); err != nil {
				return err
			}
			return meta.Put(keyFormat, strconv.AppendInt(nil, format, 10))
		})
	})
	return l.explain(ctx, err)
}
