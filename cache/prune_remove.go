package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
	"assay/internal/durable"
)

// remove removes some blobs, and decides upon each. Four things keep one that is
// needed: under the lock of the references no new one comes; under the lock of
// staging nobody is making the blob; the index, held for writing, tells who noted
// it since; and the file's time who asked for it.
func (p *pruner) remove(ctx context.Context, batch []*candidate) error {
	if len(batch) == 0 {
		return ctx.Err()
	}
	if p.opts.DryRun {
		return p.removeDry(ctx, batch)
	}
	if err := durable.MkdirAll(p.store.stagingDir(), 0o700); err != nil {
		return disk(p.store.stagingDir(), err)
	}
	return p.store.withReferences(ctx, func() error {
		refs, err := p.store.readReferences(ctx, p.refs)
		if err != nil {
			return err
		}
		p.rely(refs)
		return p.removeLocked(ctx, batch)
	})
}

func (p *pruner) removeLocked(ctx context.Context, batch []*candidate) (err error) {
	var mine []*candidate
	for _, c := range batch {
		if refs := p.held[c.Digest]; len(refs) > 0 {
			p.keep(c, Kept{References: refs})
			continue
		}
		lock, lockErr := tryAcquire(p.store.stagingBase(c.Digest) + lockSuffix)
		if len(mine) > 0 && errors.Is(lockErr, syscall.ENOSPC) {
			break // the others when these have made room
		}
		if lockErr != nil {
			return lockErr
		}
		if lock == nil {
			p.keep(c, Kept{InUse: true})
			continue
		}
		defer func() { err = errors.Join(err, lock.release()) }()
		mine = append(mine, c)
	}
	err = p.store.update(ctx, func(tx *bbolt.Tx) error {
		for _, c := range mine {
			if err := p.removeOne(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range mine {
		if p.tell(c); !c.decided && err == nil {
			p.keep(c, Kept{InUse: true})
		}
	}
	return err
}

// removeOne removes a blob's file and then its entry, unless it was used since. It
// may run again for a transaction that failed, on a blob that it has removed.
func (p *pruner) removeOne(tx *bbolt.Tx, c *candidate) error {
	became, err := p.store.removeFile(tx, c.Digest, func(r record, found bool, info fs.FileInfo) bool {
		return found && usedAt(r).After(c.Used()) || p.isBusy(c.Used()) || p.isBusy(info.ModTime()) || !info.Mode().IsRegular()
	})
	c.removed = c.removed || became == removed
	c.gone = became == absent && !c.removed
	return err
}

// removal is what became of a file that was to go.
type removal int

const (
	stays removal = iota
	removed
	absent // before it could be removed
)

// removeFile removes a blob's file and then its entry, unless it is needed. Whoever
// calls it keeps out who makes the blob. tx is nil where there is no index.
func (s *Store) removeFile(tx *bbolt.Tx, d artifact.Digest, needed func(r record, found bool, info fs.FileInfo) bool) (became removal, err error) {
	var r record
	var found bool
	if tx != nil {
		if r, found, err = getRecord(tx, d); err != nil {
			return stays, err
		}
	}
	path := s.path(d)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		became = absent
	case err != nil:
		return stays, disk(path, err)
	case needed(r, found, info):
		return stays, nil
	default:
		if err := os.Remove(path); err != nil {
			return stays, disk(path, err)
		}
		became = removed
	}
	// Crash here: an entry without a file. List passes it over, Get says that the
	// blob is missing, and the next Prune or Verify forgets it. The other order would
	// leave a file without an entry, which Get enters as if it had just come. The
	// removal is not synced: a file that is back after a crash goes again.
	if tx == nil {
		return became, nil
	}
	return became, tx.Bucket(bucketBlobs).Delete([]byte(d.String()))
}

func usedAt(r record) time.Time { return Entry{Added: r.Added, Noted: r.Noted}.Used() }

// removeDry decides as remove does, from what it sees now, and changes nothing.
func (p *pruner) removeDry(ctx context.Context, batch []*candidate) error {
	for _, c := range batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		staged, err := isLocked(p.store.stagingBase(c.Digest) + lockSuffix)
		if err != nil {
			return err
		}
		info, err := os.Lstat(c.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.gone = true
		case err != nil:
			return disk(c.Path, err)
		case staged, p.isBusy(c.Used()), p.isBusy(info.ModTime()):
			p.keep(c, Kept{InUse: true})
			continue
		default:
			c.removed = true
		}
		p.tell(c)
	}
	return nil
}

// isLocked reports whether another has the lock at path.
func isLocked(path string) (bool, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	lock, err := tryAcquire(path)
	if err != nil || lock == nil {
		return err == nil, err
	}
	return false, lock.release()
}
