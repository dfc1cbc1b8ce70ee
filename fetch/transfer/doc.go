// Package transfer moves one object, whose digest is promised, from the places
// where it may lie into a stage of the cache.
//
// Parties: places, in the order to try, any of which may lie, stall, drip, break
// off, change the file meanwhile, or have none of it; the stage, which hashes what
// comes and says what is missing.
//
// How it goes: one request to the first place. Where an answer breaks off, the next
// request goes on from there, at the next place, or at the same one after a pause
// that grows (RFC 9110, 10.2.3 where the source says how long). Where one
// connection is found to be the bottleneck, from the rate that more of them bring,
// the largest part under way is split, as long as that makes it faster. Bytes of
// several places, and of earlier runs, make up one object.
//
// Guarantees: nothing is believed but the digest. Where the publisher has promised
// the digests of pieces, each is checked as soon as it is there: a bad one is
// fetched again from another place, and the place that sent it is named and not
// asked again. Without them a wrong digest drops what one place has sent after the
// other, until the rest is found right; a place that all of a wrong object came
// from is not asked again. Every place is given up after a bounded number of
// failures in a row. Memory is bounded by the buffers of the store.
//
// What a crash leaves is what the stage leaves: see cache.Stage. Move itself keeps
// nothing.
package transfer
