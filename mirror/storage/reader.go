package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"assay/artifact"
	"assay/cache"
)

// Reader reads a folder beside the mirror that is at work on it: it takes no lock,
// and makes and changes nothing, but that an object which proves to be damaged is set
// aside. It is safe for several goroutines.
//
// What it needs no lock for: an object never changes, and a document is read as one
// of its texts. An object that a document led to a while ago may be gone, though: who
// finds one missing reads the document again.
type Reader struct{ f *Folder }

// OpenReader opens a folder for reading. One that does not exist has nothing in it.
func OpenReader(dir string) (*Reader, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: expected the path of the storage's folder, found an empty one", ErrInvalid)
	}
	store, err := cache.Open(filepath.Join(dir, "objects"), cache.Options{NoIndex: true})
	if err != nil {
		return nil, failure(err)
	}
	return &Reader{&Folder{dir: dir, documents: filepath.Join(dir, "documents"), cache: store, notice: func(string) {}}}, nil
}

// Document reads a document, as Folder.Document.
func (r *Reader) Document(ctx context.Context, name string) ([]byte, Version, error) {
	return r.f.Document(ctx, name)
}

// Documents lists names, as Folder.Documents.
func (r *Reader) Documents(ctx context.Context, prefix string) ([]string, error) {
	if _, err := os.Stat(r.f.documents); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return r.f.Documents(ctx, prefix)
}

// Open opens an object, as Folder.Open: nothing is hashed.
func (r *Reader) Open(ctx context.Context, digest artifact.Digest) (Object, error) {
	return r.f.Open(ctx, digest)
}

// Stat tells an object's length in bytes, as Folder.Stat.
func (r *Reader) Stat(ctx context.Context, digest artifact.Digest) (int64, error) {
	return r.f.Stat(ctx, digest)
}

// Read opens an object and hashes what is read: bytes that are not those of the
// digest are an ErrMismatch in place of the end, and the object is set aside.
func (r *Reader) Read(ctx context.Context, digest artifact.Digest) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	blob, err := r.f.cache.Look(digest)
	if err != nil {
		return nil, failure(err)
	}
	file, err := blob.Open()
	if err != nil {
		return nil, failure(err)
	}
	return hashedObject{file}, nil
}

// hashedObject has the errors of its cache in this package's words.
type hashedObject struct{ io.ReadCloser }

func (o hashedObject) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = failure(err)
	}
	return n, err
}

// Free tells how many bytes may still be written to the device of an existing folder;
// -1: not known.
func Free(dir string) (int64, error) {
	free, err := freeBytes(dir)
	if err != nil {
		return 0, disk(&os.PathError{Op: "statfs", Path: dir, Err: err})
	}
	return free, nil
}
