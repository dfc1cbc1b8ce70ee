//go:build !linux

package main

import (
	"errors"
	"fmt"
	"runtime"
)

// volumeOf is not known here.
func volumeOf(string) (volume, error) {
	return volume{}, fmt.Errorf("not looked at on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
