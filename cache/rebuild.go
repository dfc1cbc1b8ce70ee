package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"

	"assay/artifact"
	"assay/internal/boltfile"
	"assay/internal/durable"
)

// setIndexAside moves a damaged index out of the way, once: processes that
// found the same damage take turns, and the later ones see that it is done.
//
// A crash leaves the index damaged, or missing; both are healed by the next
// call that needs it.
func (s *Store) setIndexAside(ctx context.Context, damage *indexDamage) error {
	limited, cancel := context.WithTimeout(ctx, s.lockWait)
	defer cancel()
	lock, err := acquire(limited, filepath.Join(s.dir, "index.lock"))
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return s.busy()
	}
	if err != nil {
		return err
	}
	path := s.indexPath()
	info, err := os.Lstat(path)
	if err == nil && os.SameFile(info, damage.info) {
		aside := fmt.Sprintf("%s.damaged-%d", path, s.now().Unix())
		for n := 1; ; n++ {
			if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
				break
			}
			aside = fmt.Sprintf("%s.damaged-%d.%d", path, s.now().Unix(), n)
		}
		err = durable.Rename(path, aside)
		if err == nil {
			s.notice(fmt.Sprintf("%v; it was set aside as %s and is rebuilt from the blobs, without what they were fetched for", damage, aside))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(disk(path, err), lock.release())
}

// buildIndex makes an index of the blobs that are there. It gets its name when
// it is whole; a crash before leaves a hidden temporary file that nothing
// reads. Where another process was faster, its index is the one.
func (s *Store) buildIndex(ctx context.Context) error {
	if err := durable.MkdirAll(s.dir, 0o700); err != nil {
		return disk(s.dir, err)
	}
	file, err := durable.Create(s.indexPath(), 0o600)
	if err != nil {
		return disk(s.indexPath(), err)
	}
	defer file.Abort()
	if err := s.fillIndex(ctx, file.TempName()); err != nil {
		return err
	}
	if err := file.CommitNew(); err != nil && !errors.Is(err, fs.ErrExist) {
		return disk(s.indexPath(), err)
	}
	return nil
}

// fillIndex writes an index of the blobs to an empty file, without syncing it.
func (s *Store) fillIndex(ctx context.Context, path string) error {
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
			if _, err := tx.CreateBucket(bucketBlobs); err != nil {
				return err
			}
			return s.walk(ctx, func(f blobFile) error {
				if f.digest.IsZero() || !f.info.Mode().IsRegular() {
					return nil // for Verify to find
				}
				return putRecord(tx, f.digest, record{Length: f.info.Size(), Added: f.info.ModTime().UTC()})
			})
		})
		return errors.Join(err, db.Close())
	})
	if err != nil && ctx.Err() == nil {
		return disk(path, err)
	}
	return err
}

// anyBlobs reports whether there may be blobs.
func (s *Store) anyBlobs() bool {
	_, err := os.Lstat(s.blobsDir())
	return err == nil
}

// blobFile is what stands in a place for blobs. Its digest is zero where its
// path is not that of any.
type blobFile struct {
	path   string
	info   fs.FileInfo
	digest artifact.Digest
}

// walk visits everything below blobs/ that is not a folder of its layout, in
// the order of the names. What vanishes meanwhile is passed over.
func (s *Store) walk(ctx context.Context, visit func(blobFile) error) error {
	root := s.blobsDir()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return disk(path, err)
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return disk(path, err)
		}
		depth := len(strings.Split(relative, string(filepath.Separator)))
		if entry.IsDir() && (relative == "." || depth < 3) {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return disk(path, err)
		}
		f := blobFile{path: path, info: info}
		if d, err := artifact.NewDigest(artifact.Algorithm(strings.Split(relative, string(filepath.Separator))[0]), info.Name()); err == nil && s.path(d) == path {
			f.digest = d
		}
		if err := visit(f); err != nil {
			return err
		}
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return err
}
