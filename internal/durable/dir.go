package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// NotPolled is a flag for os.OpenFile of what is a regular file or a folder. The
// runtime otherwise makes each file that it opens non-blocking, finds that the poller
// does not take it, and makes it blocking again: five calls to the system for nothing.
// A regular file does not mind; a pipe that was planted in its place does not block.
const NotPolled = syscall.O_NONBLOCK

// SyncDir makes the names inside folder dir durable. On Windows it does
// nothing, as folders can't be synced there, and a file system that does not
// know the operation counts as synced.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.OpenFile(dir, os.O_RDONLY|NotPolled, 0)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer folder.Close()
	err = folder.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// MkdirAll creates folder path and the parents it lacks, each with perm before
// umask, and syncs every folder in which it made something. Folders that are
// there keep their permissions; a file in the way is an error.
//
// A crash leaves some of the parents, empty: the next call goes on from there.
func MkdirAll(path string, perm fs.FileMode) error {
	info, err := os.Stat(path)
	if err == nil {
		if info.IsDir() {
			return nil
		}
		return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, perm); err != nil {
		// Another process may have made it since the look above.
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	}
	return SyncDir(parent)
}

// Rename moves a file and makes both the new name and the end of the old one
// durable. An existing file at to is replaced. The content must have been
// synced before.
//
// A crash leaves the file under exactly one of the names where both lie in one
// folder, and under at least one of them otherwise.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncBoth(from, to)
}

// RenameNew is Rename that refuses to replace: where to exists, even as a
// dangling symbolic link, the error wraps fs.ErrExist and from stays.
//
// A crash may leave the file under both names; where the file system has no
// hard links, it may leave an empty file under the new one.
func RenameNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		if err := os.Remove(from); err != nil {
			return err
		}
		return syncBoth(from, to)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// No hard links here (FAT, some network mounts, a container's policy): an
	// exclusively created empty file reserves the name instead.
	placeholder, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := placeholder.Close(); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return syncBoth(from, to)
}

func syncBoth(from, to string) error {
	target, source := filepath.Dir(to), filepath.Dir(from)
	if err := SyncDir(target); err != nil {
		return err
	}
	if source == target {
		return nil
	}
	return SyncDir(source)
}
