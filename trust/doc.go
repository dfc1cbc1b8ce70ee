// Package trust decides which bytes a repository promises. It is a client of
// The Update Framework (TUF specification 1.0, https://theupdateframework.github.io/specification/),
// with hash bins (TAP 15) and maps of repositories that must agree (TAP 4).
//
// # Parties and objects
//
// A Repository is known by its name and by one root that was given explicitly;
// there is no trust on first use. Refresh asks a Remote (which the caller
// implements: this package opens no socket and no file) and returns a View, one
// whole verified set of metadata. A View makes Targets: path, length and
// digests that signed metadata vouches for. Nobody else can make one, but for a
// Map, that asks the Views of several repositories for one they agree on.
//
//	Repository ── Refresh ──► View ── Target(path) ──► Target ──► bytes, by the caller
//	     │                      └── Map.Agree ──────────┘         (length and digests must hold)
//	     └─ Store: roots, floors, last complete set
//
// # How a file is accepted
//
// The steps are the same for every role, and none looks at more than the one
// before has made safe: the size (what a parent signed, or Limits), the hashes
// that a parent signed, the screening pass of internal/strictjson (one object,
// UTF-8, no null, no key twice, bounded depth), the head (type, specification,
// version, expiry), the signatures over the canonical form of the signed part,
// the version, and only then what the role says. go-tuf reads keys and roots,
// after that; its panics are errors. Large roles are never turned into Go
// values: they stay the bytes they came as, read through a table of offsets of
// four bytes a member. A process that refreshes again takes over what the
// snapshot says is unchanged.
//
// # Guarantees
//
//   - Every root from the given one on is signed by its predecessor's keys and
//     by its own; a root that was accepted once is never gone back behind, even
//     if a mirror withholds it.
//   - No version that was accepted is followed by a lower one, or by other
//     content under the same one. The floors fall only with an accepted root
//     that changes the keys of the timestamp or the snapshot (5.3.11). A
//     timestamp of the version that is held, with other content, is discarded
//     (5.4.3): the held one goes on to count, until it expires.
//   - Expired metadata resolves nothing new: only what is held and named exactly
//     is still found (HeldTarget), and says so. The time of a refresh is fixed at
//     its start, and is never earlier than the latest time an earlier one saw.
//   - Processes that share a Store can't take each other back: what was verified
//     under a root is stored only while that root is the newest.
//   - A delegated role is verified with the keys of each delegator that leads
//     to it, and keys are counted by their value, not by their name.
//   - Every loop over what a repository says has a bound in Limits.
//
// # What is not promised
//
// That the owner of the given root is who the user thinks: that is what the
// digest from elsewhere is for. That a release is free of faults, or was built
// from what its manifest says. That metadata is not withheld until it expires: a
// freeze is found out by expiry only. That stored bytes are read again by a
// process that has them in memory: damage on the disk is found by the next one.
//
// # What each error means
//
// Every error wraps one of these, or an error of the Remote or the Store.
//
//	ErrMalformed     the bytes are not metadata as the specification has it; also
//	                 when they are signed
//	ErrTooLarge      longer than Limits allow, as received or as signed; LimitError,
//	                 here as elsewhere, has which limit
//	ErrSignature     fewer valid signatures than the role's threshold
//	ErrRootChain     a new root is not signed by the one before and by itself, is
//	                 not the next version, or there are too many at once
//	ErrRotations     too many new roots for one refresh; comes with ErrRootChain, and
//	                 the next refresh goes on behind those that were accepted
//	ErrRootConflict  the caller gave another root than the Store began with
//	ErrExpired       a role expired: nobody publishes any more, or somebody
//	                 withholds what was published (ExpiredError has role and date)
//	ErrClock         this machine's clock is over an hour behind a time that an
//	                 accepted refresh has seen (ClockError; ResetClock forgets it)
//	ErrRollback      a version went back, a role left the snapshot, or a version
//	                 has other content than it had (RollbackError)
//	ErrMismatch      length, hash or version are not what signed metadata promises
//	ErrNoTarget      everything was searched, and no role promises the path
//	ErrSearchLimit   the search met more delegations than Limits allow; the target
//	                 may exist
//	ErrManifest      a release manifest contradicts the role that lists it
//	ErrNotApproved   too few of the repositories that must agree list the target
//	ErrDisagree      they promise different bytes, or none that can be compared
//	ErrOutside       the map gives the path to other repositories
//	ErrMap           the map of repositories itself can't be used (MapError)
//	ErrNoMetadata    the source says that it has no such file
//	ErrNoAnswer      no source answered; a configured grace covers this one only
//	ErrNotHeld       it would take the network, and there is none to ask
//	ErrNoRoot        nothing was ever given to begin with; comes with ErrNotHeld
//	ErrLimits        the configuration raises a limit beyond MaxLimits
//	ErrBusy          other processes won each time; trying again is safe
//	ErrState         the Store lost what can't be fetched again
//
// After an error the Store holds what it held, and what was accepted before it.
//
// # What a crash leaves
//
// Refresh writes in this order, each line one transaction of the Store:
//
//	given root     root, its floor          before: a repository without a root
//	each new root  root, its floor, floors  a crash leaves the root before; floors
//	               that its keys lower      fall with the root or not at all
//	timestamp      bytes, record, floor     the next refresh asks again
//	snapshot       bytes, record, floors    the next refresh takes it from the Store
//	targets        bytes, record            likewise
//	complete set   record, clock; a sweep   the record still names the whole set
//	               of unnamed bytes         before, which Offline uses
//
// Delegated roles follow when a look-up needs them: bytes and record. Bytes over
// 4 MiB are written in pieces ahead of the transaction that names them; a crash
// in between leaves pieces that the next sweep deletes. Offline uses the
// complete set as long as the newest root lists the keys that signed it: a crash
// behind a root that revokes them leaves no set that may be believed.
//
// Stored bytes and records carry a digest or a checksum. What is damaged and can
// be fetched again is left aside, fetched and stored anew; a damaged floor,
// clock or given root can't be, and is ErrState.
//
// # Where things are
//
//	one file        document (screen, split, decode), members (the index), keyring
//	                (signatures), delegation (whom it entrusts with what)
//	one refresh     refresh, root, snapshot, obtain, known; offline without a source
//	the state       store (what the caller gives), state (records and floors),
//	                pieces (large bytes), limits
//	a view          view, roles, search (through delegations), lookup, listing,
//	                files (for mirrors), target, evidence
//	several views   agree_map, agree, agree_error
//
// # Why not go-tuf's own client
//
// Its updater lets a retired root come back, and its trustedmetadata has room
// for one delegator per role, no floors apart from bytes, and errors that name
// neither date nor version. Its parser takes thirty times the size of metadata in
// memory, before a signature can be checked, and its check of signatures encodes
// the parsed metadata anew for each key: what is verified is what go-tuf would
// have written. Here it is what came.
package trust
