//go:build !windows

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// become puts a program into this process's place. It returns only where that fails:
// with it go the number, the terminal and whoever waits for it, so that signals and
// the exit code need no passing on. What is open of ours is closed by the system, and
// signals that were ignored before this process are so again.
func (a *app) become(_ context.Context, path string, argv []string) error {
	signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	err := syscall.Exec(path, argv, a.env)
	cause := errNotExecutable
	if errors.Is(err, syscall.ENOENT) {
		cause = errNoProgram // or what its first line names, to run it
	}
	return fmt.Errorf("%w: %s: %w", cause, path, err)
}
