package unpack

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
)

// The flags of an entry (section 4.4.4).
const (
	zipEncrypted  = 1 << 0
	zipDescriptor = 1 << 3 // CRC and sizes stand behind the content
	zipPatch      = 1 << 5
	zipStrong     = 1 << 6
	zipMasked     = 1 << 13
)

// The methods of compression (section 4.4.5).
const (
	zipStore   = 0
	zipDeflate = 8
)

// The types and bits of modes as Unix has them.
const (
	unixType    = 0o170000
	unixRegular = 0o100000
	unixFolder  = 0o040000
	unixLink    = 0o120000
	unixExecute = 0o111
	unixSpecial = 0o7000
)

// unzip unpacks a zip.
func (u *unpacker) unzip() error {
	directory, err := u.zipEnd()
	if err != nil {
		return err
	}
	packed := bufio.NewReaderSize(nil, bufferBytes)
	content := &zipContent{packed: packed, inflate: flate.NewReader(packed)}
	return directory.each(u, func(e *zipEntry) error {
		section, err := u.openZipEntry(directory, e)
		if err != nil {
			return err
		}
		if err := content.begin(e, section); err != nil {
			return err
		}
		return u.zipEntry(e, content)
	})
}

// mode is the one of Unix, or 0 where the entry has none.
func (e *zipEntry) mode() uint32 {
	const unix, darwin = 3, 19
	if e.host == unix || e.host == darwin {
		return e.attributes >> 16
	}
	return 0
}

// zipEntry unpacks one entry.
func (u *unpacker) zipEntry(e *zipEntry, content *zipContent) error {
	mode := e.mode()
	it := item{path: e.name, modified: e.modified, executable: mode&unixExecute != 0, special: mode&unixSpecial != 0}
	isFolder := strings.HasSuffix(e.name, "/")
	switch kind := mode & unixType; {
	case isFolder && (kind == 0 || kind == unixFolder):
		if e.size != 0 {
			return refuse(ErrMalformed, e.name, "expected a folder without content, found %d bytes", e.size)
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return err
		}
		return u.folder(it)
	case !isFolder && (kind == 0 || kind == unixRegular):
		if err := u.announced(it.path, e.size); err != nil {
			return err
		}
		return u.file(it, content)
	case !isFolder && kind == unixLink:
		if e.size > uint64(u.limits.PathBytes) {
			return &LimitError{"PathBytes", u.limits.PathBytes, e.size, e.name}
		}
		target, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		return u.symlink(it, string(target))
	default:
		return refuse(ErrUnsafe, e.name, "expected a file, a folder or a link, found mode %o", mode)
	}
}

// checkForm refuses what is not unpacked here.
func (e *zipEntry) checkForm() error {
	if e.flags&(zipEncrypted|zipStrong|zipMasked) != 0 {
		return refuse(ErrUnsupported, e.name, "expected no encryption, found flags %#x", e.flags)
	}
	if e.flags&zipPatch != 0 || e.method != zipStore && e.method != zipDeflate {
		return refuse(ErrUnsupported, e.name, "expected it stored or deflated, found method %d, flags %#x", e.method, e.flags)
	}
	if e.method == zipStore && e.packed != e.size {
		return refuse(ErrMalformed, e.name, "expected %d stored bytes, found %d", e.size, e.packed)
	}
	return nil
}

// openZipEntry reads the local header, compares it with the directory, and finds
// the content.
func (u *unpacker) openZipEntry(d *zipDirectory, e *zipEntry) (*io.SectionReader, error) {
	if err := e.checkForm(); err != nil {
		return nil, err
	}
	offset := int64(e.offset)
	fixed, err := u.source.bytesAt(offset, zipLocalBytes)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if string(fixed[:4]) != zipLocalSig {
		return nil, refuse(ErrMalformed, e.name, "expected a local header at %d, found %x", offset, fixed[:4])
	}
	nameBytes, extraBytes := int64(le.Uint16(fixed[26:])), int64(le.Uint16(fixed[28:]))
	rest, err := u.source.bytesAt(offset+zipLocalBytes, nameBytes+extraBytes)
	if err != nil {
		return nil, err
	}
	begin := offset + zipLocalBytes + nameBytes + extraBytes
	if room := d.room(offset) - begin; room < 0 || e.packed > uint64(room) {
		return nil, refuse(ErrMalformed, e.name, "expected %d bytes that are no other entry's, found room for %d", e.packed, room)
	}
	local := &zipEntry{
		name: string(rest[:nameBytes]), flags: le.Uint16(fixed[6:]), method: le.Uint16(fixed[8:]), crc: le.Uint32(fixed[14:]),
		packed: uint64(le.Uint32(fixed[18:])), size: uint64(le.Uint32(fixed[22:])),
	}
	extra := rest[nameBytes:]
	if err := widen(e.name, extra, &local.size, &local.packed); err != nil {
		return nil, err
	}
	if err := local.readExtra(extra); err != nil {
		return nil, err
	}
	if err := e.compare(local); err != nil {
		return nil, err
	}
	end := begin + int64(e.packed)
	if e.flags&zipDescriptor != 0 {
		if err := u.checkDescriptor(e, end, d.room(offset)); err != nil {
			return nil, err
		}
	}
	return u.source.section(begin, int64(e.packed)), nil
}

