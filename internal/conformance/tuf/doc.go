// Command tuf is the small client that a public conformance suite for TUF
// clients drives. It shows that assay's own verifier, package trust, behaves as
// others understand The Update Framework: trust, the state database, the
// transfer engine and the cache are those of the product, and only what the
// suite looks at is added here. It is not installed, and nobody should fetch
// software with it.
//
// # Protocol
//
// The suite is a web server with a simulated repository. It starts the client
// once per step, as a process of its own, and judges by the exit code, by the
// requests it was sent and by the files that the client left:
//
//	tuf --metadata-dir D init ROOT
//	tuf --metadata-dir D --metadata-url U refresh
//	tuf --metadata-dir D --metadata-url U --target-dir T --target-base-url B \
//	    --target-name P [--target-name P …] download
//
// init begins to trust the root in the file ROOT, and sends no request. refresh
// runs the client workflow once. download does the same, and then brings the
// targets P into folder T in the order given, all by the one view that the
// refresh made; it ends at the first that fails. What is in T already, and is
// still what is promised, is neither fetched nor written again. The exit code is
// 0 if all of it was done, else 1, with the reason on stderr.
//
// D holds the accepted metadata, byte for byte as it came, one file per role
// without a version: root.json, timestamp.json, a%2Fb.json for the role "a/b".
// Roles that were accepted before a step failed are there; nothing refused ever
// is. Every file in D whose name ends in .json is taken for a role's metadata.
// Files in T are named after the whole target path, percent-encoded likewise.
//
// The suite moves the clock by a library that is preloaded into its child
// processes. A Go program doesn't ask the C library for the time and would not
// see that, so the time is what `date +%s` prints, asked once per step.
//
// The suite is https://github.com/theupdateframework/tuf-conformance. It is no
// part of this module; where it is installed, with the program faketime, this
// runs all of it, without a list of expected failures:
//
//	go build -o tuf ./internal/conformance/tuf
//	pytest tuf_conformance --entrypoint "$PWD/tuf"
//
// The tests of this package go through the same themes without it.
//
// # What lies in the metadata folder
//
//	ROLE.json      copies for the suite; nothing here is ever read as trusted
//	trusted-root   what init was given
//	state.db       package trust's state, in the product's own store
//	cache/         the product's cache of blobs
//
// # Guarantees
//
// A role's file is written only with bytes that trust is just about to commit,
// so that it was verified; by temporary file, sync and rename. A crash between
// that and the commit leaves a file that is ahead of the state: the next refresh
// asks for the same metadata again, and accepts it again. init never takes
// accepted metadata back: another root for the same folder is an error.
//
// # What is not promised
//
// A role's file that was deleted or damaged by others comes back only with the
// role's next version. Names whose encoded form has more than 200 bytes are cut
// and end in a digest.
package main
