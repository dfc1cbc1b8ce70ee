package lockfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"assay/internal/durable"
)

// Read reads a lock file. Without one the error is fs.ErrNotExist; what is no regular
// file is ErrMalformed, as is what Decode refuses so.
func Read(path string) (File, error) {
	// Before it is opened: to open a pipe would wait for its other end.
	if err := checkRegular(path); err != nil {
		return File{}, err
	}
	opened, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer opened.Close()
	// One byte more than it may have, for decode to refuse.
	data, err := io.ReadAll(io.LimitReader(opened, MaxSize+1))
	if err != nil {
		return File{}, err
	}
	return decode(path, data)
}

// Write writes a lock file in place of the one that is there, with mode 0644 before
// umask. What Encode refuses, or a path at which something else than a regular file
// is, changes nothing and is ErrMalformed.
//
// Crash here: the old file is there, whole, or the new one, and perhaps a hidden
// temporary file beside it that nothing reads.
func Write(path string, f File) error {
	data, err := Encode(f)
	if err != nil {
		return err
	}
	// A link would be replaced, and what it leads to stay behind.
	if err := checkRegular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return durable.WriteFile(path, data, 0o644)
}

// checkRegular refuses what is no regular file. A link is none: a clone could bring
// one that leads out of it.
func checkRegular(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if kind := info.Mode().Type(); kind != 0 {
		return &Error{File: path, Kind: ErrMalformed, Detail: fmt.Sprintf("expected a regular file, found %s", kindOf(kind))}
	}
	return nil
}

func kindOf(kind fs.FileMode) string {
	switch {
	case kind&fs.ModeDir != 0:
		return "a folder"
	case kind&fs.ModeSymlink != 0:
		return "a symbolic link"
	}
	return "something else"
}
