//go:build !linux

package durable

import (
	"errors"
	"fmt"
	"os"
)

// Clone would make to the same as from without a copy of the bytes. It is
// errors.ErrUnsupported here.
func Clone(_, from *os.File) error {
	return fmt.Errorf("clone %s: %w", from.Name(), errors.ErrUnsupported)
}
