package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// become runs a program to its end: no process can take another's place here. An
// interrupt is sent to all processes of a terminal, so that the program has it as
// well, and this one waits for what it makes of it.
func (a *app) become(_ context.Context, path string, argv []string) error {
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	command := exec.Cmd{Path: path, Args: argv, Env: a.env, Stdin: a.stdin, Stdout: a.stdout, Stderr: a.stderr}
	err := command.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return &programEnded{0}
	case errors.As(err, &ended):
		return &programEnded{ended.ExitCode()}
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s: %w", errNoProgram, path, err)
	}
	return fmt.Errorf("%w: %s: %w", errNotExecutable, path, err)
}
