package release

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// The kinds of refusal; each *FieldError wraps exactly one of them.
var (
	// ErrMalformed is for a document whose form is wrong.
	ErrMalformed = errors.New("malformed document")
	// ErrBinding is for names inside a document that disagree with its path.
	ErrBinding = errors.New("document disagrees with its path")
	// ErrSchema is for a document of another kind than its path says.
	ErrSchema = errors.New("wrong kind of document")
	// ErrSchemaVersion is for a document of a schema version that is not known.
	ErrSchemaVersion = errors.New("unknown schema version")
)

// FieldError says which field of which document is wrong.
type FieldError struct {
	Document string // the target path, like hello/1.4.2/release.json
	Field    string // like releases[2].status; empty for the document as a whole
	Expected string
	Found    string // text of the document in it is quoted and clipped
	Err      error  // one of the sentinels
}

// Error gives all of it on one line.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s: %v: expected %s, found %s", e.Document, e.Err, e.Expected, e.Found)
	}
	return fmt.Sprintf("%s: %v: %s: expected %s, found %s", e.Document, e.Err, e.Field, e.Expected, e.Found)
}

// Unwrap makes errors.Is work with the sentinels.
func (e *FieldError) Unwrap() error { return e.Err }

// problem is a FieldError without its document, as the checks of one field
// return it; nil is none.
type problem = FieldError

// reporter takes what a check finds; nil is nothing.
type reporter func(*problem)

// first is the first problem that a check reports.
func first(check func(reporter)) *problem {
	var found *problem
	check(func(p *problem) {
		if found == nil {
			found = p
		}
	})
	return found
}

func malformed(field, expected, found string) *problem {
	return &problem{Field: field, Expected: expected, Found: found, Err: ErrMalformed}
}

func unbound(field, expected, found string) *problem {
	return &problem{Field: field, Expected: quote(expected), Found: quote(found), Err: ErrBinding}
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 80) }

// at spells the field of an element of a list.
func at(list string, index int, field string) string {
	if field == "" {
		return fmt.Sprintf("%s[%d]", list, index)
	}
	return fmt.Sprintf("%s[%d].%s", list, index, field)
}
