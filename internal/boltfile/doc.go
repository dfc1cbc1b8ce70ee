// Package boltfile opens a bbolt file for one transaction and closes it again,
// so that many processes can share the file and none holds its lock for long.
//
// A Session goes from open to close. Begin waits for the file's lock until a
// deadline or the end of a context, looks at every page, and starts a
// transaction; Commit keeps what it wrote; Close ends it, whatever came before.
// What went wrong is an *Error of one of five kinds, which the caller puts into
// words of its own. A Memory lets a process look at the pages once, and again
// only when somebody else has written to the file. A Group has its goroutines share
// transactions, and keeps the file open, and locked, as long as call follows upon
// call, for a quarter of a second at most: so many small calls cost little more than
// one.
//
// Guarantees: a file whose pages are damaged, or whose keys are out of order, is
// never followed beyond its meta pages, and never written to; with a Memory that
// holds for damage that was there when it looked. A panic or a memory fault in a
// step run by Guard, in Begin, in Commit or in Close is ErrDamaged and ends neither the process nor its use of the file:
// the lock is given up without bbolt, so that the next session can have it.
// Commit that returned nil is on stable storage. A Session that was closed
// without it changed nothing that a reader sees.
//
// Compact puts a smaller copy in the place of a file, under its lock. A session
// that has the lock of a file without the name lets it go, and takes that of the
// file that has the name now: so no commit is lost to a file that was replaced.
//
// A crash, at any point, leaves the transaction before or the whole new one:
// bbolt writes its meta page last, and that fits one sector. Pages that were
// written before it are unused, and the next writer takes them. The kernel gives
// up the lock of a process that dies. A crash while Create fills an empty file
// leaves it empty, without entries, or torn and ErrDamaged: whoever can't have
// that uses Make, which fills one under another name and renames it.
//
// Not guaranteed: anything about keys and values, as a page may be whole and yet
// hold what nobody wrote; that is the caller's to check. Nor anything against
// programs that write the file without its lock; nor, with a Memory, anything
// against damage that comes between two sessions of a process and leaves the
// file's size, time of change and meta pages as they were. After a fault the mapping stays
// until the process ends.
package boltfile
