package wire

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// openFile opens a regular file of this machine.
func openFile(r Request) (*Answer, error) {
	u := r.URL
	if u.Host != "" && u.Host != "localhost" {
		return nil, &SourceError{URL: Shown(u), Detail: fmt.Sprintf("expected file:///PATH, found the host %.80q", u.Host)}
	}
	path := filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, `\`)
	}
	file, length, err := OpenRegular(path)
	if errors.Is(err, ErrNotRegular) {
		return nil, &SourceError{URL: Shown(u), Detail: "expected a regular file", Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, &SourceError{URL: Shown(u), Detail: "cannot read", Err: err}
	}
	a := &Answer{Body: file, From: r.From, To: length, Total: length, URL: Shown(u)}
	if r.part() && r.From >= length {
		err = a.refuse(fmt.Sprintf("expected the bytes from %d, found a file of %d bytes", r.From, length), ErrRange)
	} else if _, seek := file.Seek(r.From, io.SeekStart); seek != nil {
		err = a.refuse("cannot read", seek)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	if r.To > 0 && r.To < length {
		a.To = r.To
		a.Body = fileBody{io.LimitReader(file, a.To-a.From), file}
	}
	return a, nil
}

// fileBody is a part of a file.
type fileBody struct {
	io.Reader
	io.Closer
}

// OpenRegular opens a file for reading and tells its length in bytes. It looks
// before it opens, as opening a pipe would wait for a writer, and again
// afterwards. What is no regular file is ErrNotRegular.
func OpenRegular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if err != nil {
		return nil, 0, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}
