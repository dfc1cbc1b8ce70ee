package unpack

import (
	"cmp"
	"context"
	"errors"
	"io"
)

// File is an archive that was proven: whoever made it sees to it that nobody
// changes it while it is read.
type File struct {
	io.ReaderAt
	Size int64 // in bytes
	// Name is the archive's file name, as hello.tar.gz. Errors tell it, and the
	// one file of a single-file format has it, without the suffix.
	Name string
}

// source reads the archive for everyone else: it counts, and it ends with the
// context.
type source struct {
	ctx    context.Context
	file   File
	read   int64 // bytes read so far, at most the size: reading twice earns nothing
	failed error // the first failure of the file itself
}

// ReadAt is that of the file.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.file.ReadAt(p, off)
	s.read = min(s.read+int64(n), s.file.Size)
	if !errors.Is(err, io.EOF) {
		s.failed = cmp.Or(s.failed, err)
	}
	return n, err
}

// section is the n bytes from off on.
func (s *source) section(off, n int64) *io.SectionReader { return io.NewSectionReader(s, off, n) }
