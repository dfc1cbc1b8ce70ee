package boltfile

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrPanic is wrapped by what Guard returns in place of a panic.
var ErrPanic = errors.New("the reader of the file panicked")

// Guard runs fn, which reads a file that is mapped into memory, and turns a
// panic into an error that wraps ErrPanic. A memory fault counts as a panic
// here: it is what a file that was cut short under the mapping gives, and it
// would otherwise end the process. Only the goroutine that calls Guard is
// covered. What fn used must be abandoned after a panic, as it may hold locks.
func Guard(fn func() error) (err error) {
	previous := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(previous)
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("%w: %.200v", ErrPanic, value)
		}
	}()
	return fn()
}
