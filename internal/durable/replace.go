package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrForeign: what stands at a path is not what may be replaced there.
var ErrForeign = errors.New("something else is in the place")

// Replaceable wants nothing at a path, an empty file, or a regular file that ours knows
// by its content; else the error is an ErrForeign, or that of the system. It is a look
// before a write that somebody asked for by a wrong name, and no protection from who
// changes the file meanwhile.
func Replaceable(path string, ours func(io.Reader) error) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: expected the name of a file, found %v: %s", ErrForeign, info.Mode(), path)
	case info.Size() == 0:
		return nil
	}
	file, err := os.OpenFile(path, os.O_RDONLY|NotPolled, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := ours(file); err != nil {
		return fmt.Errorf("%w: expected nothing, or what may be replaced: %s: %w", ErrForeign, path, err)
	}
	return nil
}
