//go:build unix

package unpack

import "syscall"

// The modes that tests expect are behind this mask.
func init() { syscall.Umask(0o022) }
