//go:build !unix || solaris || aix

package boltfile

import "os"

// Unlock does nothing here: the lock goes with the closing of the file.
func Unlock(*os.File) error { return nil }
