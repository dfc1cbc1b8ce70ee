// Package install turns proven blobs into files that run: a release is unpacked into
// a folder of its own, its programs are linked into a folder of links, and what runs
// is switched from one release to another in a single step. It proves nothing by
// itself: a caller hands over a blob that was proven, and has a release proven again
// before it goes back to it.
//
// In a Store's folder lie, for each product of each repository,
//
//	products/REPO/.PRODUCT.lock            who changes it has this lock
//	products/REPO/PRODUCT/7/record.json    a generation: what was installed, why, and after what
//	products/REPO/PRODUCT/7/tree/          its files, read-only
//	products/REPO/PRODUCT/7/bin/           a link into tree for each of its programs
//	products/REPO/PRODUCT/current          which generation runs
//	products/REPO/PRODUCT/held             there: it is not to be upgraded
//
// and in the folder of links BIN/hello → …/PRODUCT/current/bin/hello. So all
// programs of a product change at once, when current does: a symbolic link that is
// replaced by a rename, and on Windows a small file that the launchers read. The
// folder of a generation keeps its name, as a program may run from it; which one ran
// after which is in the records.
//
// Guarantees, whatever is killed, full or at work beside: what runs is the old
// release, or the new one, whole; a generation that has its number is complete and
// durable; a name in BIN that is somebody else's is never replaced; the blobs of all
// generations that are kept are referenced in the cache before the first of their
// files is written. What a crash leaves is a hidden folder beside the generations, a
// link whose program is not there, or a generation that nobody uses: the next
// change of the product removes it. The comments at each step say which.
//
// Marks that an operating system puts on files from outside, such as macOS's
// quarantine or the mark of the web, are neither set nor taken off.
//
// Errors wrap ErrTaken, ErrMissing, ErrUnfit, ErrDamaged, ErrRecord, ErrBusy,
// ErrMeanwhile, ErrDisk, those of packages unpack and cache, or that of the context.
package install
