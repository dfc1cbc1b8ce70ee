// Package airgap carries what a mirror publishes to where there is no network: as
// volumes that another mirror imports, or as a tree of files that any web server
// serves.
//
//	storage.Reader ── Export ──► volumes ──► Inbox ── Upstream ──► a run of package mirror
//
// A volume is a tar (see package plaintar) with these entries, in this order:
//
//	head.json          a Head: which repository and generation, which volume of which set
//	contents.txt       a line for each object in the volume: its name, digest and length
//	metadata/NAME      metadata files, the root chain first, the timestamp last
//	blobs/ALG/HEX      targets, by their digest, in its order
//
// and in the last volume of a set
//
//	digests.txt        a line, as in contents.txt, for each object of the generation;
//	                   its SHA-256 is the id of the export
//	elsewhere.txt      a line for each of them that is not in the set: its digest, and
//	                   the id of the export that has it, or that of an inventory
//
// A head commits to the contents of all volumes of its set, and the set's id to the
// head, so that each volume can be checked by itself and against each other one. An
// export leaves a record, which the next one takes to leave out what was sent.
//
// Guarantees: the same generation gives the same bytes. What is imported is unpacked
// into a folder of its own, held against its announced length and digest, and gets no
// final name: a run of package mirror then proves it like what came over a network,
// by the receiver's own clock, root and floors, and publishes all of it or nothing.
// An import that was cut off, at whatever step, goes on where it is repeated.
//
// Not guaranteed: that a volume is from who it says. Nothing in it is believed: heads
// and lists only decide what is unpacked, and what to tell.
package airgap
