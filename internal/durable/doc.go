// Package durable writes files so that a crash leaves either the old state or
// the new one, never a torn mixture, and never forgets what it reported as
// done.
//
// Guarantees: when a function here returns nil, the content and the name are
// on stable storage as far as fsync reaches (the file, then the folder that
// holds the name). Before that the final name is absent or holds what it held
// before. A symbolic link planted under a temporary or a final name is never
// written through.
//
// Not guaranteed: anything against a disk that acknowledges an fsync it did
// not do, and, on Windows, the durability of the name itself: folders can't be
// synced there.
package durable
