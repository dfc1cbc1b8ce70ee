package plaintar

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// bufferSize is for copying files.
const bufferSize = 256 << 10

// block is the unit of a tar, in bytes.
const block = 512

// Size is how many bytes an entry of a length takes in an archive, if its name needs
// no longer header; see tar for the rest.
func Size(length int64) int64 { return block + (length+block-1)/block*block }

// Writer writes an archive. It is not for several goroutines.
type Writer struct {
	tar    *tar.Writer
	buffer []byte
}

// NewWriter begins an archive.
func NewWriter(w io.Writer) *Writer {
	return &Writer{tar: tar.NewWriter(w), buffer: make([]byte, bufferSize)}
}

// header begins an entry. It tells nothing of this machine or the time.
func (w *Writer) header(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o444, ModTime: time.Unix(0, 0)})
}

// Text writes an entry of bytes that are in memory.
func (w *Writer) Text(name string, data []byte) error {
	err := w.header(name, int64(len(data)))
	if err == nil {
		_, err = w.tar.Write(data)
	}
	return err
}

// File copies an entry of size bytes. Errors are those of the reader, which may find
// out at its end that the bytes were not the right ones, of the writer, or of ctx;
// after one what was written is no archive.
func (w *Writer) File(ctx context.Context, name string, size int64, r io.Reader) error {
	if err := w.header(name, size); err != nil {
		return err
	}
	var done int64
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := r.Read(w.buffer)
		if done += int64(n); done > size {
			return fmt.Errorf("%s: expected %d bytes, found more", name, size)
		}
		if _, err := w.tar.Write(w.buffer[:n]); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF) && done == size:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%s: expected %d bytes, found %d", name, size, done)
		case err != nil:
			return err
		}
	}
}

// Close ends the archive.
func (w *Writer) Close() error { return w.tar.Close() }
