// Package provenance verifies Sigstore bundles: who vouches for which bytes,
// since when, and with what statement.
//
// # Parties
//
// A publisher signs, with a certificate that an authority (Fulcio) gave to an
// identity, or with a key. Transparency logs (Rekor, Fulcio's certificate logs)
// and timestamp authorities observe that. All of it comes in one bundle
// (https://docs.sigstore.dev/about/bundle). A Profile names whose certificates,
// logs, times or keys are believed (a trusted root, or keys), and how much of
// each must be there. A Verifier judges bundles by one profile; Identity and
// Pattern then say which signers are meant.
//
// # Guarantees
//
// What Verify returns was verified by sigstore-go with the profile's thresholds
// and the digest of the artifact: nothing of a bundle lowers a threshold. Beyond
// the library, Verify demands:
//
//   - that the digest in a message signature has the algorithm it is labelled
//     with, and is one of those asked for;
//   - that a statement is an in-toto statement v0.1 or v1 with a type of
//     predicate and subjects, and that each digest of the subject that is also
//     known of the artifact agrees;
//   - that each entry of a log proves its inclusion where the bundle's version
//     asks for it, and holds this very signature and key;
//   - that entries of a log that the profile knows verify even where the profile
//     asks for none.
//
// Bundles are hostile until then: their size, depth, repeated keys and counts are
// bounded before a parser of others sees them, a panic in one becomes an error,
// and text of theirs is quoted and clipped in messages. Verify opens no socket
// and no file, prints nothing, asks for no clock, and may be called by several
// goroutines at once.
//
// # Not guaranteed
//
// Not that the signer is one who should sign: ask Identity.Matches. Not what the
// subject is called: bind its name, version and platform yourself. Nothing about
// a statement's predicate, beyond that the signer said so. Timestamps of
// authorities that the profile doesn't know are passed over, as are entries of
// such logs.
//
// # Curves
//
// Keys on P-384 and P-521 sign over SHA-384 and SHA-512; early clients let them
// sign over SHA-256. Only the digests sha256 and sha512 of an artifact are known
// here. So a message signature on P-384 works over SHA-256 alone (over SHA-384 it
// is ErrAlgorithm, or ErrKey where keys are asked for), one on P-521 over SHA-256
// and SHA-512, statements with all of it. Rekor v2 knows no early signatures. A
// plain Ed25519 signature over a message can't be judged by a digest and is
// refused; Ed25519ph can, by sha512.
//
// # Errors
//
// Verify fails with a *VerifyError, which wraps exactly one of the sentinels that
// errors.go lists; NewVerifier fails with ErrProfile, patterns with ErrPattern,
// identities with ErrIdentity or ErrPattern.
package provenance
