package boltfile

import (
	"errors"
	"fmt"
	"io/fs"
)

// The kinds of an Error.
var (
	// ErrAbsent: there is no file.
	ErrAbsent = errors.New("no database file")
	// ErrEmpty: the file is there and has no bytes. A crash between creating and
	// filling it leaves that, but also a loss of its content: which of them it
	// is, the caller has to know.
	ErrEmpty = errors.New("empty database file")
	// ErrBusy: others held the file until the deadline.
	ErrBusy = errors.New("database file is busy")
	// ErrDamaged: the file is not what bbolt wrote.
	ErrDamaged = errors.New("database file is damaged")
	// ErrDisk: the system refused a file operation, or it is no regular file.
	ErrDisk = errors.New("database file can't be read or written")
)

// Error says what is wrong with a file; callers put it into their own words.
// It is its Kind and its Cause for errors.Is.
type Error struct {
	Kind  error       // ErrAbsent, ErrEmpty, ErrBusy, ErrDamaged or ErrDisk
	Path  string      // as it was given
	Info  fs.FileInfo // what stood at Path when it was opened; nil where nothing did
	Cause error       // what was found; never nil
}

// Error names the kind, the file and the cause.
func (e *Error) Error() string { return fmt.Sprintf("%v: %s: %v", e.Kind, e.Path, e.Cause) }

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Cause} }
