package audit

import (
	"errors"
	"fmt"
)

// The sentinels of this package; every error it makes wraps one of them, or is
// the context's, or that of the reader or writer that it was given.
var (
	// ErrBroken: the chain of entries does not hold; a *BreakError says where.
	ErrBroken = errors.New("the audit log was changed")
	// ErrBusy: other processes held the log for all of Options.LockWait.
	ErrBusy = errors.New("the audit log is busy")
	// ErrDamaged: the file is not a log as this package writes it.
	ErrDamaged = errors.New("the audit log is damaged")
	// ErrNewer: a later version of assay wrote the log.
	ErrNewer = errors.New("the audit log is of a newer format")
	// ErrDisk: the log can't be read or written; it wraps the system's error.
	ErrDisk = errors.New("the audit log can't be read or written")
	// ErrInvalid: an entry without an action, or a head that is none.
	ErrInvalid = errors.New("not possible in the audit log")
)

// BreakError says where the chain breaks first. It is an ErrBroken.
type BreakError struct {
	Seq    uint64 // of the first entry that is not as it should be
	Reason string // what was expected and found
}

// Error tells what was expected and found.
func (e *BreakError) Error() string {
	return fmt.Sprintf("%v: entry %d: %s; what comes before it holds: keep the file for whoever looks into this", ErrBroken, e.Seq, e.Reason)
}

// Is makes the error an ErrBroken.
func (e *BreakError) Is(target error) bool { return target == ErrBroken }

func damaged(path, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w; restore it from a backup, or move it aside: a new log begins then",
		ErrDamaged, path, fmt.Errorf(format, args...))
}

func disk(path string, err error) error {
	return fmt.Errorf("%w: %s: %w; check the free space and the permissions of its folder", ErrDisk, path, err)
}
