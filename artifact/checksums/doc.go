// Package checksums reads files that list digests by file name, in the forms of
// GNU and BSD tools.
package checksums
