package transfer

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrWrongBytes: a place sent other bytes than are promised.
	ErrWrongBytes = errors.New("sent other bytes than promised")
	// ErrNoPlace: there is no place to ask.
	ErrNoPlace = errors.New("no source to ask")

	// errStalled and errSlow end a request whose place may do better later.
	errStalled = errors.New("no bytes came, and another source may have them")
	errSlow    = errors.New("too slow")
	// errNoRanges: the whole file came where a part was asked for.
	errNoRanges = errors.New("it sends whole files only")
	// errChanged: the whole file came, as the validator does not hold any more.
	errChanged = errors.New("the file has another validator than before")
	// errShort: less came than was asked for, and than was announced to be there.
	errShort = errors.New("less than was asked for came")
	// errNotNeeded ends a request whose part another one has brought.
	errNotNeeded = errors.New("not needed any more")
)

// PlacesError says why each place was given up. It is what any of them failed by.
type PlacesError struct{ Errs []error }

func (e *PlacesError) Error() string {
	texts := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives the error of each place.
func (e *PlacesError) Unwrap() []error { return e.Errs }

// givenUp is a place's last error, with the number of tries.
func givenUp(err error, failures int) error {
	if failures <= 1 {
		return err
	}
	return fmt.Errorf("%w (given up after %d tries)", err, failures)
}

// tooLong is a place that asks for more patience than there is.
func tooLong(err error, after time.Duration) error {
	return fmt.Errorf("%w; it asks to come back in %s", err, after.Round(time.Second))
}
