package cache

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"assay/artifact"
	"assay/internal/durable"
)

// bufferSize is for reading blobs to their end; hashing gains nothing from
// larger ones.
const bufferSize = 256 << 10

// Blob is a held blob. Only a Store makes one; the zero Blob is not held.
type Blob struct {
	store  *Store
	digest artifact.Digest
	length int64
	path   string
}

// Digest is what the blob is stored under.
func (b Blob) Digest() artifact.Digest { return b.digest }

// Length is the blob's length in bytes.
func (b Blob) Length() int64 { return b.length }

// Path is the blob's file. Who reads it without Open relies on the disk.
func (b Blob) Path() string { return b.path }

// Open returns a reader that hashes what it gives out. At the end, in place of
// io.EOF, it fails with a *CorruptError where the bytes were not those of the
// digest, and the blob has been set aside; so nothing that was read counts
// before io.EOF. Bytes beyond the blob's length are not given out. A file that
// is gone is ErrMissing. The reader is not for several goroutines.
func (b Blob) Open() (io.ReadCloser, error) { return b.open() }

func (b Blob) open() (*blobReader, error) {
	file, info, err := b.openFile()
	if err != nil {
		return nil, err
	}
	return &blobReader{blob: b, file: file, info: info, hash: b.digest.Algorithm().New()}, nil
}

// File opens the blob's file, to hand its bytes on: nothing is hashed, so who
// reads it relies on the disk. It is a regular file, by its own name; one that is
// gone is ErrMissing.
func (b Blob) File() (*os.File, error) {
	file, _, err := b.openFile()
	return file, err
}

func (b Blob) openFile() (*os.File, fs.FileInfo, error) {
	if b.store == nil {
		return nil, nil, fmt.Errorf("%w: an empty blob", ErrMissing)
	}
	// Nothing but a regular file is opened: a pipe would block.
	before, err := os.Lstat(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %v", ErrMissing, b.digest)
	}
	if err != nil {
		return nil, nil, disk(b.path, err)
	}
	if !before.Mode().IsRegular() {
		return nil, nil, b.store.corrupt(b.digest, b.path, before, fmt.Sprintf("expected a regular file, found %v", before.Mode().Type()))
	}
	file, err := os.OpenFile(b.path, os.O_RDONLY|durable.NotPolled, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %v", ErrMissing, b.digest)
	}
	if err != nil {
		return nil, nil, disk(b.path, err)
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(before, info) {
		err = errors.New("the file was replaced while it was opened")
	}
	if err != nil {
		return nil, nil, errors.Join(disk(b.path, err), file.Close())
	}
	return file, info, nil
}

// Clone makes a file the same as the blob where the file system can share their
// bytes, which are not read: who does so relies on the disk. Where it can't the
// error is errors.ErrUnsupported; a blob that is gone is ErrMissing.
func (b Blob) Clone(to Cloner) error {
	r, err := b.open()
	if err != nil {
		return err
	}
	defer r.Close()
	return to.Clone(r.file)
}

// Check reads the whole blob. It fails as the reader of Open does, or with the
// error of ctx.
func (b Blob) Check(ctx context.Context) error {
	return b.check(ctx, make([]byte, min(bufferSize, b.length+1)), func(int64) {}) // 1: to meet what is too long
}

// check is Check with a buffer, and tells progress how many bytes were read.
func (b Blob) check(ctx context.Context, buffer []byte, progress func(int64)) error {
	r, err := b.open()
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buffer)
		progress(int64(n))
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// blobReader reads a blob, hashing.
type blobReader struct {
	blob Blob
	file *os.File
	info fs.FileInfo
	hash hash.Hash
	done int64
	end  error // what every Read returns once the end was met
}

func (r *blobReader) Read(p []byte) (int, error) {
	if r.end != nil {
		return 0, r.end
	}
	n, err := r.file.Read(p)
	if int64(n) > r.blob.length-r.done {
		r.end = r.corrupt(fmt.Sprintf("expected %d bytes, found more", r.blob.length))
		return 0, r.end
	}
	r.hash.Write(p[:n])
	r.done += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		r.end = r.finish()
		return n, r.end
	case err != nil:
		r.end = disk(r.blob.path, err)
		return n, r.end
	}
	return n, nil
}

func (r *blobReader) finish() error {
	if r.done != r.blob.length {
		return r.corrupt(fmt.Sprintf("expected %d bytes, found %d", r.blob.length, r.done))
	}
	if got := artifact.SumOf(r.blob.digest.Algorithm(), r.hash); got != r.blob.digest {
		return r.corrupt(fmt.Sprintf("expected %v, found %v", r.blob.digest, got))
	}
	return io.EOF
}

func (r *blobReader) corrupt(reason string) error {
	return r.blob.store.corrupt(r.blob.digest, r.blob.path, r.info, reason)
}

func (r *blobReader) Close() error { return r.file.Close() }
