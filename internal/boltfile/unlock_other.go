//go:build !unix || solaris || aix

package boltfile

import "os"

// unlock does nothing here: the lock goes with the closing of the file.
func unlock(*os.File) error { return nil }
