package unpack

import (
	"bufio"
	"compress/bzip2"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// decoder opens the stream that is in the archive. It ends with io.EOF only if
// all of the archive was used up, and every checksum in it was right.
func (u *unpacker) decoder() (io.ReadCloser, error) {
	section := u.source.section(0, u.source.file.Size)
	buffered := bufio.NewReaderSize(section, bufferBytes)
	switch u.format.coding() {
	case Gzip:
		return gzip.NewReader(buffered)
	case Zstd:
		// Without goroutines of its own; the decoded size is for the budget.
		decoder, err := zstd.NewReader(section, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(uint64(max(u.limits.Window, zstd.MinWindowSize))), zstd.WithDecoderMaxMemory(1<<62))
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	case XZ:
		return io.NopCloser(newXZReader(buffered, u.limits.Window)), nil
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(buffered)), nil
	default:
		return io.NopCloser(buffered), nil
	}
}

// decoded counts what a decoder makes.
type decoded struct {
	stream io.Reader
	budget *budget
}

// Read is that of the stream, as far as the budget goes.
func (d decoded) Read(p []byte) (int, error) {
	n, err := d.stream.Read(p)
	if over := d.budget.decode(n); over != nil {
		return 0, over
	}
	return n, err
}
