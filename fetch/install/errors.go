package install

import (
	"errors"
	"fmt"
	"io/fs"

	"assay/internal/shown"
)

// What errors of this package wrap.
var (
	// ErrTaken: a name in the folder of links is somebody else's, or another product's.
	ErrTaken = errors.New("the name is taken")
	// ErrMissing: no such product, or no such version of it, is installed.
	ErrMissing = errors.New("not installed")
	// ErrUnfit: the artifact is none that can be installed.
	ErrUnfit = errors.New("can't be installed")
	// ErrDamaged: the files are not those that were installed.
	ErrDamaged = errors.New("the installed files were changed")
	// ErrRecord: what is written of a generation does not read as such.
	ErrRecord = errors.New("a record of an installed release is damaged")
	// ErrNewer: it was written by a newer assay.
	ErrNewer = errors.New("a record of an installed release is of a newer assay")
	// ErrBusy: another process changes the same product.
	ErrBusy = errors.New("another assay changes it")
	// ErrMeanwhile: another process has changed the product since the caller looked.
	ErrMeanwhile = errors.New("another assay has changed it meanwhile")
	// ErrDisk: the disk, or a permission.
	ErrDisk = errors.New("the folder of installed releases can't be read or written")
)

// disk wraps an error of the file system; nil stays nil.
func disk(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}

// ignoreMissing is for what may be gone already.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func quote(text string) string { return shown.Quote(text, 200) }
