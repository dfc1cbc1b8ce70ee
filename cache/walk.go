package cache

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// fillIndex enters the blobs that are there in a new index.
func (s *Store) fillIndex(ctx context.Context, tx *bbolt.Tx) error {
	return s.walk(ctx, func(f blobFile) error {
		if f.digest.IsZero() || !f.info.Mode().IsRegular() {
			return nil // for Verify to find
		}
		return putRecord(tx, f.digest, record{Length: f.info.Size(), Added: f.info.ModTime().UTC()})
	})
}

// anyBlobs reports whether there may be blobs.
func (s *Store) anyBlobs() bool {
	_, err := os.Lstat(s.blobsDir())
	return err == nil
}

// Files lists the blobs that are there by their files, without the index, in the
// order of their digests: with Length, Path, and as Added the time of the file, which
// is when it came or was asked for. Those that come or go meanwhile may be in it or
// not. An error, an ErrDisk or that of ctx, is the last.
func (s *Store) Files(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := s.walk(ctx, func(f blobFile) error {
			if f.digest.IsZero() || !f.info.Mode().IsRegular() {
				return nil // for Verify to find
			}
			if !yield(Entry{Digest: f.digest, Length: f.info.Size(), Added: f.info.ModTime(), Path: f.path}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(Entry{}, err)
		}
	}
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
