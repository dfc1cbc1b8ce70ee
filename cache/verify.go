package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// Report is what Verify found.
type Report struct {
	Checked int   // files that were looked at
	Bytes   int64 // bytes that were hashed
	Damaged []*CorruptError
	Missing []artifact.Digest // known to the index, and no longer there; forgotten now
}

// Verify reads every blob and sets aside what is not what its name says; that
// it found some is in the report, not an error. Blobs that the index does not
// know are entered, and entries without a blob removed. progress, which may be
// nil, is told the bytes done so far and the total as it was at the start. An
// error is an ErrDisk, one of the index, or that of ctx; the report tells how
// far it came.
func (s *Store) Verify(ctx context.Context, progress func(done, total int64)) (Report, error) {
	var report Report
	if progress == nil {
		progress = func(int64, int64) {}
	}
	known := map[artifact.Digest]int64{}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		clear(known)
		return forEach(tx, func(d artifact.Digest, r record) { known[d] = r.Length })
	})
	if err != nil {
		return report, err
	}
	var files []blobFile
	var total int64
	err = s.walk(ctx, func(f blobFile) error {
		files = append(files, f)
		total += f.info.Size()
		return nil
	})
	if err != nil {
		return report, err
	}
	buffer := make([]byte, bufferSize)
	for _, f := range files {
		length, found := known[f.digest]
		if !found {
			length = f.info.Size()
		}
		err := s.verifyFile(ctx, f, length, buffer, func(n int64) {
			report.Bytes += n
			progress(report.Bytes, total)
		})
		var damage *CorruptError
		switch {
		case errors.As(err, &damage):
			report.Damaged = append(report.Damaged, damage)
		case errors.Is(err, ErrMissing):
			continue // gone since the walk
		case err != nil:
			return report, err
		case !found:
			if err := s.enter(ctx, f.digest, length); err != nil {
				return report, err
			}
		}
		report.Checked++
		delete(known, f.digest)
	}
	report.Missing, err = s.forget(ctx, known)
	return report, err
}

func (s *Store) verifyFile(ctx context.Context, f blobFile, length int64, buffer []byte, progress func(int64)) error {
	if f.digest.IsZero() {
		return s.corrupt(f.digest, f.path, f.info, "expected a file named by its digest, found something else")
	}
	if f.info.Mode().IsRegular() && f.info.Size() != length {
		return s.corrupt(f.digest, f.path, f.info, fmt.Sprintf("expected %d bytes, found %d", length, f.info.Size()))
	}
	return Blob{store: s, digest: f.digest, length: length, path: f.path}.check(ctx, buffer, progress)
}

// forget removes the entries of blobs that are not there, in one transaction, and
// in another what is known of them, and returns those digests in their order.
func (s *Store) forget(ctx context.Context, candidates map[artifact.Digest]int64) ([]artifact.Digest, error) {
	if len(candidates) == 0 {
		return nil, nil
	}
	var gone []artifact.Digest
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		gone = nil
		err := forEach(tx, func(d artifact.Digest, _ record) {
			// A blob that was committed since the walk stays.
			if _, err := os.Lstat(s.path(d)); errors.Is(err, fs.ErrNotExist) {
				if _, candidate := candidates[d]; candidate {
					gone = append(gone, d)
				}
			}
		})
		for _, d := range gone {
			if err == nil {
				err = tx.Bucket(bucketBlobs).Delete([]byte(d.String()))
			}
		}
		return err
	})
	if err != nil {
		return gone, err
	}
	// Crash here: facts about what is not held stay. Find passes them over, and the
	// blob has them again when it is fetched again.
	return gone, s.undescribe(ctx, gone)
}
