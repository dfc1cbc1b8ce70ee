package config

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// ErrConfig is wrapped by every error of this package.
var ErrConfig = errors.New("configuration")

// The kinds of error that callers tell apart; each comes with ErrConfig.
var (
	// ErrProject: a project's file says what such a file must not say.
	ErrProject = errors.New("not for a project's file")
	// ErrLocked: a layer changes what the system configuration has locked.
	ErrLocked = errors.New("locked")
	// ErrUnknown: a key, a variable or a lock that does not exist.
	ErrUnknown = errors.New("unknown")
	// ErrValue: a value that its key can't have.
	ErrValue = errors.New("impossible value")
	// ErrNoHome: a directory is needed, and nothing says where it is.
	ErrNoHome = errors.New("no home directory")
)

// Error says where the configuration is wrong, and how. It is ErrConfig, and
// its Kind.
type Error struct {
	Origin Origin // where it says so; the zero Origin where Err tells
	Key    string // may be empty
	Kind   error  // may be nil
	Detail string // expected and found
	Err    error  // the cause; may be nil
}

func (e *Error) Error() string {
	text := ""
	if e.Origin.Kind != Default {
		text = e.Origin.String() + ": "
	}
	if e.Key != "" {
		text += clip(e.Key) + ": "
	}
	text += e.Detail
	if e.Err != nil {
		if e.Detail != "" {
			text += ": "
		}
		text += e.Err.Error()
	}
	return text
}

// Unwrap gives ErrConfig, the kind and the cause.
func (e *Error) Unwrap() []error {
	list := []error{ErrConfig}
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			list = append(list, err)
		}
	}
	return list
}

// suggest is the end of a message about a word that is not known.
func suggest(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// clip shortens text from outside, so that a message stays one line.
func clip(s string) string { return shown.Clip(s, 120) }
