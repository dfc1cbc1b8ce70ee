package unpack

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/klauspost/compress/zstd"

	"assay/internal/shown"
)

// The sentinels of this package. An error that it makes wraps one of them, or is
// the context's.
var (
	// ErrUnsafe: an entry would lead out of the folder, or is not a thing that
	// archives may bring: its path, its link or its type.
	ErrUnsafe = errors.New("unsafe archive")
	// ErrLimit: the archive holds more than Limits allow; see LimitError.
	ErrLimit = errors.New("archive is beyond a limit")
	// ErrMalformed: truncated, damaged, contradictory, followed by what does not
	// belong to it, or of another format than its name says.
	ErrMalformed = errors.New("malformed archive")
	// ErrUnsupported: encrypted, split, or compressed by a method that is not
	// known here.
	ErrUnsupported = errors.New("archive of an unsupported kind")
	// ErrExists: something is there under the name of the new folder.
	ErrExists = errors.New("there already")
	// ErrDisk: a file operation failed; it wraps the system's error.
	ErrDisk = errors.New("can't unpack on this disk")
	// ErrInvalid: a misuse, such as a format that there is not.
	ErrInvalid = errors.New("not possible in unpacking")
)

// sentinels are those that say all there is to say.
var sentinels = []error{ErrUnsafe, ErrLimit, ErrMalformed, ErrUnsupported, ErrExists, ErrDisk, ErrInvalid}

// LimitError says which limit an archive is beyond. It is an ErrLimit.
type LimitError struct {
	Limit string // the field of Limits, like "Bytes"
	Max   int64  // its value
	Found uint64 // how much there is, at least
	Entry string // the entry with which it was found; empty if none
}

// Error tells expected from found.
func (e *LimitError) Error() string {
	where := ""
	if e.Entry != "" {
		where = fmt.Sprintf(" with entry %s", quote(e.Entry))
	}
	units := map[string]string{
		"Files": "files, folders and links", "Bytes": "unpacked bytes", "Ratio": "times the bytes of the archive",
		"PathBytes": "bytes in a path", "Depth": "components in a path", "NameBytes": "bytes of names",
		"Window": "bytes of a decoder's window",
	}
	return fmt.Sprintf("%v: expected at most %d %s, found %d or more%s", ErrLimit, e.Max, units[e.Limit], e.Found, where)
}

// Is makes the error an ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// refuse makes an error of one entry.
func refuse(kind error, entry, format string, args ...any) error {
	return fmt.Errorf("%w: entry %s: %s", kind, quote(entry), fmt.Sprintf(format, args...))
}

// quote makes text from outside fit for one line of an error message.
func quote(s string) string { return shown.Quote(s, 200) }

// disk wraps an error of a file operation, with a hint.
func disk(err error) error {
	if err == nil {
		return err
	}
	hint := "check the folder to unpack into"
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "free some space, or unpack on another disk"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "check the permissions of the folder to unpack into"
	case errors.Is(err, syscall.EIO):
		hint = "the disk reports a fault: check it before anything else"
	}
	return fmt.Errorf("%w: %w; %s", ErrDisk, err, hint)
}

// explain makes an error of the package from whatever a decoder, or the way to
// it, came back with.
func (u *unpacker) explain(err error) error {
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	if u.source.failed != nil {
		// A decoder may have made something else of it.
		return fmt.Errorf("%w: reading %s: %w", ErrDisk, quote(u.source.file.Name), u.source.failed)
	}
	for _, known := range sentinels {
		if errors.Is(err, known) {
			return err
		}
	}
	switch {
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &LimitError{Limit: "Window", Max: u.limits.Window, Found: uint64(u.limits.Window) + 1}
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return fmt.Errorf("%w: expected zstd without a dictionary, found one that needs it", ErrUnsupported)
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w: expected the header of an entry of a tar: %w", ErrMalformed, err)
	}
	return fmt.Errorf("%w: expected whole %s: %w", ErrMalformed, u.format, err)
}