// compare checks that the local header says the same. Where a descriptor follows,
// it may leave CRC and sizes open.
func (e *zipEntry) compare(local *zipEntry) error {
	const telling = zipEncrypted | zipDescriptor | zipPatch | zipStrong | zipMasked
	if local.name != e.name {
		return refuse(ErrMalformed, e.name, "expected that name in its local header, found %s", quote(local.name))
	}
	if local.method != e.method || local.flags&telling != e.flags&telling {
		return refuse(ErrMalformed, e.name, "expected method %d, flags %#x in its local header, found %d, %#x", e.method, e.flags, local.method, local.flags)
	}
	open := e.flags&zipDescriptor != 0
	for _, pair := range [][2]uint64{{e.packed, local.packed}, {e.size, local.size}, {uint64(e.crc), uint64(local.crc)}} {
		if said := pair[1]; said != pair[0] && !(open && said == 0) {
			return refuse(ErrMalformed, e.name, "expected %d bytes from %d, CRC %08x, in its local header, found %d from %d, CRC %08x",
				e.size, e.packed, e.crc, local.size, local.packed, local.crc)
		}
	}
	return nil
}

// checkDescriptor checks what stands behind the content, in one of its four forms
// (section 4.3.9): with or without a signature, with sizes of 4 or 8 bytes.
func (u *unpacker) checkDescriptor(e *zipEntry, at, room int64) error {
	const longest = 4 + 4 + 8 + 8
	found, err := u.source.bytesAt(at, min(longest, room-at))
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	var narrow, wide []byte
	for _, size := range []uint64{e.packed, e.size} {
		narrow, wide = le.AppendUint32(narrow, uint32(size)), le.AppendUint64(wide, size)
	}
	crc := le.AppendUint32(nil, e.crc)
	for _, sizes := range [][]byte{narrow, wide} {
		form := slices.Concat(crc, sizes)
		if strings.HasPrefix(strings.TrimPrefix(string(found), zipDescSig), string(form)) {
			return nil
		}
	}
	return refuse(ErrMalformed, e.name, "expected %d bytes from %d, CRC %08x, behind its content, found %x", e.size, e.packed, e.crc, found)
}

// zipContent reads the content of one entry after the other, and ends each only if
// all of it is right.
type zipContent struct {
	packed  *bufio.Reader
	inflate io.Reader // from packed, of which it takes single bytes and no more than it needs
	entry   *zipEntry
	plain   io.Reader
	size    uint64
	crc     uint32
}

// begin goes on to an entry.
func (c *zipContent) begin(e *zipEntry, section *io.SectionReader) error {
	c.packed.Reset(section)
	c.entry, c.plain, c.size, c.crc = e, c.packed, 0, 0
	if e.method == zipStore {
		return nil
	}
	c.plain = c.inflate
	return c.inflate.(flate.Resetter).Reset(c.packed, nil)
}

// Read returns what the entry holds. One byte more than the directory says is an
// error.
func (c *zipContent) Read(p []byte) (int, error) {
	n, err := c.plain.Read(p)
	c.size += uint64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	if c.size > c.entry.size {
		return 0, refuse(ErrMalformed, c.entry.name, "expected %d bytes, found more", c.entry.size)
	}
	if err != io.EOF {
		return n, err
	}
	if c.size != c.entry.size || c.crc != c.entry.crc {
		return 0, refuse(ErrMalformed, c.entry.name, "expected %d bytes with CRC %08x, found %d with %08x", c.entry.size, c.entry.crc, c.size, c.crc)
	}
	if _, err := c.packed.ReadByte(); err != io.EOF {
		if err != nil {
			return 0, err
		}
		return 0, refuse(ErrMalformed, c.entry.name, "expected %d compressed bytes, found the end before", c.entry.packed)
	}
	return n, io.EOF
}
