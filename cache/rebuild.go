package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
	"assay/internal/durable"
)

// run runs a transaction, and makes or rebuilds the file where that is needed. A
// second damage in a row is a fault of the disk, and is reported.
func (x *indexFile) run(ctx context.Context, writable bool, fn func(*bbolt.Tx) error) error {
	checked := func(tx *bbolt.Tx) error {
		if err := x.checkVersion(tx); err != nil {
			return err
		}
		return fn(tx)
	}
	const attempts = 3
	for n := 1; ; n++ {
		err := x.transaction(ctx, writable, checked)
		var damage *indexDamage
		switch {
		case errors.Is(err, errNoIndex) && n < attempts:
			if !writable && !x.wanted() {
				return nil
			}
			if err := x.build(ctx); err != nil {
				return err
			}
		case errors.As(err, &damage) && n < attempts:
			if err := x.setAside(ctx, damage); err != nil {
				return err
			}
		case errors.As(err, &damage), errors.Is(err, errNoIndex):
			return fmt.Errorf("%w: %s: %w, again after it was rebuilt", ErrDisk, x.path, err)
		default:
			return err
		}
	}
}

func (x *indexFile) checkVersion(tx *bbolt.Tx) error {
	bucket := tx.Bucket(bucketFormat)
	for _, name := range x.buckets {
		if bucket == nil || tx.Bucket(name) == nil {
			return &corruptEntry{"a bucket is missing"}
		}
	}
	text := string(bucket.Get(keyVersion))
	version, err := strconv.Atoi(text)
	if err != nil || version < 1 {
		return &corruptEntry{fmt.Sprintf("expected a format number, found %q", clip(text))}
	}
	if version > indexFormat {
		return fmt.Errorf("%w: %s: expected format %d, found %d; use the version of assay that wrote it, or remove the file: it is rebuilt", ErrNewer, x.path, indexFormat, version)
	}
	return nil
}

// setAside moves a damaged file out of the way, once: processes that
// found the same damage take turns, and the later ones see that it is done.
//
// A crash leaves the index damaged, or missing; both are healed by the next
// call that needs it.
func (x *indexFile) setAside(ctx context.Context, damage *indexDamage) error {
	limited, cancel := context.WithTimeout(ctx, x.store.lockWait)
	defer cancel()
	lock, err := acquire(limited, filepath.Join(x.store.dir, "index.lock"))
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return x.busy()
	}
	if err != nil {
		return err
	}
	info, err := os.Lstat(x.path)
	if err == nil && os.SameFile(info, damage.info) {
		aside := fmt.Sprintf("%s.damaged-%d", x.path, x.store.now().Unix())
		for n := 1; ; n++ {
			if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
				break
			}
			aside = fmt.Sprintf("%s.damaged-%d.%d", x.path, x.store.now().Unix(), n)
		}
		err = durable.Rename(x.path, aside)
		if err == nil {
			x.store.notice(fmt.Sprintf("%v; it was set aside as %s and %s", damage, aside, x.lost))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(disk(x.path, err), lock.release())
}

// build makes the file anew. It gets its name when
// it is whole; a crash before leaves a hidden temporary file that nothing
// reads. Where another process was faster, its index is the one.
func (x *indexFile) build(ctx context.Context) error {
	if err := durable.MkdirAll(x.store.dir, 0o700); err != nil {
		return disk(x.store.dir, err)
	}
	file, err := durable.Create(x.path, 0o600)
	if err != nil {
		return disk(x.path, err)
	}
	defer file.Abort()
	if err := x.write(ctx, file.TempName()); err != nil {
		return err
	}
	if err := file.CommitNew(); err != nil && !errors.Is(err, fs.ErrExist) {
		return disk(x.path, err)
	}
	return nil
}

// write fills an empty file, without syncing it.
func (x *indexFile) write(ctx context.Context, path string) error {
	err := boltfile.Guard(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoGrowSync: true, NoStatistics: true})
		if err != nil {
			return err
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			format, err := tx.CreateBucket(bucketFormat)
			if err != nil {
				return err
			}
			if err := format.Put(keyVersion, strconv.AppendInt(nil, indexFormat, 10)); err != nil {
				return err
			}
			for _, name := range x.buckets {
				if _, err := tx.CreateBucket(name); err != nil {
					return err
				}
			}
			return x.fill(ctx, tx)
		})
		return errors.Join(err, db.Close())
	})
	if err != nil && ctx.Err() == nil {
		return disk(path, err)
	}
	return err
}
