package main

import (
	"errors"
	"fmt"
)

// errNoRepository says that no repository has the name.
var errNoRepository = errors.New("no such repository")

// hinted is an error that brings its own next command, in place of its cause's.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }
func (h *hinted) Hint() string  { return h.hint }

// withHint gives err the hint.
func withHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hinted{err, hint}
}

// usageError is an error about the command line. It is errUsage, but its text
// does not say so: the message alone is clear.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }
func (e *usageError) Unwrap() error { return errUsage }

// usagef makes an error about the command line: exit 2.
func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// marked is err, filed under a kind that its text does not name.
type marked struct {
	err  error
	kind error
}

func (m *marked) Error() string   { return m.err.Error() }
func (m *marked) Unwrap() []error { return []error{m.kind, m.err} }

// mark files err under kind, so that kind decides the exit code.
func mark(kind, err error) error {
	if err == nil {
		return nil
	}
	return &marked{err, kind}
}

// reported marks an error that the user has read already; only the exit code
// is left to it.
type reported struct{ err error }

func (r *reported) Error() string { return r.err.Error() }
func (r *reported) Unwrap() error { return r.err }
