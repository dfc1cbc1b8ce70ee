package airgap

import (
	"errors"
	"fmt"
	"strings"

	"assay/artifact"
)

// The kinds of failure. Errors of the storage, of files and of package plaintar
// (plaintar.ErrForm) are handed on.
var (
	// ErrVolume: a volume, a record or an inventory is none, or not a whole one.
	ErrVolume = errors.New("not a volume of an export, or a damaged one")
	// ErrNewer: a later version of assay wrote it.
	ErrNewer = errors.New("it is of a newer format")
	// ErrForeign: it belongs to another set or another repository than is expected.
	ErrForeign = errors.New("it is of another export")
	// ErrWaiting: volumes of a set have not come yet; see WaitingError.
	ErrWaiting = errors.New("volumes are missing")
	// ErrLacking: objects are neither in an export nor held; see LackingError.
	ErrLacking = errors.New("objects are missing")
	// ErrNothing: there is nothing staged that could be imported.
	ErrNothing = errors.New("nothing was brought to be imported")
	// ErrNoRoom: the device has too little room.
	ErrNoRoom = errors.New("too little room")
	// ErrBusy: another import, or another export to the same tree, is at work.
	ErrBusy = errors.New("another one is at work")
	// ErrUnfit: what a mirror has can't be exported so.
	ErrUnfit = errors.New("can't be exported")
	// ErrDisk: a file can't be read or written; it wraps the system's error.
	ErrDisk = errors.New("files of the export can't be read or written")
)

// disk marks an error of a file operation, which names the path.
func disk(err error) error {
	if err == nil || errors.Is(err, ErrDisk) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}

// WaitingError says which volumes of a set have not come. It is an ErrWaiting.
type WaitingError struct {
	Repository string
	Set        artifact.Digest
	Volumes    int
	Missing    []int
}

// Error names the volumes.
func (e *WaitingError) Error() string {
	var names []string
	for i, n := range e.Missing {
		if i == 10 {
			names = append(names, fmt.Sprintf("and %d more", len(e.Missing)-i))
			break
		}
		names = append(names, fmt.Sprint(n))
	}
	return fmt.Sprintf("%s: %v: expected %d volumes of the set %s, lacking %s", e.Repository, ErrWaiting, e.Volumes, short(e.Set), strings.Join(names, ", "))
}

// Is makes the error an ErrWaiting.
func (e *WaitingError) Is(target error) bool { return target == ErrWaiting }

// LackingError says that an export is a difference, and that what it is a difference
// to is not held here. It is an ErrLacking.
type LackingError struct {
	Repository string
	Objects    int // how many lack
	// First are some of them, with the export that has each, as far as it is known.
	First []Elsewhere
}

// Error names the exports that are needed.
func (e *LackingError) Error() string {
	var names []string
	for _, one := range e.First {
		if where := one.where(); len(names) < 3 && !contains(names, where) {
			names = append(names, where)
		}
	}
	return fmt.Sprintf("%s: %v: %d objects are neither in this export nor held here, %s for one; they are in %s",
		e.Repository, ErrLacking, e.Objects, e.First[0].Digest, strings.Join(names, ", "))
}

// Is makes the error an ErrLacking.
func (e *LackingError) Is(target error) bool { return target == ErrLacking }

func contains(list []string, text string) bool {
	for _, one := range list {
		if one == text {
			return true
		}
	}
	return false
}

// short is how people are told of an id.
func short(id artifact.Digest) string { return id.Hex()[:min(12, len(id.Hex()))] }
