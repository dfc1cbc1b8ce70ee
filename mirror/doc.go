// Package mirror keeps a proven copy of repositories near the machines that use
// them, and says which file of it may be served.
//
// Parties: an upstream, which may lie, freeze, roll back, stall or vanish, and may
// be another mirror; the storage, a folder of this machine; readers, any TUF
// client, who prove everything again and trust a mirror for nothing but speed.
//
//	Upstream ── Refresh ──► plan ── fetch, judge ──► Storage ── publish ──► Library
//
// A generation is what a repository serves at one time: the metadata files, byte
// for byte as upstream has them, and a listing of the targets that are carried,
// each with its digests. It is two objects in the storage, and a document names the
// current one. A run fetches and proves what the new metadata promises, then
// replaces that document: readers see the old generation or the new one, whatever
// happens to the run. See package storage for what a crash leaves.
//
// Guarantees: a file is found only if metadata that was verified promises it and
// its bytes were hashed on their way into the storage; what the policy refuses, or
// whose bytes were wrong, is in quarantine, with the reason, and is not found. A
// generation older than the current one is never published. What a generation
// named stays until the last timestamp that led to it has expired, so that a reader
// who is at work finishes its work. Metadata that has expired is not served, unless
// the settings say so.
//
// Not guaranteed: that a mirror is fresh. It tells how fresh it is, and readers
// judge by the timestamp.
package mirror
