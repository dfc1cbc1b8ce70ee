//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// hasModes says whether permissions are in the mode of a file here.
const hasModes = true

// ownerOf is the user that a file belongs to, and whether that is known.
func ownerOf(info fs.FileInfo) (uid int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// mayWrite asks the system whether this user may write into a folder, without
// writing.
func mayWrite(dir string) error {
	const write, search = 2, 1
	if err := syscall.Access(dir, write|search); err != nil {
		return &os.PathError{Op: "write into", Path: dir, Err: err}
	}
	return nil
}
