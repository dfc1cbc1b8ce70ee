//go:build unix && !solaris && !aix

package boltfile

import (
	"os"
	"syscall"
)

// unlock gives up the lock that flock(2) gave on file. Closing is not enough
// where a mapping of the file was abandoned after a fault, as the mapping
// keeps the lock.
func unlock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
}
