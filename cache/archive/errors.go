package archive

import (
	"errors"

	"assay/internal/shown"
)

// The sentinels of this package. Errors of the cache and of the reader or writer
// are handed on.
var (
	// ErrArchive: it is no archive of blobs, or not a whole one.
	ErrArchive = errors.New("not an archive of a cache, or a damaged one")
	// ErrNewer: a later version of assay wrote the archive.
	ErrNewer = errors.New("the archive is of a newer format")
	// ErrQuota: it holds more than the reader takes.
	ErrQuota = errors.New("the archive is too large")
	// ErrInvalid: a misuse, such as a blob twice.
	ErrInvalid = errors.New("can't be put into an archive")
)

// clip shortens text from outside, so that an error message stays one line.
func clip(s string) string { return shown.Clip(s, 200) }
