package unpack

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// ending notes that a stream has ended, which a bufio.Reader tells apart from any
// bytes.
type ending struct {
	stream *bufio.Reader
	ended  bool
}

// Read is that of the stream.
func (e *ending) Read(p []byte) (int, error) {
	n, err := e.stream.Read(p)
	e.ended = err == io.EOF
	return n, err
}

// untar unpacks a tar.
func (u *unpacker) untar() error {
	decoder, err := u.decoder()
	if err != nil {
		return err
	}
	defer decoder.Close()
	buffered := bufio.NewReaderSize(decoded{decoder, &u.budget}, bufferBytes)
	head, err := buffered.Peek(sniffBytes)
	if err != nil && err != io.EOF {
		return err
	}
	if err := agree(Tar, head); err != nil {
		return err
	}
	stream := &ending{stream: buffered}
	reader := tar.NewReader(stream)
	for {
		if err := u.ctx.Err(); err != nil {
			return err
		}
		header, err := reader.Next()
		if err == io.EOF {
			return u.checkTarEnd(stream)
		}
		if err != nil {
			return err
		}
		if err := u.tarEntry(header, reader); err != nil {
			return err
		}
	}
}

// checkTarEnd checks how a tar ends: with two blocks of zeros, and as many more as
// its writer liked. Without them it may have been cut between two entries, and
// what stands behind them is read by some programs and not by others.
func (u *unpacker) checkTarEnd(stream *ending) error {
	if stream.ended {
		return fmt.Errorf("%w: expected two blocks of zeros where a tar ends, found the end before", ErrMalformed)
	}
	for {
		if err := u.ctx.Err(); err != nil {
			return err
		}
		n, err := stream.Read(u.buffer)
		if rest := bytes.Trim(u.buffer[:n], "\x00"); len(rest) > 0 {
			return fmt.Errorf("%w: expected nothing behind the end of a tar, found %.16x", ErrMalformed, rest)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tarEntry unpacks one entry of a tar.
func (u *unpacker) tarEntry(header *tar.Header, content io.Reader) error {
	it := item{
		path:       header.Name,
		modified:   header.ModTime,
		executable: header.Mode&0o111 != 0,
		special:    header.FileInfo().Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0,
	}
	switch header.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		if err := u.announced(it.path, uint64(header.Size)); err != nil {
			return err
		}
		return u.file(it, content)
	case tar.TypeDir:
		return u.folder(it)
	case tar.TypeSymlink:
		return u.symlink(it, header.Linkname)
	case tar.TypeLink:
		return u.hard(it, header.Linkname)
	case tar.TypeXGlobalHeader:
		return checkGlobal(header)
	}
	return refuse(ErrUnsafe, it.path, "expected a file, a folder or a link, found %s", tarType(header.Typeflag))
}

// checkGlobal refuses a header for all entries that says what they are called
// or how long they are: the standard library does not apply it, others do.
func checkGlobal(header *tar.Header) error {
	for key := range header.PAXRecords {
		if key == "path" || key == "linkpath" || key == "size" || strings.HasPrefix(key, "GNU.sparse.") {
			return fmt.Errorf("%w: expected names and sizes with each entry of a tar, found %s for all", ErrUnsafe, quote(key))
		}
	}
	return nil
}

func tarType(flag byte) string {
	switch flag {
	case tar.TypeChar, tar.TypeBlock:
		return "a device"
	case tar.TypeFifo:
		return "a fifo"
	}
	return fmt.Sprintf("type %q", flag)
}
