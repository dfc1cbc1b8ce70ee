//go:build linux || darwin || freebsd

package storage

import (
	"errors"
	"math"
	"math/bits"

	"golang.org/x/sys/unix"
)

// freeBytes is the room on the device of a folder for whoever is not root, see
// statvfs(3).
func freeBytes(dir string) (int64, error) {
	for {
		var system unix.Statfs_t
		err := unix.Statfs(dir, &system)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, err
		}
		blocks := uint64(system.Bavail)
		if int64(blocks) < 0 { // FreeBSD's way to tell that the reserve is in use
			return 0, nil
		}
		high, bytes := bits.Mul64(blocks, uint64(system.Bsize))
		if high != 0 || bytes > math.MaxInt64 {
			return math.MaxInt64, nil
		}
		return int64(bytes), nil
	}
}
