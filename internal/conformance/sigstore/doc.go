// Command sigstore is the small client that a public conformance suite for
// Sigstore clients drives, for verifying only: assay signs nothing. It shows that
// package trust/provenance judges bundles as others understand Sigstore. It is
// not installed.
//
// # Protocol
//
// The suite starts the client once per test and judges by the exit code:
//
//	sigstore verify-bundle [--staging] --bundle F --certificate-identity I \
//	    --certificate-oidc-issuer U [--trusted-root T] FILE|sha256:HEX
//	sigstore verify-bundle [--staging] --bundle F --key K [--trusted-root T] FILE|sha256:HEX
//
// The exit code is 0 if the bundle in file F vouches for the artifact, signed by
// that identity or by the key in file K, else 1, with the reason on stderr. The
// identity and its issuer are compared exactly. The last argument is a digest if
// it has that form and no such file exists, else a file.
//
// The client opens no socket. Where the suite gives no trusted root it means
// today's root of the public-good instance, or with --staging that of its staging
// instance: the client reads them from the files that these variables name, and
// refuses if they are not set.
//
//	ASSAY_SIGSTORE_ROOT, ASSAY_SIGSTORE_STAGING_ROOT
//
// A certificate is judged by the thresholds of the public-good instance. A key is
// judged without, but entries of logs that the trusted root knows must verify;
// without --trusted-root there are none.
//
// The suite is https://github.com/sigstore/sigstore-conformance. It is no part of
// this module; where it is unpacked, with the Python packages it asks for, and
// the root is at hand, this runs the part for verifying, without a list of
// expected failures:
//
//	go build -o sigstore ./internal/conformance/sigstore
//	export ASSAY_SIGSTORE_ROOT=…/trusted_root.json
//	(cd sigstore-conformance && pytest --skip-signing --entrypoint …/sigstore)
//
// It fetches a token for signing before each test, also for those that don't
// sign; without a network that fixture has to be replaced. The tests of this
// package go through the protocol without the suite.
package main
