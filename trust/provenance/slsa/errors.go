package slsa

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// The kinds of refusal.
var (
	ErrPredicate = errors.New("not a known version of SLSA provenance")
	ErrMalformed = errors.New("malformed SLSA provenance")
	ErrTooLarge  = errors.New("SLSA provenance too large")
	ErrSummary   = errors.New("not a SLSA verification summary")
	ErrDisagree  = errors.New("provenance disagrees")
)

// Error says which field of a document is wrong.
type Error struct {
	Field    string // like runDetails.builder.id; empty for the document as a whole
	Expected string
	Found    string // text of the document in it is quoted and clipped
	Err      error  // wraps one of the sentinels
}

// Error gives all of it on one line.
func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%v: expected %s, found %s", e.Err, e.Expected, e.Found)
	}
	return fmt.Sprintf("%v: %s: expected %s, found %s", e.Err, e.Field, e.Expected, e.Found)
}

// Unwrap makes errors.Is work with the sentinels.
func (e *Error) Unwrap() error { return e.Err }

// DisagreementError says which field of a Provenance contradicts what is known
// from elsewhere.
type DisagreementError struct {
	Field    string // one of the Field constants
	With     string // who says otherwise: "the certificate" or "the release manifest"
	Expected string // what that one says
	Found    string // what the provenance says
}

// Error gives all of it on one line, quoted and clipped.
func (e *DisagreementError) Error() string {
	return fmt.Sprintf("%v with %s: %s: expected %s, found %s", ErrDisagree, e.With, e.Field, quote(e.Expected), quote(e.Found))
}

// Unwrap makes errors.Is work with ErrDisagree.
func (e *DisagreementError) Unwrap() error { return ErrDisagree }

func malformed(field, expected, found string) *Error {
	return &Error{Field: field, Expected: expected, Found: found, Err: ErrMalformed}
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 200) }
