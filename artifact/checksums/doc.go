// Package checksums reads files that list digests by file name, in the forms that
// checksum tools write:
//
//	HEX  name            GNU sha256sum (text)
//	HEX *name            GNU sha256sum (binary); goreleaser writes the first
//	\HEX  na\\me         GNU, a name with a backslash in it (not one with \n or \r)
//	HEX name             BSD sha256 -r
//	SHA256 (name) = HEX  BSD sha256, GNU --tag
//	SHA256(name)= HEX    openssl dgst; SHA2-256 is the same
//
// Empty lines and lines that begin with "#" are passed over; lines may end with
// CR LF, and a byte order mark may stand first. Any other line is an error: a
// page that says "not found" is no list of checksums.
//
// SHA-256 and SHA-512 are kept. In the forms without an algorithm the length of
// HEX tells it, so that another algorithm of the same length (BLAKE2b for
// SHA-512) is taken for one of them, and agrees with no file. Digests of other
// algorithms are passed over and counted.
//
// Guarantees: a List comes from at most MaxBytes and MaxLines; its names are
// valid UTF-8 without control characters and without those that turn the
// direction of writing; no name has two digests of one algorithm.
//
// Not guaranteed: that the list is true. Whoever could write the file could write
// any digest: a signature over the file is what counts, and it counts for what
// the file lists. Nothing here reads a file or the network.
//
// Errors: ErrTooLarge for a file beyond the bounds, ErrMalformed for a line of
// another form, ErrConflict for a name with two different digests, ErrNotListed
// for a name that the list does not have. The first two name the line.
package checksums
