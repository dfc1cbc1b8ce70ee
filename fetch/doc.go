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
// partial file, which the next run clears. With Config.Offline no socket is
// opened.
//
// Not promised: speed. One connection per file is used, and a transfer that was
// cut starts from the beginning.
package fetch
