package unpack

// Limits bound what one archive may make of this machine. A field that is zero
// has its default; a negative one is an ErrInvalid.
type Limits struct {
	// Files is how many files, folders and links there may be together, counting
	// folders that are only implied. The default is 262144.
	Files int64
	// Bytes is how many bytes all files together may have. Holes of sparse files count,
	// and so do hard links that have to be copied. The default is 16 GiB.
	Bytes int64
	// Ratio is how many bytes may come of one byte of the archive, at any
	// moment: of what was read so far. Headers and padding of a compressed tar
	// count as well. The default is 200; the best of real archives stay below 50.
	Ratio int64
	// Free is how many bytes the ratio does not apply to. The default is 1 MiB.
	Free int64
	// PathBytes is the length of a path, and of a link's target. The default is 1024.
	PathBytes int64
	// Depth is the number of components of a path. The default is 100.
	Depth int64
	// NameBytes is the length of all names together, as they are all held
	// until the end. Each folder's name counts once. The default is 32 MiB.
	NameBytes int64
	// Window is how many bytes the decoder of zstd or xz may keep. The default
	// is 128 MiB, which is what `zstd --ultra -22` and `zstd --long` need; `xz -9` needs 64.
	Window int64
}

// nameMax is the length of one component, in bytes, that file systems take.
const nameMax = 255

// fields pairs each limit with its default.
func (l *Limits) fields() map[*int64]int64 {
	return map[*int64]int64{
		&l.Files: 1 << 18, &l.Bytes: 16 << 30, &l.Ratio: 200, &l.Free: 1 << 20,
		&l.PathBytes: 1024, &l.Depth: 100, &l.NameBytes: 32 << 20, &l.Window: 128 << 20,
	}
}

// filled is the limits with defaults for zeros, and whether they are valid.
func (l Limits) filled() (Limits, bool) {
	valid := true
	for field, value := range l.fields() {
		if *field == 0 {
			*field = value
		}
		valid = valid && *field > 0
	}
	return l, valid
}

// budget is what was used of the limits so far.
type budget struct {
	limits  Limits
	source  *source
	entries int64
	names   int64
	written int64
	decoded int64 // of the stream that a tar is in
}

// entry takes one more file, folder or link, by its own name.
func (b *budget) entry(path, name string) error {
	if b.entries >= b.limits.Files {
		return &LimitError{"Files", b.limits.Files, uint64(b.limits.Files) + 1, path}
	}
	if found := b.names + int64(len(name)); found > b.limits.NameBytes {
		return &LimitError{"NameBytes", b.limits.NameBytes, uint64(found), path}
	}
	b.entries++
	b.names += int64(len(name))
	return nil
}

// announced refuses a file that says itself to be too large, before anything of
// it is written. Its size is unsigned, as zip's is.
func (b *budget) announced(path string, size uint64) error {
	if left := uint64(b.limits.Bytes - b.written); size > left {
		found := uint64(b.written) + size
		if found < size {
			found = size // beyond what can be counted
		}
		return &LimitError{"Bytes", b.limits.Bytes, found, path}
	}
	return nil
}

// write takes n bytes that are about to be written.
func (b *budget) write(path string, n int) error {
	if err := b.announced(path, uint64(n)); err != nil {
		return err
	}
	b.written += int64(n)
	return b.ratio(path, b.written)
}

// decode takes n bytes that were decoded, whatever becomes of them.
func (b *budget) decode(n int) error {
	b.decoded += int64(n)
	return b.ratio("", b.decoded)
}

func (b *budget) ratio(path string, bytes int64) error {
	if bytes <= b.limits.Free {
		return nil
	}
	// Divided, as a product may not fit.
	if read := b.source.read; (bytes-1)/b.limits.Ratio >= read {
		return &LimitError{"Ratio", b.limits.Ratio, uint64(bytes / max(read, 1)), path}
	}
	return nil
}
