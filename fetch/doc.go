// Package fetch turns what a person asks for into proven bytes:
//
//	artifact.Ref ── Resolve ──► Selection (what was chosen, why, why not others)
//	Selection.Target ── Fetch ──► cache.Blob (length and every promised digest hold)
//
// It implements trust.Remote over its one transfer engine, so every byte that
// comes from outside, metadata too, passes the same limits, timeouts and rules
// for redirects.
//
// Guarantees: bytes get a name in the cache, and leave the process, only after
// their length and all promised digests were checked; memory stays constant
// whatever the length. An interrupted transfer leaves nothing but a locked-away
// partial file, from which the next run goes on. With Config.Offline no socket is
// opened.
//
// Where Config.Map says that several repositories must agree, no way leads past
// it: by channel, version, digest or path, online or from what is held. One that
// can't be asked is an error of its own, not a lack of approval. Not approved yet
// is passed over by channel and range, with a warning, and refused by name; what
// is contradicted is refused always. What the first repository of the mapping
// that decides has revoked is revoked (ErrRevoked by name, else passed over with
// a warning), whichever repository's catalog was asked, and whether or not the
// others agree on it; for an artifact that no mapping covers it is the mapping of
// its manifest.
//
// What comes from outside comes through package wire, which says where requests
// may go and what counts as silence: a configured grace covers a source that is
// too slow with metadata as if nothing had answered.
//
// Mirrors are trusted for nothing but speed. The newest timestamp that verifies
// wins, so that a frozen mirror is found out by any other source; what one sends
// that does not verify is asked of the next, in a bounded number of requests, so
// that none can make a refresh fail while an honest source answers. Silence is that
// of all sources. A mirror that holds back what is new wins only where the
// repository's own place, and every other mirror that is asked, is silent or slower
// by SourceConfig.Patience. With SourceConfig.MirrorsOnly no request goes elsewhere.
package fetch
