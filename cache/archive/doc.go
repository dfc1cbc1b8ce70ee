// Package archive carries blobs of a cache to another one, in a file: to a machine
// without a network, or to many that should not fetch the same.
//
//	assay-cache.json     what is in the archive: per blob its digest, its length, how
//	                     long its evidence is, and what it was fetched for
//	blobs/sha256/HEX     the blobs, blobs/sha512/HEX likewise
//	evidence/ALG-HEX.json  what the exporting machine found about a blob
//
// It is a tar, with the entries in the order of assay-cache.json, blobs before
// evidence, and nothing in it of the machine or the time: the same blobs with the
// same names and evidence give the same bytes.
//
// Guarantees: Write never completes an archive with a blob that is not what its
// digest says. Read takes nothing on trust: after assay-cache.json, whose own form
// is fixed, each next entry must be the one that it announces, a regular file of
// just that name and length, so that there is no room for another, a second one, a
// link or a path of the archive's own choosing; what is announced is held against
// a limit before the first byte is kept; and a blob gets its name in the cache only
// when its bytes had its digest. Memory use does not depend on the size of a blob.
//
// Not guaranteed: that a blob is what its name in the archive claims. Names are
// notes, and evidence is a claim of whoever made the archive, for people to read:
// neither counts in any judgement. A blob that was imported is proven, as any
// other, against signed metadata when it is asked for.
//
// A crash, or an archive that ends early, leaves those blobs in the cache that were
// whole by then: reading the archive again goes on from there.
package archive
