package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"assay/internal/durable"
)

// maxPoll is the longest pause between two tries for a lock.
const maxPoll = 50 * time.Millisecond

// lockFile is a held lock: the exclusive flock of a file that exists for the
// purpose and is removed with it. The kernel gives up the lock of a process
// that dies; the empty file stays then, and serves the next one.
type lockFile struct {
	path string
	lock *flock.Flock
}

// acquire waits for the lock at path until ctx ends.
func acquire(ctx context.Context, path string) (*lockFile, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, maxPoll) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		held, err := tryAcquire(path)
		if held != nil || err != nil {
			return held, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// tryAcquire takes the lock at path, or returns nil where another has it.
func tryAcquire(path string) (*lockFile, error) {
	for {
		lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|durable.NotPolled), flock.SetPermissions(0o600))
		taken, err := lock.TryLock()
		if err != nil {
			return nil, disk(path, err)
		}
		if !taken {
			return nil, nil
		}
		mine, err := lock.Stat()
		if err != nil {
			return nil, errors.Join(disk(path, err), lock.Close())
		}
		// The holder before removed the file while this process waited with it
		// open: then the lock is of a file without a name, which keeps nobody
		// out, and the one that has the name now is to be asked.
		there, err := os.Lstat(path)
		if err == nil && os.SameFile(mine, there) {
			return &lockFile{path, lock}, nil
		}
		if closeErr := lock.Close(); closeErr != nil {
			return nil, disk(path, closeErr)
		}
		if err == nil && !there.Mode().IsRegular() {
			return nil, disk(path, fmt.Errorf("expected a regular file, found %v", there.Mode().Type()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, disk(path, err)
		}
	}
}

// release removes the file, while it is held, and gives up the lock.
func (l *lockFile) release() error {
	err := os.Remove(l.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		// Windows does not remove an open file: it stays, empty, for the next.
		err = nil
	}
	return disk(l.path, errors.Join(err, l.lock.Close()))
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// The bounds of a sweep, which the first Stage of a Store does.
const (
	staleAge   = 24 * time.Hour     // of what nobody can take up again
	keptAge    = 7 * 24 * time.Hour // of partial files, that somebody may
	sweepLimit = 256
)

// sweep removes what dead processes left in staging/ and nobody came back for:
// partial files, records and locks that are older than keptAge or staleAge and not locked. It looks
// at sweepLimit names at most; what it can't remove waits for another time.
// Locks with nothing beside them go after lone.
func (s *Store) sweep(lone time.Duration) {
	folder, err := os.Open(s.stagingDir())
	if err != nil {
		return
	}
	defer folder.Close()
	entries, _ := folder.ReadDir(sweepLimit)
	now := s.now()
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), newSuffix)
		ext := filepath.Ext(name)
		info, err := entry.Info()
		if err != nil || ext != partSuffix && ext != lockSuffix && ext != resumeSuffix {
			continue
		}
		base := filepath.Join(s.stagingDir(), strings.TrimSuffix(name, ext))
		most := staleAge
		if _, err := os.Lstat(base + resumeSuffix); errors.Is(err, fs.ErrNotExist) && ext == lockSuffix {
			most = lone
		}
		if part, err := os.Lstat(base + partSuffix); err == nil {
			info, most = part, keptAge
		}
		if now.Sub(info.ModTime()) <= most {
			continue
		}
		held, err := tryAcquire(base + lockSuffix)
		if held == nil || err != nil {
			continue
		}
		left := Stage{path: base + partSuffix}
		if err := errors.Join(left.forget(), held.release()); err != nil {
			s.notice(fmt.Sprintf("an old partial file could not be removed: %v", err))
		}
	}
}
