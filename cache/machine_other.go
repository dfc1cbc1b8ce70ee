//go:build !linux

package cache

import "os"

// bootID is not known: what an earlier run left is hashed again.
func bootID() string { return "" }

// preallocate does nothing: a disk that is too small is found out by writing.
func preallocate(*os.File, int64) error { return nil }
