// Package lockfile reads, writes and compares assay.lock: exactly which bytes a
// project's tools are, for every platform that was asked for.
//
// Parties: whoever runs `assay lock`, who has proven all of it before it is written;
// those who read the difference in a review; the machines that run `assay sync
// --locked`, among them fresh ones, which have no floors of their own; and whoever
// can write to the folder, who is not trusted: a lock file comes with a clone.
//
// Guarantees: what Decode takes is bounded, has no key that is not known, names
// nothing twice, and agrees with itself: a version is one that was asked for, and
// targets lie beside the manifest of that version. Text in it is fit for a terminal,
// and no URL holds a user or a password. Encode is deterministic and writes only what
// Decode takes and finds the same, so the difference between two files is the
// difference between two locks. A crash in Write leaves the old file or the new one.
//
// Floors: a lock says which versions of a repository's metadata it was made from. A
// view that is older is a rollback, which a fresh machine could not know otherwise
// (Repository.Below). Floors are only compared, never stored: one that is forged too
// high makes this lock useless, which whoever forged it could have had by deleting
// the file, and leaves nothing behind in any state. They hold as package trust's own
// do: where a later root replaced the keys of timestamp or snapshot, their floors
// lapse.
//
// Not guaranteed: that anything in a lock is true, current, or not revoked. It proves
// nothing and opens no socket; digests are for whoever fetches to hold bytes to, and
// what a repository has revoked since is refused whatever a lock says.
package lockfile
