// Package sbom reads software bills of materials and answers questions about
// what they list: which components, in which versions, under which licences.
//
// A document is SPDX 2.2 or 2.3 in JSON, or CycloneDX 1.2 to 1.7 in JSON; which
// of them is told by its content, never by a file's name. Parse reads one that
// lies in a file, ParsePredicate one that came inside an attestation. Both give
// the same Document, whose Components are sorted and distinct.
//
// The thing that the document describes is no component of itself: it stands in
// Document.Subject. For SPDX that is the one package that the document
// DESCRIBES; where it describes several things, or none, no package is special
// and all are components, so that nothing is hidden by an odd document. For
// CycloneDX it is metadata.component. Components within components are listed
// too, as all of them are shipped. Components of CycloneDX's type "file" without
// a purl are passed over, as SPDX keeps its files apart from its packages.
//
// # Questions
//
// ParseExpression reads a licence expression, and says whether a list of
// licences satisfies it or a list of denied ones stands in its way. ParseQuery
// reads NAME[@RANGE] or PURL[@RANGE] and finds components. Compare orders two
// versions as the makers of that kind of package do.
//
// # Guarantees
//
// Everything read is bounded: bytes, depth, components, the length of each text;
// keys that repeat are refused, null counts as absent, and a library's panic is
// an error. The names, versions and purls of what Parse returns hold nothing
// that a terminal acts upon. Of the document, only the members that are used
// reach the libraries' decoders, by their exact names.
//
// # Not guaranteed
//
// That the list is true or complete: a bill of materials is its maker's claim,
// and who made it is for package provenance to prove. Licences are compared as
// text: a name that is no SPDX expression is one opaque licence, whatever it may
// mean to a lawyer; beside others of its component it stands in quotes, and then
// the whole is no expression. No deprecated name is translated but those of the GNU
// licences ("GPL-2.0", "GPL-2.0+").
package sbom

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// The kinds of refusal. Errors about the form of the JSON also wrap the sentinel
// of package strictjson.
var (
	// ErrFormat is for a document that is no bill of materials that assay reads.
	ErrFormat = errors.New("not a bill of materials")
	// ErrVersion is for a version of SPDX or CycloneDX that is not known.
	ErrVersion = errors.New("unknown version of the bill of materials")
	// ErrMalformed is for a bill of materials whose form is wrong.
	ErrMalformed = errors.New("malformed bill of materials")
	// ErrTooLarge is for a document beyond one of the limits.
	ErrTooLarge = errors.New("bill of materials too large")
	// ErrPredicate is for a statement about something else than materials.
	ErrPredicate = errors.New("predicate is no bill of materials")
	// ErrQuery is for a text that is no query.
	ErrQuery = errors.New("not a component query")
	// ErrPURL is for a text that is no package URL.
	ErrPURL = errors.New("not a package URL")
)

// wrong says what was expected and found, for one of the sentinels.
func wrong(sentinel error, where, expected, found string) error {
	if where != "" {
		where += ": "
	}
	return fmt.Errorf("%w: %sexpected %s, found %s", sentinel, where, expected, found)
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 80) }
