// Package trust decides which bytes a repository promises. It is a client of
// The Update Framework (TUF specification 1.0, https://theupdateframework.github.io/specification/).
//
// # Parties and objects
//
// A Repository is known by its name and by one root that was given explicitly;
// there is no trust on first use. Refresh asks a Remote (which the caller
// implements: this package opens no socket and no file) and returns a View, one
// whole verified set of metadata. A View makes Targets: path, length and
// digests that signed metadata vouches for. Nobody else can make one.
//
//	Repository ── Refresh ──► View ── Target(path) ──► Target ──► bytes, by the caller
//	     │                                                        (length and digests must hold)
//	     └─ Store: roots, floors, last complete set
//
// # Guarantees
//
//   - Every root from the given one on is signed by its predecessor's keys and
//     by its own; a root that was accepted once is never gone back behind, even
//     if a mirror withholds it.
//   - No version that was accepted is followed by a lower one, or by other
//     content under the same one. The floors fall only with an accepted root
//     that changes the keys of the timestamp or the snapshot (5.3.11).
//   - Expired metadata resolves nothing new: only what is held and named exactly
//     is still found (HeldTarget), and says so. The time of a refresh is fixed at
//     its start, and is never earlier than the latest time an earlier one saw.
//   - Processes that share a Store can't take each other back: what was verified
//     under a root is stored only while that root is the newest.
//   - Bytes are bounded, and screened for nulls, duplicate keys and depth,
//     before any parser of someone else's sees them; its panics are errors.
//   - A delegated role is verified with the keys of each delegator that leads
//     to it. "Not found", "too many delegations" and "could not be found out"
//     are different errors (ErrNoTarget, ErrSearchLimit, all others).
//
// # What is not promised
//
// That the owner of the given root is who the user thinks: that is what the
// digest from elsewhere is for. That a release is free of faults, or was built
// from what its manifest says. That metadata is not withheld until it expires: a
// freeze is found out by expiry only.
//
// # What a crash leaves
//
// Each accepted role is one transaction of the Store: bytes, record and floor
// together. A crash between two of them leaves the roles accepted so far, and
// the complete record still names the whole set before. Offline uses that, as
// long as the newest root lists the keys that signed it: a crash behind a root
// that revokes them leaves no set that may be believed. The next Refresh takes
// stored bytes that are still the promised ones and asks for the others. Bytes
// that were damaged in the Store are left aside and fetched again; a damaged
// floor can't be, and is ErrState.
//
// go-tuf's metadata types and signature check are used; its updater is not, and
// neither is its trustedmetadata: that has room for one delegator per role, no
// floors apart from bytes, and errors that name neither date nor version.
package trust
