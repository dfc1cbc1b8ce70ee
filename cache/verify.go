package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

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

// Verify reads every blob, several at a time, and sets aside what is not what its
// name says; that it found some is in the report, not an error. Blobs that the
// index does not know are entered, and entries without a blob removed. progress,
// which may be nil, is told the bytes done so far, each time more, and the total as
// it was at the start; never twice at once. An error is an ErrDisk, one of the
// index, or that of ctx; the report tells how far it came.
func (s *Store) Verify(ctx context.Context, progress func(done, total int64)) (Report, error) {
	var report Report
	known := map[artifact.Digest]int64{}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		clear(known)
		return forEach(tx, func(d artifact.Digest, r record) { known[d] = r.Length })
	})
	if err != nil {
		return report, err
	}
	v := &verifier{store: s, known: known, progress: progress}
	err = s.walk(ctx, func(f blobFile) error {
		v.files = append(v.files, f)
		v.total += f.info.Size()
		return nil
	})
	if err != nil {
		return report, err
	}
	found := v.all(ctx)
	report.Bytes = v.done
	// In the order of the files, whichever came first.
	for i, err := range found {
		f := v.files[i]
		var damage *CorruptError
		_, entered := known[f.digest]
		switch {
		case errors.As(err, &damage):
			report.Damaged = append(report.Damaged, damage)
		case errors.Is(err, ErrMissing):
			continue // gone since the walk
		case err != nil:
			return report, v.failed
		case !entered:
			if err := s.enter(ctx, f.digest, f.info.Size()); err != nil {
				return report, err
			}
		}
		report.Checked++
		delete(known, f.digest)
	}
	report.Missing, err = s.forget(ctx, known)
	return report, err
}

// verifier is the part of Verify that reads.
type verifier struct {
	store    *Store
	known    map[artifact.Digest]int64
	files    []blobFile
	total    int64
	progress func(done, total int64)

	mu     sync.Mutex
	done   int64 // of total; told under mu, so that it only grows
	failed error // the first error that is no damage
}

// all looks at the files with as many goroutines as there are processors, each of
// which has a buffer, and returns what was found of each. An error that is no damage
// ends it: the rest are errors then, too.
func (v *verifier) all(ctx context.Context) []error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	found := make([]error, len(v.files))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(v.files)) {
		workers.Go(func() {
			buffer := make([]byte, bufferSize)
			for i := int(next.Add(1)) - 1; i < len(found); i = int(next.Add(1)) - 1 {
				f := v.files[i]
				found[i] = ctx.Err()
				if found[i] == nil {
					found[i] = v.store.verifyFile(ctx, f, v.length(f), buffer, v.advance)
				}
				if found[i] != nil && !errors.Is(found[i], ErrMissing) {
					v.fail(found[i])
					stop()
				}
			}
		})
	}
	workers.Wait()
	return found
}

// fail keeps the first error, the one that ends the others.
func (v *verifier) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failed == nil {
		v.failed = err
	}
}

// length is what the index says, or else the file's own.
func (v *verifier) length(f blobFile) int64 {
	if length, found := v.known[f.digest]; found {
		return length
	}
	return f.info.Size()
}

func (v *verifier) advance(n int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.done += n
	if v.progress != nil {
		v.progress(v.done, v.total)
	}
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
