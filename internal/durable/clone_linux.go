package durable

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Clone makes to the same as from without a copy of the bytes: both share them
// until one is written to (FICLONE, ioctl_ficlone(2)). Where the file system does
// not know that, or they lie on two of them, the error is errors.ErrUnsupported.
func Clone(to, from *os.File) error {
	err := unix.IoctlFileClone(int(to.Fd()), int(from.Fd()))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EXDEV), errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL),
		errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		return fmt.Errorf("clone %s: %w: %w", from.Name(), errors.ErrUnsupported, err)
	}
	return &os.PathError{Op: "clone", Path: from.Name(), Err: err}
}
