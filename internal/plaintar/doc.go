// Package plaintar writes a tar of regular files that has nothing of the machine or
// the time in it, and reads it back strictly: whoever reads says which entry comes
// next, and anything else is an error. So an archive can't choose a path, repeat a
// name, bring a link, a device or a sparse file, or hold more than was announced.
//
// Guarantees: the same names and bytes give the same archive. A Reader holds no more
// than its caller takes, and the few headers of one entry; it hands out no byte of an
// entry that is not the expected one, and End tells whether anything follows.
//
// Not guaranteed: that the bytes are right. Whoever reads compares digests.
package plaintar
