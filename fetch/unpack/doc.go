// Package unpack turns a proven archive into a folder: tar, plain or compressed,
// zip, and single files in gzip, zstd, xz or bzip2.
//
// That the bytes are the right ones does not make them harmless, so the archive
// counts as hostile all the same.
//
// # Guarantees
//
// Nothing is written outside the new folder, by no name, link or type of entry,
// nor through a link that stands anywhere already: all writing goes through an
// os.Root on a folder that this package made. What could lead out is refused,
// never skipped, mended or written as something else:
//
//   - names that are absolute, have a component "..", a backslash, a control
//     character, or are not valid UTF-8; on Windows also those that it reserves
//   - symbolic links, unless relative and inside: ".." may only lead the target
//     and not climb above the folder. What follows only descends, so a chain of
//     such links, in whatever order they are made, stays inside as well
//   - entries below a symbolic link, whatever it leads to
//   - hard links, unless to a regular file that this archive has unpacked
//   - devices, fifos, sockets, and types that are not known
//   - one name twice, unless both are folders. Where file systems take letters
//     of either case for the same, on macOS and Windows, names that differ only so
//     (by simple folding and canonical equivalence) are one name. Other systems tell
//     them apart, and real archives have such pairs; should a folder of such
//     a system not tell them apart, the second one is refused when it is made
//   - archives that two programs could read differently: a zip whose local headers
//     and directory disagree, whose entries overlap, or with bytes around it; a tar
//     without its end, with something behind it, or with names for all entries at once
//
// Every limit of Limits holds at every moment: bytes are counted before they are
// written, and what is beyond a limit is an error, never a short file.
//
// The folder appears whole or not at all. Everything is written into
// ".NAME.assay-RANDOM/tree" beside it, which nobody else can enter; files and folders
// are synced, and then one rename gives the folder its name. After an error
// nothing is left. A crash leaves the hidden folder, which its process had locked:
// the next Into for the same name removes it, where locks are not to be had after a day.
//
// # What becomes of an entry
//
// Files have mode 0644, or 0755 if anybody may execute them in the archive, and
// folders 0755, before umask. Setuid, setgid and sticky bits are dropped, and Report counts
// those; owners and extended attributes are dropped. The times of files and
// folders are the archive's, moved into the years from 1970 to 2106; those of links are not set.
// Sparse files are written out, holes and all. Hard links are hard links,
// or copies, counted as such, where the file system has none.
//
// # Memory
//
// It does not grow with the bytes unpacked. It grows with the names, as all of them
// are known until the end, and is bounded by Limits.Files and Limits.NameBytes;
// decoders have Limits.Window, and some buffers besides.
//
// # Not guaranteed
//
// That another process of the same user does not meddle with the hidden folder
// meanwhile. That what was unpacked is safe to run.
package unpack
