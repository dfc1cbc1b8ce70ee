// Package slsa reads SLSA provenance, compares it with what else is known of a
// build, and writes verification summaries.
//
// Parse takes the predicate of a statement whose signature was verified, in
// version v0.2 (https://slsa.dev/spec/v0.2/provenance) or v1
// (https://slsa.dev/spec/v1.0/provenance), and gives both in one form. Platforms
// say where the source is in fields of their own; Parse knows those of GitHub
// (also through slsa-github-generator and npm), GitLab, Google Cloud Build and
// BuildKit. What it does not know it ignores: such a build has no source here.
//
// CheckClaims compares with the certificate of the signer, CheckSource with the
// source that a release manifest names. Both say which fields they compared: what
// one of the two sides does not tell is not compared, and must not be shown as if
// it had been.
//
// Guarantees of a parsed Provenance: it came from one JSON object of at most
// MaxBytes with no key twice; every text in it is valid UTF-8 of at most 4 KiB,
// without control characters and without those that turn the direction of
// writing; Parameters are JSON in which such characters are escaped. So all of it
// can be printed on a terminal.
//
// Not guaranteed: that anything in it is true. The signer says so, and whether
// this signer may speak for this builder, and what SLSA level the two have, is
// for policy to decide. Nothing here asks the clock, the network or the disk.
//
// Errors: Parse returns an *Error, which wraps ErrPredicate for a type that is no
// known version of provenance, ErrTooLarge for a document or a part of it beyond
// its bounds, and ErrMalformed for one whose form is wrong. CheckClaims and
// CheckSource return a *DisagreementError, which wraps ErrDisagree. WriteSummary
// returns an *Error that wraps ErrSummary.
package slsa
