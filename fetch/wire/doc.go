// Package wire asks sources for bytes: one HTTP engine, and files of this
// machine. It verifies nothing; that is for those who read from it.
//
// Parties: a source (a server, or a folder) that may lie, stall or drip; the
// proxies in between; whoever asks. An Engine is safe for several goroutines and
// sets nothing global.
//
// Guarantees: bytes come as they lie on the server, never unpacked on the way
// (RFC 9110, 8.4). A part of a file is what was asked for: a 206 with another range
// than that is refused, a 200 is told as the whole that it is (RFC 9110, 14). A
// redirect never leaves TLS, tells nothing of the URL before it, and takes no
// credentials to another origin.
// Credentials go to the scheme, host and port that they are for, over TLS or to
// this very machine, and come, in this order, from the request, from its URL, and
// from the settings of its host; a host without settings gets none.
// A request goes where the configuration says; where a source elsewhere points,
// it goes only to hosts elsewhere, never to this machine or its link, whatever a
// name resolves to. Private networks are not kept out, and behind a proxy it is
// the proxy that resolves names. Messages hold no user, password or query of a
// URL, and nothing that a terminal would obey. Who gives up gets the cause of it
// back, and no failure of a source.
//
// A source that is too slow with a document, metadata for one, counts as silent:
// no byte for Options.Idle, or less than Options.Pace over Options.Document, is
// trust.ErrNoAnswer, with a message of its own. Time in which a document
// waits for us, for a free connection or for the limit of bandwidth, does not count.
package wire
