package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
)

// become runs a program to its end: no process can take another's place here. An
// interrupt is sent to all processes of a terminal, so that the program has it as
// well, and this one waits for what it makes of it.
func (a *app) become(_ context.Context, path string, argv []string) error {
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	process, err := os.StartProcess(path, argv, &os.ProcAttr{Env: a.env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s: %w", errNoProgram, path, err)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", errNotExecutable, path, err)
	}
	state, err := process.Wait()
	if err != nil {
		return fmt.Errorf("%s: its end could not be waited for: %w", path, err)
	}
	return &programEnded{state.ExitCode()}
}
