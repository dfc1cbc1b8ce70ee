package cache

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// bootID is a text that is another after each boot of the machine.
var bootID = sync.OnceValue(func() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(text) > 100 {
		return ""
	}
	return strings.TrimSpace(string(text))
})

// tmpfsMagic is how statfs(2) tells a file system in memory.
const tmpfsMagic = 0x01021994

// preallocate takes room for so many bytes of a file, where its file system can; in
// memory, where taking it costs more than it saves, it looks whether there is any.
func preallocate(file *os.File, length int64) error {
	var system unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &system); err == nil && int64(system.Type) == tmpfsMagic {
		return roomInMemory(file, system, length)
	}
	for {
		err := unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, length)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT), errors.Is(err, unix.EFBIG):
			return err
		}
		return nil // done, or not to be had here: then the writing tells
	}
}

func roomInMemory(file *os.File, system unix.Statfs_t, length int64) error {
	var there unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &there); err != nil || system.Blocks == 0 { // 0: no limit is set
		return err
	}
	const block = 512 // of stat(2)
	need, free := length-there.Blocks*block, int64(system.Bavail)*int64(system.Bsize)
	if free < need {
		return &os.PathError{Op: "preallocate", Path: file.Name(), Err: fmt.Errorf("%w: expected room for %d bytes, found %d", unix.ENOSPC, need, free)}
	}
	return nil
}
