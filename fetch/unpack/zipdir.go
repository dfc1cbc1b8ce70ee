package unpack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"time"
)

// The directory of a zip, by APPNOTE 6.3.10. The standard library's reader holds
// the whole directory, and does not show the local headers, so this one reads
// both: one entry at a time, each compared with its local header.

const (
	zipLocalSig     = "PK\x03\x04"
	zipCentralSig   = "PK\x01\x02"
	zipEndSig       = "PK\x05\x06"
	zipEnd64Sig     = "PK\x06\x06"
	zipLocatorSig   = "PK\x06\x07"
	zipDescSig      = "PK\x07\x08"
	zipLocalBytes   = 30
	zipCentralBytes = 46
	zipEndBytes     = 22
	zipEnd64Bytes   = 56
	zipLocatorBytes = 20
)

// The extra fields that say something about names, sizes and times.
const (
	zipExtra64   = 0x0001
	zipExtraTime = 0x5455
	zipExtraName = 0x7075
)

// zipDirectory is where the entries are listed.
type zipDirectory struct {
	offset, size int64
	entries      uint64
	starts       []int64 // of the local headers, sorted, and the directory's own
}

// badZip makes an error of a zip as a whole.
func badZip(format string, args ...any) error {
	return fmt.Errorf("%w: zip: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// bytesAt reads n bytes, all of them.
func (s *source) bytesAt(off, n int64) ([]byte, error) {
	if n > s.file.Size-off {
		return nil, badZip("expected %d bytes at %d, found an archive of %d", n, off, s.file.Size)
	}
	p := make([]byte, n)
	_, err := io.ReadFull(s.section(off, n), p)
	return p, err
}

// zipEnd finds the end record, which is the last thing in the file (section
// 4.3.16), and from it the directory.
func (u *unpacker) zipEnd() (*zipDirectory, error) {
	size := u.source.file.Size
	tail, err := u.source.bytesAt(max(0, size-zipEndBytes-math.MaxUint16), min(size, zipEndBytes+math.MaxUint16))
	if err != nil {
		return nil, err
	}
	at := bytes.LastIndex(tail, []byte(zipEndSig))
	if at < 0 || len(tail)-at < zipEndBytes {
		return nil, badZip("expected an end record, found none")
	}
	end := tail[at:]
	if comment := int(binary.LittleEndian.Uint16(end[20:])); len(end) != zipEndBytes+comment {
		return nil, badZip("expected the end behind a comment of %d bytes, found it after %d", comment, len(end)-zipEndBytes)
	}
	offset := size - int64(len(end))
	entriesHere, entries := uint64(binary.LittleEndian.Uint16(end[8:])), uint64(binary.LittleEndian.Uint16(end[10:]))
	if part := binary.LittleEndian.Uint16(end[4:]); part != 0 && part != math.MaxUint16 || entriesHere != entries {
		return nil, fmt.Errorf("%w: expected a zip in one part, found part %d with %d of %d entries", ErrUnsupported, part, entriesHere, entries)
	}
	length, start := uint64(binary.LittleEndian.Uint32(end[12:])), uint64(binary.LittleEndian.Uint32(end[16:]))
	found := [3]uint64{entries, length, start}
	wide, widened, err := u.zipEnd64(offset)
	if err != nil {
		return nil, err
	}
	if widened < 0 {
		return u.zipDirectory(found, offset)
	}
	for i, unsaid := range [3]uint64{math.MaxUint16, math.MaxUint32, math.MaxUint32} {
		if found[i] != wide[i] && found[i] != unsaid {
			return nil, badZip("expected both end records to agree, found %d and %d", found, wide)
		}
	}
	return u.zipDirectory(wide, widened)
}

// zipEnd64 reads the number of entries, the directory's length and where it
// begins from the zip64 record before the end record at off (sections 4.3.14 and
// 4.3.15). It returns where the record begins, or -1 if there is none.
func (u *unpacker) zipEnd64(off int64) ([3]uint64, int64, error) {
	none := [3]uint64{}
	if off < zipLocatorBytes {
		return none, -1, nil
	}
	locator, err := u.source.bytesAt(off-zipLocatorBytes, zipLocatorBytes)
	if err != nil {
		return none, -1, err
	}
	if string(locator[:4]) != zipLocatorSig {
		return none, -1, nil
	}
	at := binary.LittleEndian.Uint64(locator[8:])
	if part, parts := binary.LittleEndian.Uint32(locator[4:]), binary.LittleEndian.Uint32(locator[16:]); part != 0 || parts != 1 {
		return none, -1, fmt.Errorf("%w: expected a zip in one part, found the directory in part %d of %d", ErrUnsupported, part, parts)
	}
	if at > uint64(off) {
		return none, -1, badZip("expected a zip64 end record before %d, found one said to be at %d", off, at)
	}
	record, err := u.source.bytesAt(int64(at), zipEnd64Bytes)
	if err != nil {
		return none, -1, err
	}
	length := binary.LittleEndian.Uint64(record[4:])
	if string(record[:4]) != zipEnd64Sig || length != uint64(off)-zipLocatorBytes-at-12 {
		return none, -1, badZip("expected a zip64 end record at %d, up to its locator, found %x with %d bytes", at, record[:4], length)
	}
	entries := binary.LittleEndian.Uint64(record[32:])
	if here := binary.LittleEndian.Uint64(record[24:]); here != entries {
		return none, -1, fmt.Errorf("%w: expected a zip in one part, found %d of %d entries", ErrUnsupported, here, entries)
	}
	return [3]uint64{entries, binary.LittleEndian.Uint64(record[40:]), binary.LittleEndian.Uint64(record[48:])}, int64(at), nil
}

// zipDirectory checks what the end records, of which the first is at end, say of
// the directory, and notes where its entries begin.
func (u *unpacker) zipDirectory(found [3]uint64, end int64) (*zipDirectory, error) {
	entries, length, start := found[0], found[1], found[2]
	if length > uint64(end) || start != uint64(end)-length {
		return nil, badZip("expected a directory of %d bytes at %d, up to its end record at %d", length, start, end)
	}
	// Before any of it is read: the list below has one number for each.
	if entries > uint64(u.limits.Files) {
		return nil, &LimitError{Limit: "Files", Max: u.limits.Files, Found: entries}
	}
	if entries > length/zipCentralBytes {
		return nil, badZip("expected %d entries in a directory, found %d bytes", entries, length)
	}
	d := &zipDirectory{offset: int64(start), size: int64(length), entries: entries}
	err := d.each(u, func(e *zipEntry) error {
		d.starts = append(d.starts, int64(e.offset))
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.starts = append(d.starts, d.offset)
	slices.Sort(d.starts)
	for i, at := range d.starts {
		if i > 0 && at == d.starts[i-1] {
			return nil, badZip("expected entries apart from each other, found two at %d", at)
		}
	}
	if d.starts[0] != 0 {
		return nil, badZip("expected the first entry at 0, found it at %d", d.starts[0])
	}
	return d, nil
}

// room is where the next thing begins behind the local header at off.
func (d *zipDirectory) room(off int64) int64 {
	at, _ := slices.BinarySearch(d.starts, off+1)
	return d.starts[at]
}

// zipEntry is what the directory says of one entry (section 4.3.12).
type zipEntry struct {
	name         string
	host         byte // whose attributes they are
	attributes   uint32
	flags        uint16
	method       uint16
	crc          uint32
	packed, size uint64
	offset       uint64
	modified     time.Time
}

// each reads the directory, entry by entry.
func (d *zipDirectory) each(u *unpacker, use func(*zipEntry) error) error {
	section := u.source.section(d.offset, d.size)
	reader := bufio.NewReaderSize(section, bufferBytes)
	for range d.entries {
		entry, err := readZipEntry(reader)
		if err != nil {
			return err
		}
		if entry.offset >= uint64(d.offset) {
			return refuse(ErrMalformed, entry.name, "expected it before the directory at %d, found it at %d", d.offset, entry.offset)
		}
		if err := use(entry); err != nil {
			return err
		}
	}
	if _, err := reader.ReadByte(); err != io.EOF {
		if err != nil {
			return err
		}
		return badZip("expected %d entries in the directory, found more", d.entries)
	}
	return nil
}

func readZipEntry(r io.Reader) (*zipEntry, error) {
	var fixed [zipCentralBytes]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return nil, err
	}
	if string(fixed[:4]) != zipCentralSig {
		return nil, badZip("expected an entry of the directory, found %x", fixed[:4])
	}
	le := binary.LittleEndian
	nameBytes, extraBytes, commentBytes := int(le.Uint16(fixed[28:])), int(le.Uint16(fixed[30:])), int(le.Uint16(fixed[32:]))
	rest := make([]byte, nameBytes+extraBytes+commentBytes)
	if _, err := io.ReadFull(r, rest); err != nil {
		return nil, whole(err)
	}
	e := &zipEntry{
		name: string(rest[:nameBytes]), host: fixed[5], attributes: le.Uint32(fixed[38:]),
		flags: le.Uint16(fixed[8:]), method: le.Uint16(fixed[10:]), crc: le.Uint32(fixed[16:]),
		packed: uint64(le.Uint32(fixed[20:])), size: uint64(le.Uint32(fixed[24:])), offset: uint64(le.Uint32(fixed[42:])),
		modified: dosTime(le.Uint16(fixed[14:]), le.Uint16(fixed[12:])),
	}
	extra := rest[nameBytes : nameBytes+extraBytes]
	if err := widen(e.name, extra, &e.size, &e.packed, &e.offset); err != nil {
		return nil, err
	}
	if part := le.Uint16(fixed[34:]); part != 0 && part != math.MaxUint16 {
		return nil, fmt.Errorf("%w: expected a zip in one part, found an entry in part %d", ErrUnsupported, part)
	}
	return e, e.readExtra(extra)
}

// extras calls use for each extra field. What is left at the end and is too
// short for one is padding, which some tools write to align the content.
func extras(name string, extra []byte, use func(id uint16, field []byte) error) error {
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			return refuse(ErrMalformed, name, "expected an extra field of %d bytes, found %d", size, len(extra))
		}
		if err := use(id, extra[:size]); err != nil {
			return err
		}
		extra = extra[size:]
	}
	return nil
}

// widen puts the 64-bit numbers of zip64 in place of the values that are all
// ones, in the order in which they come (section 4.5.3).
func widen(name string, extra []byte, values ...*uint64) error {
	seen := false
	return extras(name, extra, func(id uint16, field []byte) error {
		if id != zipExtra64 {
			return nil
		}
		if seen {
			return refuse(ErrMalformed, name, "expected one zip64 field, found two")
		}
		seen = true
		for _, value := range values {
			if *value != math.MaxUint32 {
				continue
			}
			if len(field) < 8 {
				return refuse(ErrMalformed, name, "expected 8 bytes more of a zip64 field, found %d", len(field))
			}
			*value = binary.LittleEndian.Uint64(field)
			field = field[8:]
		}
		return nil
	})
}

// readExtra takes the time to the second, and refuses a second name.
func (e *zipEntry) readExtra(extra []byte) error {
	return extras(e.name, extra, func(id uint16, field []byte) error {
		switch id {
		case zipExtraTime:
			if len(field) >= 5 && field[0]&1 != 0 {
				e.modified = time.Unix(int64(int32(binary.LittleEndian.Uint32(field[1:]))), 0)
			}
		case zipExtraName:
			// Valid only with the CRC of the name that it replaces.
			stale := len(field) < 5 || binary.LittleEndian.Uint32(field[1:]) != crc32.ChecksumIEEE([]byte(e.name))
			if !stale && string(field[5:]) != e.name {
				return refuse(ErrUnsafe, e.name, "expected one name, found %s as well", quote(string(field[5:])))
			}
		}
		return nil
	})
}

// dosTime is a time without a zone, which is taken for UTC: the same everywhere.
func dosTime(date, clock uint16) time.Time {
	if date == 0 {
		return time.Time{}
	}
	return time.Date(int(date>>9)+1980, time.Month(date>>5&15), int(date&31), int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}
