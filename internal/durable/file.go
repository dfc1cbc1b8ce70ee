package durable

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file in the making: it has a hidden temporary name beside its
// final one until Commit or CommitNew. Exactly one of Commit, CommitNew and
// Abort decides; Abort afterwards does nothing, so it may be deferred. A File
// is not for several goroutines.
type File struct {
	file  *os.File
	final string
	done  bool
}

// WriteFile puts data under path with perm before umask, replacing what is
// there. A symbolic link at path is replaced, not followed.
//
// A crash leaves the old content or the new, and perhaps a hidden temporary
// file beside it that nothing reads.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	file, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer file.Abort()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Commit()
}

// Create begins a file that will be named path, with perm before umask. The
// temporary file lies in the same folder under a random hidden name and is
// created exclusively, so a planted link is not followed.
func Create(path string, perm fs.FileMode) (*File, error) {
	// The name is clipped so that the temporary one stays within 255 bytes.
	dir, base := filepath.Split(path)
	if base == "" {
		return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrInvalid}
	}
	base = base[:min(len(base), 200)]
	const attempts = 100
	for range attempts {
		var random [8]byte
		if _, err := rand.Read(random[:]); err != nil {
			return nil, fmt.Errorf("create %s: %w", path, err)
		}
		name := filepath.Join(dir, "."+base+"."+hex.EncodeToString(random[:])+".tmp")
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if err == nil {
			return &File{file: file, final: path}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
}

// Write appends p to the temporary file.
func (f *File) Write(p []byte) (int, error) { return f.file.Write(p) }

// WriteAt writes p to the temporary file at an offset.
func (f *File) WriteAt(p []byte, offset int64) (int, error) { return f.file.WriteAt(p, offset) }

// Clone makes the temporary file the same as another, without a copy of its bytes;
// see the function of that name.
func (f *File) Clone(from *os.File) error { return Clone(f.file, from) }

// Name is the final path, where nothing of this File stands before Commit.
func (f *File) Name() string { return f.final }

// TempName is the path of the temporary file.
func (f *File) TempName() string { return f.file.Name() }

// Commit makes the content durable under the final name and replaces what was
// there. After an error the temporary file is gone; the final name is then
// untouched, unless only the last step, the folder's sync, failed.
//
// A crash before the rename leaves the hidden temporary file; after it, the
// whole new content.
func (f *File) Commit() error { return f.commit(Rename) }

// CommitNew is Commit that refuses to replace: where the final name exists the
// error wraps fs.ErrExist and nothing changes.
func (f *File) CommitNew() error { return f.commit(RenameNew) }

func (f *File) commit(rename func(from, to string) error) error {
	if f.done {
		return &fs.PathError{Op: "commit", Path: f.final, Err: fs.ErrClosed}
	}
	if err := f.file.Sync(); err != nil {
		return errors.Join(err, f.Abort())
	}
	if err := f.file.Close(); err != nil {
		return errors.Join(err, f.Abort())
	}
	if err := rename(f.file.Name(), f.final); err != nil {
		return errors.Join(err, f.Abort())
	}
	f.done = true
	return nil
}

// Abort removes the temporary file. It does nothing after a commit or a first
// Abort.
func (f *File) Abort() error {
	if f.done {
		return nil
	}
	f.done = true
	// A close that fails, or that was done before, loses nothing that is kept.
	f.file.Close()
	if err := os.Remove(f.file.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
