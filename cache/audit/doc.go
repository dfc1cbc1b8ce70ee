// Package audit keeps a log of what was decided: who did what to which release,
// when, and with what outcome. Each entry holds the hash of the one before it, so
// that none can be changed, taken out, put in or moved without a trace.
//
// The log is audit.db in the state directory, a bbolt database that is opened,
// used for one transaction and closed again by each call: many processes take
// turns, each entry follows the one that the file ends with, and so the chain
// has no forks. It is a file of its own because it only grows: each process looks
// at all pages of a file before it uses it, and what trust is made of should not
// cost more for a long log, nor be out of reach where the log is damaged.
//
// An entry's hash is the SHA-256 of its canonical JSON without the member hash:
// UTF-8, members sorted by name, no white space, times in UTC. An export has one
// entry a line, in the same form with the hash in it; so anybody can check it:
//
//	jq -cS 'del(.hash)' | while read -r e; do printf %s "$e" | sha256sum; done
//
// Guarantees: an entry that Append returned is on stable storage; after an error
// it is not in the log, unless the error is about the disk, in which case it may
// turn out to be. Verify finds the first entry that was edited, put in, moved or
// doubled, and the first gap. Texts are bounded, and hold no control characters,
// no user names and passwords in URLs, and no queries of URLs.
//
// Not guaranteed: protection from someone who may write the file and makes a
// whole new chain, or cuts off the end of this one. That is found only by
// comparing with a Head that was written down elsewhere before.
package audit
