// Package advisory reads what is known to be wrong with components, and says
// which of it concerns an artifact.
//
// A document holds OSV records (OSV schema 1.x: one record, an array of records,
// or {"vulns": […]} as the OSV service answers), or is an OpenVEX document
// (v0.2.0). Which, is told by its content. Several documents make a Set, which
// answers Find for an artifact and its components.
//
// # How a record concerns a component
//
// A record's package is the component's where their purls are equal without
// version and qualifiers, letters of both cases alike. A record that gives its
// package as ecosystem and name is taken as the purl of it. Packages of Debian
// and Alpine are also found by the source package that their purl names as
// "upstream", and a record for another release of the distribution than the
// purl's "distro" does not concern them. A component without a purl is found by
// its whole name; where that has no slash or colon, it may be a namesake, and the
// state is Unknown.
//
// The component's version is then looked up in the record's versions, as text,
// and in its ranges of types SEMVER and ECOSYSTEM, by sbom.Compare. Ranges of
// type GIT are passed over, as components do not state commits. What can't be
// compared is Unknown, never passed over. Withdrawn records are.
//
// # How a VEX statement concerns it
//
// A statement is about an artifact whose purl its product names, about one
// component of it where the product has subcomponents, or about a component as a
// product by itself. It overrides the records that share a name with it, an id or
// an alias, and those that share one with such a record. Of several statements
// those of the document that stands first in NewSet count, and so one that clears
// counts only if no earlier document has one that does not. Within one document
// the newest counts, and of those of one time the worst: its author may date them
// at will, also in the future, and could as well leave the others out. Statements
// that clear (not affected, fixed) count only where the purl matches with version
// and qualifiers; a statement that says otherwise and matches less well makes the
// state Unknown. A statement that no record goes with is a finding of its own.
//
// What is cleared stays a Finding, with By and Why, so that it can be shown.
//
// # Guarantees
//
// Everything read is bounded: bytes, depth, records, elements; repeated keys are
// refused, null counts as absent, keys count by their exact names, and a
// library's panic is an error. One record that is malformed makes its whole
// document an error: an advisory is not left out in silence. The texts of a
// Finding hold nothing that a terminal acts upon.
//
// # Not guaranteed
//
// That a document is true, current or its maker's: who may be believed is for
// the configuration and the repository's signatures. Whoever can write a VEX
// document can clear what records say, those of other documents too, and of any
// product that has the component: put first the documents that are believed most.
package advisory

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// The kinds of refusal. Errors about the form of the JSON also wrap the sentinel
// of package strictjson.
var (
	// ErrFormat is for a document that is neither OSV nor OpenVEX.
	ErrFormat = errors.New("not an advisory")
	// ErrVersion is for a version of OpenVEX that is not known.
	ErrVersion = errors.New("unknown version of the advisory")
	// ErrMalformed is for an advisory whose form is wrong.
	ErrMalformed = errors.New("malformed advisory")
	// ErrTooLarge is for a document, or documents together, beyond a limit.
	ErrTooLarge = errors.New("advisory too large")
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
