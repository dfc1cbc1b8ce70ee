// Package storage keeps what a mirror serves: objects by their digest, and a few
// small documents that change, each in one step.
//
// Parties: the mirror, the only writer of its documents; readers, which serve what
// the documents lead to; and a back end, a folder of this machine today, which any
// other has to match in the suite of package storagetest.
//
// Objects never change, so that a reader needs no lock: what it opened stays what
// it was, and what it did not find was never there, or is not needed any more. All
// that changes is a document, by comparing it with what was read before. A
// repository is published so: its objects first, the document that leads to them
// last.
//
// Guarantees: an object that is found has been hashed on its way in. Put, Adopt and
// Replace are durable when they return nil. A crash leaves an object whole or not
// at all, and of a document the old or the new text.
//
// In the folder of the back end Folder, whose folders have mode 0700:
//
//	lock            its flock keeps out a second process; in it, the process's number
//	objects/        a cache, see package cache: the objects are its blobs
//	documents/NAME  the documents, with '+' for each '/' of a name
//
// What a crash leaves there, beside the state of before or after: what package cache
// says; a hidden temporary file among the documents, which the next Open removes; and
// the lock's file, whose lock has ended with the process.
//
// Not guaranteed: that an object is still what it was, as disks rot. Who must know
// hashes it, see Storage.Check.
package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"assay/artifact"
	"assay/cache"
)

// MaxDocument is the longest document, in bytes.
const MaxDocument = 1 << 20

// MaxName is the longest name of a document, in bytes.
const MaxName = 200

// The kinds of failure. An error of this package wraps one of them, or is the
// context's.
var (
	// ErrMissing: there is no such object, or it was damaged and set aside.
	ErrMissing = errors.New("not in the storage")
	// ErrChanged: a document is not what it was when it was read.
	ErrChanged = errors.New("the document was changed meanwhile")
	// ErrMismatch: bytes are not those of their digest.
	ErrMismatch = errors.New("length or digest differs")
	// ErrDisk: the storage can't be read or written; it wraps the system's error.
	ErrDisk = errors.New("the storage can't be read or written")
	// ErrInUse: another process has the storage (see InUseError), or something needs
	// the object that is to be deleted.
	ErrInUse = errors.New("in use")
	// ErrInvalid: a misuse, such as a name that no document can have.
	ErrInvalid = errors.New("not possible in the storage")
)

// Storage is a back end. It is safe for several goroutines.
type Storage interface {
	// Put keeps bytes that are in memory, metadata for one, and tells their digest, a
	// SHA-256. What is there already is not written again, unless it is damaged.
	Put(ctx context.Context, data []byte) (artifact.Digest, error)
	// Adopt keeps a blob that was fetched and proven into the cache that belongs to
	// the back end. Where the cache is the storage there is nothing to do.
	Adopt(ctx context.Context, blob cache.Blob) error
	// Open opens an object to serve it: ErrMissing where there is none. Its content is
	// not hashed on the way.
	Open(ctx context.Context, digest artifact.Digest) (Object, error)
	// Stat tells an object's length in bytes, or ErrMissing.
	Stat(ctx context.Context, digest artifact.Digest) (int64, error)
	// Check hashes an object, reading at most rate bytes a second (0: as fast as it
	// goes). One that is damaged is set aside, so that it is missing from then on, and
	// the error is both ErrMismatch and ErrMissing.
	Check(ctx context.Context, digest artifact.Digest, rate int64) error
	// Delete removes an object. None there is no error. Readers that have it open
	// read on. One that is just being fetched, or that a reference of the cache holds,
	// is ErrInUse and stays.
	Delete(ctx context.Context, digest artifact.Digest) error
	// Objects lists all objects, in no order. Those that come or go meanwhile may be
	// in it or not. An error is the last.
	Objects(ctx context.Context) iter.Seq2[Info, error]
	// Document reads a document and its version; nil and the zero Version where there
	// is none. A name is one or more segments of lower-case letters, digits, '.', '_'
	// and '-', joined by '/', none beginning with a dot, of at most MaxName bytes;
	// another one is ErrInvalid.
	Document(ctx context.Context, name string) ([]byte, Version, error)
	// Replace writes a document whose version still is old (zero: there is none yet),
	// else it is ErrChanged. No data (nil) removes it, and the Version is zero; more than
	// MaxDocument is ErrInvalid.
	Replace(ctx context.Context, name string, old Version, data []byte) (Version, error)
	// Documents lists the names that begin with a prefix, sorted.
	Documents(ctx context.Context, prefix string) ([]string, error)
	// Free tells how many bytes may still be written before the device is full; -1: not known.
	Free(ctx context.Context) (int64, error)
}

// Object is an opened object. Of the folder it is a file (*os.File), so that the
// system can send it by itself.
type Object interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// Info is an object in a list.
type Info struct {
	Digest artifact.Digest
	Length int64     // in bytes
	Added  time.Time // when it came, as far as it is known
}

// Version tells two texts of a document apart. It says nothing of their order.
type Version string
