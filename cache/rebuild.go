package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
	"assay/internal/durable"
)

// run runs a transaction, and makes, migrates or rebuilds the file where that is
// needed. A second damage in a row is a fault of the disk, and is reported. Without a
// file by Options.NoIndex it does nothing.
func (x *indexFile) run(ctx context.Context, writable bool, fn func(*bbolt.Tx) error) error {
	if x == nil {
		return ctx.Err()
	}
	checked := func(tx *bbolt.Tx) error {
		if err := x.checkFormat(tx); err != nil {
			return err
		}
		return fn(tx)
	}
	const attempts = 3
	for n := 1; ; n++ {
		err := x.transaction(ctx, writable, checked)
		if errors.Is(err, errOlder) && n < attempts {
			if err = x.transaction(ctx, true, x.migrate); err == nil {
				continue
			}
		}
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
		case errors.As(err, &damage), errors.Is(err, errNoIndex), errors.Is(err, errOlder):
			return fmt.Errorf("%w: %s: %w, again after it was rebuilt", ErrDisk, x.path, err)
		default:
			return err
		}
	}
}

// errOlder: the file has a format from which steps lead to that of this program.
var errOlder = errors.New("an older index")

// checkFormat compares the format with this program's.
func (x *indexFile) checkFormat(tx *bbolt.Tx) error {
	version, err := x.storedFormat(tx)
	if err != nil {
		return err
	}
	for at := version; at < x.format; at++ {
		if x.steps[at] == nil {
			return &corruptEntry{fmt.Sprintf("expected format %d, found %d, which this assay can't read", x.format, version)}
		}
	}
	if version < x.format {
		return errOlder
	}
	for _, name := range x.buckets {
		if tx.Bucket(name) == nil {
			return &corruptEntry{"a bucket is missing"}
		}
	}
	return nil
}

// storedFormat is the file's own, which is not a newer one.
func (x *indexFile) storedFormat(tx *bbolt.Tx) (version int, err error) {
	bucket := tx.Bucket(bucketFormat)
	if bucket == nil {
		return 0, &corruptEntry{"a bucket is missing"}
	}
	text := string(bucket.Get(keyVersion))
	version, err = strconv.Atoi(text)
	if err != nil || version < 1 {
		return 0, &corruptEntry{fmt.Sprintf("expected a format number, found %q", clip(text))}
	}
	if version > x.format {
		return 0, fmt.Errorf("%w: %s: expected format %d, found %d; use the version of assay that wrote it, or remove the file: it is rebuilt", ErrNewer, x.path, x.format, version)
	}
	return version, nil
}

// migrate takes the steps to this program's format. Where another process was
// faster there are none left.
//
// A crash leaves the format of before, or the new one.
func (x *indexFile) migrate(tx *bbolt.Tx) error {
	if err := x.checkFormat(tx); !errors.Is(err, errOlder) {
		return err
	}
	version, err := x.storedFormat(tx)
	if err != nil {
		return err
	}
	for ; version < x.format; version++ {
		if err := x.steps[version](tx); err != nil {
			return err
		}
	}
	return putFormat(tx, version)
}

func putFormat(tx *bbolt.Tx, version int) error {
	return tx.Bucket(bucketFormat).Put(keyVersion, strconv.AppendInt(nil, int64(version), 10))
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

// build makes the file anew. Where another process was faster, its index is the
// one.
func (x *indexFile) build(ctx context.Context) error {
	err := boltfile.Make(ctx, x.path, time.Now().Add(x.store.lockWait), func(draft *boltfile.Session) error {
		return draft.Guard(func() error {
			if _, err := draft.Tx().CreateBucket(bucketFormat); err != nil {
				return err
			}
			for _, name := range x.buckets {
				if _, err := draft.Tx().CreateBucket(name); err != nil {
					return err
				}
			}
			if err := x.fill(ctx, draft.Tx()); err != nil {
				return err
			}
			return putFormat(draft.Tx(), x.format)
		})
	})
	if err != nil && ctx.Err() == nil {
		return disk(x.path, err)
	}
	return err
}
