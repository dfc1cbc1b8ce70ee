package storage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// InUseError says that another process has the folder. It is an ErrInUse.
type InUseError struct {
	Dir string
	PID int // the other process, as the lock's file says; 0: not known
}

// Error names the folder, the process, and what can be done.
func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%s: %v: expected to be the only mirror on this folder, found that %s has it; stop that one, or use another folder", e.Dir, ErrInUse, who)
}

// Is makes the error an ErrInUse.
func (e *InUseError) Is(target error) bool { return target == ErrInUse }

// maxPID is how much of the lock's file is read.
const maxPID = 20

// takeLock takes the folder's lock, or fails at once. The file stays when the lock
// ends, so that there is never a second one of the name.
//
// Crash here, and as long as it is held: the kernel ends the lock with the process.
// The file still has that process's number, which counts only while it is locked.
func takeLock(dir string, notice func(string)) (*flock.Flock, error) {
	path := filepath.Join(dir, "lock")
	// A link is not followed, nor a pipe opened: somebody has planted it.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, notRegular(path, info)
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, disk(err)
	}
	if !taken {
		return nil, &InUseError{Dir: dir, PID: readPID(path)}
	}
	mine, err := lock.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Lstat(path); err == nil && !os.SameFile(mine, there) {
			err = &os.PathError{Op: "lock", Path: path, Err: errors.New("the file was replaced while it was opened")}
		}
	}
	if err != nil {
		return nil, errors.Join(disk(err), lock.Close())
	}
	// It is for a message only, so a disk that is full is no reason to stop.
	if err := writePID(path, mine, strconv.Itoa(os.Getpid())+"\n"); err != nil {
		notice(fmt.Sprintf("the number of this process could not be noted: %v", err))
	}
	return lock, nil
}

// dropLock ends the lock; an empty file of it stays.
func dropLock(lock *flock.Flock) error {
	if mine, err := lock.Stat(); err == nil {
		_ = writePID(lock.Path(), mine, "") // as after a crash
	}
	return lock.Close()
}

// writePID writes the lock's file, which is the one that mine describes.
func writePID(path string, mine os.FileInfo, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !os.SameFile(mine, info) {
		return errors.Join(fmt.Errorf("%s: expected the file that is locked, found another", path), err)
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt([]byte(text), 0)
	return err
}

// readPID is the number in the lock's file; 0: there is none.
func readPID(path string) int {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxPID))
	pid, numberErr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || numberErr != nil || pid < 0 {
		return 0
	}
	return pid
}

func notRegular(path string, info os.FileInfo) error {
	return fmt.Errorf("%w: %s: expected a regular file, found %v", ErrDisk, path, info.Mode().Type())
}
