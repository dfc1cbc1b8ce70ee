package state

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// The sentinels of this package; every error it makes wraps one of them, or is
// the caller's own or the context's.
var (
	// ErrBusy: other processes held the database for all of Options.LockWait.
	ErrBusy = errors.New("the state is busy")
	// ErrDamaged: the database is not what was written.
	ErrDamaged = errors.New("the stored state is damaged")
	// ErrEntry: one value does not fit its checksum, while the rest stands. It is
	// an ErrDamaged, too. Putting the entry anew, or deleting it, heals it.
	ErrEntry = errors.New("an entry does not fit its checksum")
	// ErrNewer: a later version of assay wrote the database.
	ErrNewer = errors.New("the stored state is of a newer format")
	// ErrConflict: something else is registered under the name.
	ErrConflict = errors.New("the name is taken")
	// ErrRemoved: the repository was removed, or replaced, in the meantime.
	ErrRemoved = errors.New("the repository was removed in the meantime")
	// ErrNoTrust: a repository is registered, but no root is stored with it.
	ErrNoTrust = errors.New("nothing is stored that trust could begin with")
	// ErrDisk: the database can't be read or written; it wraps the system's error.
	ErrDisk = errors.New("the state can't be read or written")
	// ErrInvalid: a name, key or value that the database does not take.
	ErrInvalid = errors.New("not storable")
	// ErrReadOnly: a write in a View.
	ErrReadOnly = errors.New("this transaction only reads")
)

// damaged says which file is damaged, how, and what a person can do.
func (p place) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w; %s", ErrDamaged, p.path, fmt.Errorf(format, args...), p.kind.remedy)
}

func disk(path string, err error) error {
	return fmt.Errorf("%w: %s: %w; check the free space and the permissions of its folder", ErrDisk, path, err)
}

// ConflictError says that Name is registered as Have and was to be registered
// as Want. It is an ErrConflict.
type ConflictError struct {
	Name       string
	Have, Want Repository
}

// Error names both sides.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%v: %q is registered with %s, and not with %s; use another name, or run `assay trust remove %s` first if the old one is no longer wanted",
		ErrConflict, clip(e.Name), describe(e.Have), describe(e.Want), clip(e.Name))
}

// Is makes the error an ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

func describe(r Repository) string {
	text := fmt.Sprintf("URL %q and root sha256 %q", clip(r.URL), clip(r.RootSHA256))
	if r.MetadataURL != "" {
		text += fmt.Sprintf(", metadata URL %q", clip(r.MetadataURL))
	}
	if r.TargetsURL != "" {
		text += fmt.Sprintf(", targets URL %q", clip(r.TargetsURL))
	}
	return text
}

// clip shortens text from outside, so that an error message stays one line.
func clip(s string) string { return shown.Clip(s, 200) }
