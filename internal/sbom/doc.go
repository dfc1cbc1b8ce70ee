// Command sbom writes the bill of materials of an archive that a release consists
// of, as SPDX 2.3, and the licence texts that its programs have to carry.
//
//	sbom -version 1.4.2 -created 2026-11-01T00:00:00Z -modules GOMODCACHE -o FILE ARCHIVE
//	sbom -notices LIST -modules GOMODCACHE -go GOROOT -o FILE
//
// What is in the bill is what the Go command wrote into the program: each module that
// is linked in, with its version and sum, and Go's own library. Nothing is guessed, and
// nothing is asked of a network. The same archive, flags and modules give the same bytes:
// the only time in it is the one that was given, and its namespace is the digest of the
// archive.
//
// A licence is named where the module's file of it is, word for word, one of the texts in
// licenses/, copyright lines aside, and nothing else. Everything else is NOASSERTION: whoever needs
// to know has to read it.
package main
