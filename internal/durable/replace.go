package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrForeign: what stands at a path is not what may be replaced there. Its text is for
// errors.Is alone: who calls Replaceable says what was to be written.
var ErrForeign = errors.New("something else is in the place")

// foreign is an ErrForeign that says what was expected and found.
type foreign struct{ error }

func (foreign) Is(target error) bool { return target == ErrForeign }
func (f foreign) Unwrap() error      { return errors.Unwrap(f.error) }

// Replaceable wants nothing at a path, an empty file, or a regular file that ours knows
// by its content, and errors call what; else the error is an ErrForeign, or that of the system. It is a look
// before a write that somebody asked for by a wrong name, and no protection from who
// changes the file meanwhile.
func Replaceable(path, what string, ours func(io.Reader) error) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return foreign{fmt.Errorf("expected the name of a file, found %v: %s", info.Mode(), path)}
	case info.Size() == 0:
		return nil
	}
	file, err := os.OpenFile(path, os.O_RDONLY|NotPolled, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := ours(file); err != nil {
		return foreign{fmt.Errorf("expected nothing, or %s, in the place of %s: %w", what, path, err)}
	}
	return nil
}
