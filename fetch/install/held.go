package install

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"assay/artifact"
	"assay/cache"
)

// held is a blob that an archive is read from. It hashes what it gives out, and at
// the end whatever was passed over, from the same open file: between the proof and
// the unpacking a disk may have spoilt it, or somebody written to it. It is for one
// goroutine.
type held struct {
	blob cache.Blob
	file *os.File
	hash hash.Hash
	done int64 // bytes hashed, from the first on
}

// openHeld opens a blob; one that is gone is cache.ErrMissing.
func openHeld(blob cache.Blob) (*held, error) {
	info, err := os.Lstat(blob.Path())
	if err == nil && !info.Mode().IsRegular() { // a pipe would block
		return nil, fmt.Errorf("%w: %s: expected a regular file, found %v", cache.ErrDamaged, blob.Path(), info.Mode().Type())
	}
	file, err := os.Open(blob.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %v", cache.ErrMissing, blob.Digest())
	}
	if err != nil {
		return nil, disk(err)
	}
	return &held{blob: blob, file: file, hash: blob.Digest().Algorithm().New()}, nil
}

// ReadAt is that of the file. What is read in order, as from a tar archive, is hashed
// on the way and not read again.
func (h *held) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.file.ReadAt(p, off)
	if off <= h.done && h.done < off+int64(n) {
		h.hash.Write(p[h.done-off : n])
		h.done = off + int64(n)
	}
	return n, err
}

// finish hashes the rest. Bytes that are not those of the digest are
// cache.ErrDamaged, and the blob is set aside: nothing that was unpacked counts then.
func (h *held) finish(ctx context.Context) error {
	buffer := make([]byte, 256<<10)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, err := h.ReadAt(buffer, h.done)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return disk(err)
		}
	}
	found := artifact.SumOf(h.blob.Digest().Algorithm(), h.hash)
	if h.done == h.blob.Length() && found == h.blob.Digest() {
		return nil
	}
	if err := h.blob.Check(ctx); err != nil {
		return err // it tells where the damaged copy is now
	}
	return fmt.Errorf("%w: %s changed while it was read: expected %v of %d bytes, found %v of %d", cache.ErrDamaged, h.blob.Path(), h.blob.Digest(), h.blob.Length(), found, h.done)
}
