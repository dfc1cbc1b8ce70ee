package lockfile

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// The kinds of refusal. Every error of this package is one of them, but for those
// of the disk.
var (
	// ErrMalformed is for what is no lock file, or one that contradicts itself.
	ErrMalformed = errors.New("malformed lock file")
	// ErrNewer is for a lock file that a newer assay wrote.
	ErrNewer = errors.New("lock file of a newer assay")
	// ErrForeign is for a lock that was made from another repository of that name.
	ErrForeign = errors.New("lock file is for another repository")
)

// Error says where a lock file is wrong, and how.
type Error struct {
	File   string
	Line   int    // from 1; 0: the file as a whole
	Key    string // dotted; empty: none
	Kind   error  // one of the sentinels
	Detail string // expected and found; text of the file in it is quoted and clipped
	Err    error  // the cause; may be nil
}

// Error is one line: FILE:LINE: kind: KEY: what was expected and found.
func (e *Error) Error() string {
	text := e.File
	if e.Line > 0 {
		text += fmt.Sprintf(":%d", e.Line)
	}
	text += ": " + e.Kind.Error()
	if e.Key != "" {
		text += ": " + e.Key
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 80) }
