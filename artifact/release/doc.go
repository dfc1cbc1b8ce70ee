// Package release holds the documents that publishers write beside their
// artifacts, and reads them strictly.
//
//	catalog.json                       Catalog: the products and their channels
//	channel-<channel>/<product>.json   Channel: the releases that a channel offers
//	<product>/<version>/release.json   Release: what a release consists of
//	mirrors.json                       Mirrors: where else the targets can be fetched
//
// The JSON Schema files in schema/ are the contract, for publishers' own tools
// as well as here. A Decode function takes bytes that are proven to be what the
// publisher signed; it does not trust them to be well made. It bounds their
// size, screens them (internal/strictjson), checks them against the schema, and
// then what a schema can't say: that the names inside equal the document's path,
// that each path stays beside its manifest, that each URL is one to ask.
//
// Guarantees of a decoded document: every field holds what its comment says;
// text has no control characters and none that turn the direction of writing,
// so it can be printed on a terminal; every name under which a file may be
// created is a safe file name. Fields that this version does not know are kept
// (Raw) and reported (Unknown), as a later minor revision may add some; one that
// differs from a known field only in case is an error, as encoding/json would
// take it for that field.
//
// Lint and LintFile say what a document lacks for its readers, which Decode lets
// pass: each Finding names one of Rules, the field and its line, what is expected
// and how to mend it. A document that Decode refuses is judged as far as it can be
// read, so that one wrong field hides no other. LintChecksums and LintPromises add where the checksums file
// or the repository says otherwise than the document. They change nothing about
// what Decode takes.
//
// Not guaranteed: that any claim in a document is true (who built it, from what
// source), or that the document is complete enough for its readers. Nothing
// here asks the clock, the network or the disk.
package release
