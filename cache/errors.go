package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"assay/artifact"
	"assay/internal/shown"
)

// The sentinels of this package. An error that it makes wraps one of them, the
// context's error, or artifact.ErrDigest for digests that are none.
var (
	// ErrMissing: the blob is not held, or no longer whole. Fetch it.
	ErrMissing = errors.New("not in the cache")
	// ErrMismatch: what was staged is not what was wanted.
	ErrMismatch = errors.New("length or digest differs")
	// ErrDamaged: what is on disk is not what its name says.
	ErrDamaged = errors.New("damaged in the cache")
	// ErrDisk: a file operation of the cache failed; it wraps the system's error.
	ErrDisk = errors.New("the cache can't be read or written")
	// ErrBusy: other processes held the index, or the references, for all of
	// Options.LockWait.
	ErrBusy = errors.New("the cache is busy")
	// ErrInUse: a blob that was to be removed is held by a reference, or just being
	// staged; see InUseError.
	ErrInUse = errors.New("the blob is in use")
	// ErrNewer: a later version of assay wrote the index.
	ErrNewer = errors.New("the cache is of a newer format")
	// ErrReference: a file below refs/ does not read as a reference, so that nobody
	// knows what it keeps. Prune removes nothing then.
	ErrReference = errors.New("a reference to blobs can't be read")
	// ErrInvalid: a misuse, such as a negative length or a finished stage.
	ErrInvalid = errors.New("not possible in the cache")
)

// MismatchError says how staged bytes differ from what was wanted. It is an
// ErrMismatch. Where the length differs Got is zero, as hashing told no more;
// where there were too many bytes, GotLength counts up to the first refused
// write.
type MismatchError struct {
	Want, Got             artifact.Digest
	WantLength, GotLength int64
}

// Error tells expected from found.
func (e *MismatchError) Error() string {
	switch {
	case e.GotLength > e.WantLength:
		return fmt.Sprintf("%v: expected %d bytes of %v, found at least %d", ErrMismatch, e.WantLength, e.Want, e.GotLength)
	case e.GotLength < e.WantLength:
		return fmt.Sprintf("%v: expected %d bytes of %v, found %d", ErrMismatch, e.WantLength, e.Want, e.GotLength)
	default:
		return fmt.Sprintf("%v: expected %v, found %v", ErrMismatch, e.Want, e.Got)
	}
}

// Is makes the error an ErrMismatch.
func (e *MismatchError) Is(target error) bool { return target == ErrMismatch }

// CorruptError says that a held blob is not what it should be, and where it was
// put. It is an ErrMissing, as the blob is to be fetched again, and an
// ErrDamaged.
type CorruptError struct {
	Digest artifact.Digest // zero where the file's name was no digest
	Path   string          // where the file was
	Aside  string          // where it is now; empty where it could not be moved
	Reason string          // what was expected and found
}

// Error tells what was found, and where it lies now.
func (e *CorruptError) Error() string {
	text := fmt.Sprintf("%v: %s: %s", ErrDamaged, e.Path, e.Reason)
	if e.Aside != "" {
		text += "; it was set aside as " + e.Aside
	}
	return text
}

// Is makes the error an ErrMissing and an ErrDamaged.
func (e *CorruptError) Is(target error) bool { return target == ErrMissing || target == ErrDamaged }

// disk wraps an error of a file operation with the path, where it does not
// name one, and a hint.
func disk(path string, err error) error {
	if err == nil || errors.Is(err, ErrDisk) {
		return err
	}
	hint := "check that the cache directory and its folders can be used"
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "free some space, or use a cache directory on another disk"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "check the permissions of the cache directory, or use another"
	case errors.Is(err, syscall.EIO):
		hint = "the disk reports a fault: check it before anything else"
	}
	var withPath *fs.PathError
	if errors.As(err, &withPath) {
		return fmt.Errorf("%w: %w; %s", ErrDisk, err, hint)
	}
	return fmt.Errorf("%w: %s: %w; %s", ErrDisk, path, err, hint)
}

// clip shortens text from outside, so that an error message stays one line.
func clip(s string) string { return shown.Clip(s, 200) }
