package plaintar

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"

	"assay/internal/shown"
)

// ErrForm: an archive is not what was expected, or is not whole.
var ErrForm = errors.New("not the expected archive, or a damaged one")

// Reader reads an archive, one expected entry behind the other. It is not for
// several goroutines.
type Reader struct {
	ctx    context.Context
	source source
	tar    *tar.Reader
	name   string // of the entry that is being read
}

// NewReader begins to read. Errors of r and of ctx are handed on; all others are
// ErrForm.
func NewReader(ctx context.Context, r io.Reader) *Reader {
	in := &Reader{ctx: ctx, source: source{r: r}}
	in.tar = tar.NewReader(&in.source)
	return in
}

// source remembers the error of what is read from, so that it is not taken for one
// of the archive.
type source struct {
	r      io.Reader
	failed error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}

// explain says what an error in reading an entry was.
func (in *Reader) explain(name string, err error) error {
	switch {
	case in.source.failed != nil:
		return fmt.Errorf("%s: %w", name, in.source.failed)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: expected %s, found the end of the file", ErrForm, name)
	}
	return fmt.Errorf("%w: %s: %w", ErrForm, name, err)
}

// Next goes to the next entry, which must be the regular file of that name, and
// tells its length in bytes.
func (in *Reader) Next(name string) (size int64, err error) {
	if err := context.Cause(in.ctx); err != nil {
		return 0, err
	}
	h, err := in.tar.Next()
	if err != nil {
		return 0, in.explain(name, err)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg || h.Linkname != "" {
		return 0, fmt.Errorf("%w: expected the file %s, found %s of type %q", ErrForm, name, shown.Quote(h.Name, 120), h.Typeflag)
	}
	// A sparse file has more bytes than the archive; other records mean nothing here.
	for key := range h.PAXRecords {
		if key != "path" && key != "size" {
			return 0, fmt.Errorf("%w: %s: expected a plain entry, found a record %s", ErrForm, name, shown.Quote(key, 60))
		}
	}
	if h.Format != tar.FormatUSTAR && h.Format != tar.FormatPAX {
		return 0, fmt.Errorf("%w: %s: expected an entry in the form USTAR or PAX, found %v", ErrForm, name, h.Format)
	}
	in.name = name
	return h.Size, nil
}

// Read reads the entry that Next went to.
func (in *Reader) Read(p []byte) (int, error) {
	if err := context.Cause(in.ctx); err != nil {
		return 0, err
	}
	n, err := in.tar.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = in.explain(in.name, err)
	}
	return n, err
}

// Text reads an entry as a whole, of at most limit bytes.
func (in *Reader) Text(name string, limit int64) ([]byte, error) {
	size, err := in.Next(name)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%w: %s: expected at most %d bytes, found %d", ErrForm, name, limit, size)
	}
	return io.ReadAll(in)
}

// End wants nothing to follow, neither an entry nor bytes behind the archive.
func (in *Reader) End() error {
	h, err := in.tar.Next()
	if err == nil {
		return fmt.Errorf("%w: expected its end, found %s", ErrForm, shown.Quote(h.Name, 120))
	}
	if !errors.Is(err, io.EOF) {
		return in.explain("its end", err)
	}
	n, err := io.ReadFull(&in.source, make([]byte, 1))
	switch {
	case in.source.failed != nil:
		return in.source.failed
	case n != 0:
		return fmt.Errorf("%w: expected the end of the file behind its last entry, found more", ErrForm)
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}
