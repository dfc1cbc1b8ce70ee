//go:build unix && !solaris && !aix

package unpack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lockStage takes the lock of a stage, which is on the folder itself and ends
// with the process. It is nil where the file system has no such locks, as some on a
// network; errInUse if another has it, and fs.ErrNotExist if the folder has gone.
func lockStage(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	return lockOpened(file, path)
}

// lockOpened locks the folder that was opened under path, or closes it.
func lockOpened(file *os.File, path string) (*os.File, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, errInUse)
	}
	if err != nil {
		file.Close()
		return nil, nil
	}
	// Who had the lock before may have removed the folder: then this is the lock
	// of nothing.
	held, _ := file.Stat()
	there, _ := os.Lstat(path)
	if !os.SameFile(held, there) { // nor is anything the same as what can't be told
		file.Close()
		return nil, &fs.PathError{Op: "lock", Path: path, Err: fs.ErrNotExist}
	}
	return file, nil
}
