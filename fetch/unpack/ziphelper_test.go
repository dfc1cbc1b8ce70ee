package unpack

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// ze is an entry of a zip that is written by hand, with what the attacks change.
type ze struct {
	name    string
	body    string
	mode    uint32 // as Unix has it; 0 for an entry without
	deflate bool
	extra   []byte // in the directory
	flags   uint16
	// What stands behind the content; with flags zipDescriptor only.
	descriptor []byte
	local      func(header []byte) []byte // changes the local header
	central    func(header []byte)        // changes the entry of the directory
	tail       []byte                     // compressed, behind the content proper
}

// zipped is a zip before its end record is made.
type zipped struct {
	data    []byte
	offset  int // of the directory
	entries int
	comment string
}

func u16(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
func u32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
func u64(v uint64) []byte {
	return binary.LittleEndian.AppendUint64(nil, v)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// deflated compresses as zip does.
func deflated(t testing.TB, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipParts makes all but the end record.
func zipParts(t testing.TB, entries ...ze) zipped {
	t.Helper()
	var data, directory []byte
	for _, e := range entries {
		packed, method := []byte(e.body), zipStore
		if e.deflate {
			packed, method = deflated(t, e.body), zipDeflate
		}
		packed = append(packed, e.tail...)
		crc := int(crc32.ChecksumIEEE([]byte(e.body)))
		// Version 2.0, flags, method, 2026-03-04 05:06:08.
		head := join(u16(20), u16(int(e.flags)), u16(method), u16(5<<11|6<<5|4), u16(46<<9|3<<5|4))
		numbers := join(u32(crc), u32(len(packed)), u32(len(e.body)))
		open := numbers
		if e.flags&zipDescriptor != 0 {
			open = make([]byte, 12)
		}
		local := join([]byte(zipLocalSig), head, open, u16(len(e.name)), u16(0), []byte(e.name))
		if e.local != nil {
			local = e.local(local)
		}
		central := join([]byte(zipCentralSig), u16(3<<8|20), head, numbers, u16(len(e.name)), u16(len(e.extra)), u16(0),
			u16(0), u16(0), u32(int(e.mode<<16)), u32(len(data)), []byte(e.name), e.extra)
		if e.central != nil {
			e.central(central)
		}
		data = append(append(append(data, local...), packed...), e.descriptor...)
		directory = append(directory, central...)
	}
	return zipped{data: append(data, directory...), offset: len(data), entries: len(entries)}
}

// end writes the end record.
func (z zipped) end() []byte {
	return join(z.data, []byte(zipEndSig), u32(0), u16(z.entries), u16(z.entries), u32(len(z.data)-z.offset), u32(z.offset),
		u16(len(z.comment)), []byte(z.comment))
}

// end64 writes zip64's records, and an end record that points to them.
func (z zipped) end64() []byte {
	at := len(z.data)
	return join(z.data,
		[]byte(zipEnd64Sig), u64(44), u16(45), u16(45), u32(0), u32(0), u64(uint64(z.entries)), u64(uint64(z.entries)),
		u64(uint64(len(z.data)-z.offset)), u64(uint64(z.offset)),
		[]byte(zipLocatorSig), u32(0), u64(uint64(at)), u32(1),
		[]byte(zipEndSig), u32(0), u16(0xffff), u16(0xffff), u32(-1), u32(-1), u16(0))
}

// zipOf makes a whole zip.
func zipOf(t testing.TB, entries ...ze) []byte {
	t.Helper()
	return zipParts(t, entries...).end()
}

// at changes a byte string from an offset on.
func at(offset int, value ...[]byte) func([]byte) {
	return func(header []byte) { copy(header[offset:], join(value...)) }
}

// localAt is at for a local header.
func localAt(offset int, value ...[]byte) func([]byte) []byte {
	return func(header []byte) []byte {
		at(offset, value...)(header)
		return header
	}
}
