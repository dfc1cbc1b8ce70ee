// Package cache keeps bytes by their digest: blob files, and an index that says
// what they were fetched for. All of it can be deleted at any time at the cost
// of fetching again; what must be remembered is kept elsewhere.
//
// In the cache directory, whose folders have mode 0700:
//
//	blobs/sha256/ab/abcd…   whole, verified blobs, read-only
//	staging/ALG-HEX.part    one that is being written, ALG-HEX.lock its lock, and
//	staging/ALG-HEX.resume  what of it is there, for who takes it up again
//	refs/KIND/NAME          JSON: what must not be pruned, and for what; refs.lock its lock
//	damaged/                what no longer was what its name says, for inspection
//	index.db                bbolt: per blob its length, when it came, and its names
//	facts.db                bbolt: what was found out about blobs, to find them by
//
// Guarantees: a file gets a name under blobs only after its length and all the
// wanted digests were found right and the file was synced. One writer at a time
// stages a digest, over all processes; a process that dies, even by kill -9,
// leaves nothing that blocks or misleads the next, which takes up the bytes that
// came. Damage is a typed miss: the
// file is set aside, never deleted, and the caller fetches again. The lock of
// the index is held for one short transaction only, never during a transfer. A
// damaged index is set aside and rebuilt from the files, without the names; a
// damaged facts.db is set aside and begins anew, and Described then tells which
// blobs are to be described again.
// Memory use does not depend on the size of a blob.
//
// Remove removes one blob that nobody needs. Prune removes what was not used for
// long. It never removes what a reference holds,
// and where it can't read a reference it removes nothing; nor what is being staged,
// or was committed, noted or asked for within the last 10 minutes, by any process.
// Should a blob go all the same, as by a clock that jumps, that is a typed miss like
// any other. An index of an older format is migrated in one transaction; one of a
// newer format is refused and left alone (ErrNewer).
//
// Not guaranteed: that a blob still has the right content without reading it.
// Get looks at its length; Blob.Open hashes what it reads and reports damage at
// the end, so what was read counts only after io.EOF. Nor that Facts are true: they
// are notes of what was proven when they were made.
package cache
