package boltfile

import (
	"context"
	"os"
	"runtime"
	"time"

	"go.etcd.io/bbolt"

	"assay/internal/durable"
)

// A file is worth compacting from leastCompacted bytes on, where no more than one
// part in wasteful is in use: as bbolt makes files in powers of two, at least half
// is freed then.
const (
	leastCompacted = 1 << 20
	wasteful       = 3
)

// copyBytes is how much Compact copies in one transaction.
const copyBytes = 4 << 20

// Compact puts a smaller copy in the place of a database most of whose pages are
// free, as bbolt itself never gives any back, and returns how many bytes the file
// lost: 0 where it is small, or well used. It waits for the lock as Begin does, and
// holds it while it copies; the error is an *Error, or that of ctx. On Windows it
// does nothing, as an open file can't be replaced there.
func Compact(ctx context.Context, path string, deadline time.Time) (freed int64, err error) {
	if runtime.GOOS == "windows" {
		return 0, nil
	}
	s, err := new(Memory).open(ctx, path, true, deadline)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	size, used, err := s.usage()
	if err != nil || size < leastCompacted || used > size/wasteful {
		return 0, err
	}
	return s.compact(ctx, size)
}

// usage gives the size of the file, and how much of it is in use, in bytes.
func (s *Session) usage() (size, used int64, err error) {
	info, err := s.file.Stat()
	if err != nil {
		return 0, 0, s.fail(ErrDisk, err)
	}
	c := &pageChecker{r: s.file, size: info.Size()}
	if err := c.check(); err != nil {
		return 0, 0, s.explainPages(err)
	}
	return info.Size(), int64(uint64(len(c.state))-c.free) * c.pageSize, nil
}

// compact copies the locked file and gives the copy its name, if it is smaller.
func (s *Session) compact(ctx context.Context, size int64) (freed int64, err error) {
	file, err := durable.Create(s.path, s.info.Mode().Perm())
	if err != nil {
		return 0, s.fail(ErrDisk, err)
	}
	defer file.Abort()
	var failed error
	err = s.Guard(func() error { failed = copyTo(file.TempName(), s.bolt); return nil })
	if err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, s.fail(ErrDisk, failed)
	}
	small, err := checkedSize(file.TempName())
	if err != nil {
		return 0, s.fail(ErrDisk, err)
	}
	if err := ctx.Err(); err != nil || small >= size {
		return 0, err
	}
	// Crash here: the file as it was, and a hidden temporary one that nothing reads.
	if err := file.Commit(); err != nil {
		return 0, s.fail(ErrDisk, err)
	}
	// Crash here: the copy, which was synced before it got the name. Who waits for
	// the lock of the old file finds that it has no name any more.
	return size - small, nil
}

// copyTo fills the empty file at path, without syncing it.
func copyTo(path string, from *bbolt.DB) error {
	to, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoGrowSync: true, NoStatistics: true})
	if err != nil {
		return err
	}
	err = bbolt.Compact(to, from, copyBytes)
	if closeErr := to.Close(); err == nil {
		err = closeErr
	}
	return err
}

// checkedSize is the size of a copy, once its pages were looked at.
func checkedSize(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), CheckPages(file, info.Size())
}
