package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/internal/durable"
)

// Put stages the bytes, hashes what is written and gives it its name, as every blob
// of the cache; see cache.Stage for what a crash leaves.
func (f *Folder) Put(ctx context.Context, data []byte) (artifact.Digest, error) {
	digest := artifact.DigestOf(artifact.SHA256, data)
	if err := ctx.Err(); err != nil {
		return artifact.Digest{}, err
	}
	held, err := f.holds(ctx, digest)
	if err == nil && !held {
		err = f.put(ctx, digest, data)
	}
	if err != nil {
		return artifact.Digest{}, failure(err)
	}
	return digest, nil
}

// holds reports whether the object is there, whole and durable. A damaged one is set
// aside: Put has the right bytes at hand.
func (f *Folder) holds(ctx context.Context, digest artifact.Digest) (bool, error) {
	blob, err := f.cache.Look(digest)
	if err == nil {
		err = blob.Check(ctx)
	}
	if errors.Is(err, cache.ErrMissing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// Whoever put it, here or in a process that died, may not have come to that yet.
	return true, durable.SyncDir(filepath.Dir(blob.Path()))
}

func (f *Folder) put(ctx context.Context, digest artifact.Digest, data []byte) error {
	stage, err := f.cache.Stage(ctx, artifact.Digests{digest}, int64(len(data)))
	if err != nil {
		return err
	}
	if _, held := stage.Held(ctx); held {
		return stage.Abort() // another goroutine had it committed meanwhile
	}
	if _, err := stage.Write(data); err != nil {
		return errors.Join(err, stage.Abort())
	}
	_, err = stage.Commit(ctx)
	return err
}

// Adopt looks whether the blob is an object of this folder, which it is if it is in
// Cache. Nothing is written, and nothing hashed again.
func (f *Folder) Adopt(ctx context.Context, blob cache.Blob) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	there, err := f.cache.Look(blob.Digest())
	if err != nil {
		return failure(err)
	}
	if there.Path() != blob.Path() {
		return fmt.Errorf("%w: %v: expected a blob of the cache of this storage, %s, found %s", ErrInvalid, blob.Digest(), there.Path(), blob.Path())
	}
	if there.Length() != blob.Length() {
		return fmt.Errorf("%w: %v: expected %d bytes, found %d", ErrMismatch, blob.Digest(), blob.Length(), there.Length())
	}
	return nil
}

// Open gives the file of an object, an *os.File.
func (f *Folder) Open(ctx context.Context, digest artifact.Digest) (Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	blob, err := f.cache.Look(digest)
	if err != nil {
		return nil, failure(err)
	}
	file, err := blob.File()
	if err != nil {
		return nil, failure(err)
	}
	return file, nil
}

// Stat tells the length of an object's file.
func (f *Folder) Stat(ctx context.Context, digest artifact.Digest) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	blob, err := f.cache.Look(digest)
	if err != nil {
		return 0, failure(err)
	}
	return blob.Length(), nil
}

// checkBuffer is the most that Check reads at once.
const checkBuffer = 256 << 10

// Check hashes an object's file; a damaged one is moved to objects/damaged.
func (f *Folder) Check(ctx context.Context, digest artifact.Digest, rate int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if rate < 0 {
		return fmt.Errorf("%w: expected a rate of 0 or more bytes a second, found %d", ErrInvalid, rate)
	}
	blob, err := f.cache.Look(digest)
	if err != nil {
		return failure(err)
	}
	if rate == 0 {
		return failure(blob.Check(ctx))
	}
	r, err := blob.Open()
	if err != nil {
		return failure(err)
	}
	defer r.Close()
	return failure(readPaced(ctx, r, blob.Length(), rate))
}

// readPaced reads to the end. It waits before it reads, for the bytes that it is about
// to read, so that many short objects keep to the rate, too.
func readPaced(ctx context.Context, r io.Reader, length, rate int64) error {
	buffer := make([]byte, min(checkBuffer, rate, length+1))
	start, planned := time.Now(), int64(0) // not by Options.Now, which jumps
	for {
		planned = min(planned+int64(len(buffer)), length)
		due := time.Duration(float64(planned) / float64(rate) * float64(time.Second))
		if err := pause(ctx, time.Until(start.Add(due))); err != nil {
			return err
		}
		_, err := io.ReadFull(r, buffer)
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Delete removes an object's file, and what the index of the cache has of it. The
// removal is not synced: an object that is back after a crash is deleted again by
// whoever finds it in the list.
func (f *Folder) Delete(ctx context.Context, digest artifact.Digest) error {
	_, err := f.cache.Remove(ctx, digest)
	return failure(err)
}

// Objects lists the files, in the order of their digests. Added is the file's time,
// which a fetch that finds it in the cache sets anew.
func (f *Folder) Objects(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for entry, err := range f.cache.Files(ctx) {
			if !yield(Info{Digest: entry.Digest, Length: entry.Length, Added: entry.Added}, failure(err)) {
				return
			}
		}
	}
}
