// Package state holds what must be remembered from run to run: the registered
// repositories, the trust state of each with its version floors, and this
// machine's random number for rollouts in state.db; and in proofs.db what was
// proven before, and how: first-seen digests, kinds of proof, waivers, receipts
// and verdicts. Both lie in the state directory, apart from the cache, so that
// deleting a cache never deletes the protection against rollback.
//
// They are two files because each process looks at all pages of a file before it
// uses it: 60 MB of receipts would slow down every refresh, which needs none of
// them. And damage in one of them does not stop the use of the other.
//
// Each file is a bbolt database that is opened, used for one transaction and
// closed again: calls that come at the same time share one, no lock outlives
// them, and many processes take turns. Before a transaction every page of the
// file is accounted for and its keys are in order, each table is compared with
// the seal that its last writer left in it, and each value with its checksum,
// so that a lost entry, such as a version floor, is noticed.
//
// A DB does so in its first transaction, and again after anybody else has
// written to the file or put another in its place. While nobody has, it relies
// on what it found, and a transaction costs what it reads and writes, however
// much is stored. Damage that comes between two transactions of a DB and leaves
// the file's size, time of change and meta pages as they were is then not looked
// for, other than in the values that are read; the next process finds it.
//
// A value of more than 32 KiB has pages of its own: to write it, or what lies
// beside it, moves no other. Writing one takes memory for two copies of it,
// until the transaction ends; more of them are better written one by one.
//
// Guarantees: an update that returned nil is on stable storage; one that
// returned an error changed nothing, unless the error is about the disk, in
// which case the update may turn out to be kept whole. Updates of all processes
// happen one after the other. Damage is reported as ErrDamaged, never repaired
// by forgetting, and never ends the process. Only where there is no file at all
// is the state new: an empty one is damaged, as the file gets its name when it
// is whole.
//
// Not guaranteed: protection from someone who may write the file, as the seals
// have no key, and from a whole old copy of the file put in its place.
package state
