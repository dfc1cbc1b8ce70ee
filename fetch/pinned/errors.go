package pinned

import (
	"errors"
)

var (
	// ErrURL: what was named is no source that can be got.
	ErrURL = errors.New("not a source that can be got")
	// ErrNoDigest: nothing says which bytes are meant.
	ErrNoDigest = errors.New("no digest says which bytes are meant")
	// ErrGit: git can't be run on this machine.
	ErrGit = errors.New("git can't be run")
	// ErrCredentials: the credentials for a bucket are there, and can't be used.
	ErrCredentials = errors.New("credentials can't be used")
)
