//go:build unix

package cache

import (
	"io/fs"
	"syscall"
)

// blocks is how much room a file takes, in bytes.
func blocks(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks * 512
	}
	return 0
}
