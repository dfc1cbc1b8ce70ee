package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"assay/artifact"
	"assay/internal/durable"
)

// Options are the outside of a Store; each has a default.
type Options struct {
	// LockWait is how long a call waits for the index, 5 s if zero.
	LockWait time.Duration
	// Now is the clock, time.Now if nil.
	Now func() time.Time
	// Notice is told, in a sentence, of what went wrong and was healed or can
	// wait; nobody if nil. It may be called by several goroutines.
	Notice func(string)
	// NoIndex keeps no notes of the blobs: neither names nor facts, nor when they were
	// used. It is for who keeps a list of what is needed elsewhere, as a mirror does, and
	// has many small blobs come at once. Note and Describe do nothing then, and List,
	// Find and Prune are ErrInvalid.
	NoIndex bool
}

// Store is a cache directory. It holds nothing open between calls and may be
// used by several goroutines and processes at once.
type Store struct {
	dir      string
	lockWait time.Duration
	now      func() time.Time
	notice   func(string)
	index    *indexFile // index.db; nil: there is none
	facts    *indexFile // facts.db; nil: there is none
	buffers  *bufferPool

	sweepOnce sync.Once
}

// Open prepares the use of dir as a cache. Nothing is created or read before
// the first call that needs it.
func Open(dir string, opts Options) (*Store, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: expected the path of the cache directory, found an empty one", ErrInvalid)
	}
	s := &Store{dir: dir, lockWait: opts.LockWait, now: opts.Now, notice: opts.Notice, buffers: newBufferPool()}
	if !opts.NoIndex {
		s.index, s.facts = s.newBlobIndex(), s.newFactsIndex()
	}
	if s.lockWait <= 0 {
		s.lockWait = 5 * time.Second
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.notice == nil {
		s.notice = func(string) {}
	}
	return s, nil
}

func (s *Store) blobsDir() string   { return filepath.Join(s.dir, "blobs") }
func (s *Store) stagingDir() string { return filepath.Join(s.dir, "staging") }
func (s *Store) damagedDir() string { return filepath.Join(s.dir, "damaged") }

// path is where the blob of digest d, which is not zero, is kept.
func (s *Store) path(d artifact.Digest) string {
	return filepath.Join(s.blobsDir(), string(d.Algorithm()), d.Hex()[:2], d.Hex())
}

// Get finds the blob of digest d. The error is ErrMissing where there is none,
// and a *CorruptError, which also is an ErrMissing, where something else stands
// in its place, or its length is not the one in the index; that is set aside.
// The content is not read: Blob.Open and Blob.Check do.
//
// A blob that the index does not know, as a crash came between, is entered. One
// that was asked for is not pruned within the next 10 minutes.
func (s *Store) Get(d artifact.Digest) (Blob, error) {
	return s.get(context.Background(), d)
}

// Holds reports whether there is a file where the blob of digest d is kept. Get says
// more of it.
func (s *Store) Holds(d artifact.Digest) bool {
	if d.IsZero() {
		return false
	}
	info, err := os.Lstat(s.path(d))
	return err == nil && info.Mode().IsRegular()
}

// Look is Get by the file alone, without the index: for who has many to look at, and
// whose blobs nobody prunes. What was cut short is found by reading it only.
func (s *Store) Look(d artifact.Digest) (Blob, error) {
	blob, _, err := s.look(d)
	return blob, err
}

func (s *Store) look(d artifact.Digest) (Blob, fs.FileInfo, error) {
	if d.IsZero() {
		return Blob{}, nil, fmt.Errorf("%w: expected a digest, found an empty one", ErrInvalid)
	}
	path := s.path(d)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Blob{}, nil, fmt.Errorf("%w: %v", ErrMissing, d)
	}
	if err != nil {
		return Blob{}, nil, disk(path, err)
	}
	if !info.Mode().IsRegular() {
		return Blob{}, nil, s.corrupt(d, path, info, fmt.Sprintf("expected a regular file, found %v", info.Mode().Type()))
	}
	return Blob{store: s, digest: d, length: info.Size(), path: path}, info, nil
}

func (s *Store) get(ctx context.Context, d artifact.Digest) (Blob, error) {
	blob, info, err := s.look(d)
	if err != nil {
		return Blob{}, err
	}
	known, found, err := s.lookup(ctx, d)
	if err != nil {
		return Blob{}, err
	}
	if found && known.Length != info.Size() {
		return Blob{}, s.corrupt(d, blob.path, info, fmt.Sprintf("expected %d bytes, found %d", known.Length, info.Size()))
	}
	if !found {
		// The content may still be wrong; its reader will tell.
		if err := s.enter(ctx, d, info.Size()); err != nil {
			s.notice(fmt.Sprintf("%v is held but could not be entered in the index: %v", d, err))
		}
	}
	s.touch(blob.path, info)
	return blob, nil
}

// touchAfter is how old the time of a blob's file gets before touch sets it anew.
const touchAfter = time.Minute

// touch leaves the time on a file that is asked for, without waiting for the index:
// a Prune beside it takes the blob for one in use. Where that fails the file can't
// be removed either.
func (s *Store) touch(path string, info fs.FileInfo) {
	if now := s.now(); now.Sub(info.ModTime()).Abs() >= touchAfter {
		_ = os.Chtimes(path, time.Time{}, now)
	}
}

// corrupt sets aside the file at path, if it still is the one that info
// describes, and returns the error that says so.
func (s *Store) corrupt(d artifact.Digest, path string, info fs.FileInfo, reason string) error {
	aside, err := s.setAside(path, info)
	if err != nil {
		reason += fmt.Sprintf("; setting it aside failed: %v", err)
	}
	return &CorruptError{Digest: d, Path: path, Aside: aside, Reason: reason}
}

// setAside moves a damaged file to a new name in damaged/, which it returns.
// The name is empty where another process was faster.
//
// A crash leaves the file at its old name or the new one; at the old one it is
// found again.
func (s *Store) setAside(path string, info fs.FileInfo) (string, error) {
	if err := durable.MkdirAll(s.damagedDir(), 0o700); err != nil {
		return "", disk(s.damagedDir(), err)
	}
	current, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(current, info) {
		return "", nil
	}
	if err != nil {
		return "", disk(path, err)
	}
	base := fmt.Sprintf("%s.%d", filepath.Base(path), s.now().UnixNano())
	for n := 0; ; n++ {
		aside := filepath.Join(s.damagedDir(), base)
		if n > 0 {
			aside = fmt.Sprintf("%s.%d", aside, n)
		}
		if _, err := os.Lstat(aside); err == nil {
			continue // the clock stood still
		}
		err := durable.Rename(path, aside)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		if err != nil {
			return "", disk(path, err)
		}
		return aside, nil
	}
}
