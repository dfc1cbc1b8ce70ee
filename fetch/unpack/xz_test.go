package unpack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ulikunitz/xz"
)

// handXZ is an xz file that is written by hand: one stream with one block that
// holds "hi" without a check, and what the attacks change.
type handXZ struct {
	flags    []byte // of the stream
	header   []byte // of the block, without its size, padding and CRC
	data     []byte // LZMA2
	padding  []byte
	check    []byte
	index    []byte // without indicator, padding and CRC
	indexPad []byte
	backward []byte
	footer   []byte // the flags there, and the magic
	behind   []byte
	badCRC   string // which CRC is wrong: header, block, index or footer
}

func goodXZ() handXZ {
	return handXZ{
		flags:  []byte{0, 0},
		header: []byte{0, xzLZMA2, 1, 0},
		data:   []byte{1, 0, 1, 'h', 'i', 0}, padding: []byte{0, 0},
		index: []byte{1, 18, 2}, backward: u32(1), footer: []byte("\x00\x00YZ"),
	}
}

func (h handXZ) sum(part string, data []byte) []byte {
	crc := crc32.ChecksumIEEE(data)
	if part == h.badCRC {
		crc++
	}
	return binary.LittleEndian.AppendUint32(nil, crc)
}

func (h handXZ) bytes() []byte {
	block := join([]byte{0}, h.header)
	block = append(block, make([]byte, (4-len(block)%4)%4)...)
	block[0] = byte(len(block) / 4)
	index := join([]byte{0}, h.index)
	pad := h.indexPad
	if pad == nil {
		pad = make([]byte, (4-len(index)%4)%4)
	}
	index = append(index, pad...)
	foot := join(h.backward, h.footer[:2])
	return join([]byte(xzMagic), h.flags, h.sum("header", h.flags), block, h.sum("block", block), h.data, h.padding, h.check,
		index, h.sum("index", index), h.sum("footer", foot), foot, h.footer[2:], h.behind)
}

// TestXZAttacks on the container; what is in it is the library's.
func TestXZAttacks(t *testing.T) {
	if dir, _, err := (trial{format: XZ}).run(t, goodXZ().bytes()); err != nil || list(t, dir)[0] != "a 644 hi" {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*handXZ)
		want   error
		says   string
	}{
		"unknown check":          {func(h *handXZ) { h.flags = []byte{0, 2} }, ErrUnsupported, "found flags 0002"},
		"reserved flags":         {func(h *handXZ) { h.flags = []byte{1, 0} }, ErrUnsupported, "found flags 0100"},
		"CRC of the header":      {func(h *handXZ) { h.badCRC = "header" }, ErrMalformed, "expected a CRC of"},
		"CRC of the block":       {func(h *handXZ) { h.badCRC = "block" }, ErrMalformed, "expected a CRC of"},
		"CRC of the index":       {func(h *handXZ) { h.badCRC = "index" }, ErrMalformed, "expected a CRC of"},
		"CRC of the footer":      {func(h *handXZ) { h.badCRC = "footer" }, ErrMalformed, "expected a CRC of"},
		"two filters":            {func(h *handXZ) { h.header = []byte{1, 4, 0, xzLZMA2, 1, 0} }, ErrUnsupported, "found flags 0x1"},
		"reserved filter flags":  {func(h *handXZ) { h.header[0] = 4 }, ErrUnsupported, "found flags 0x4"},
		"cut LZMA2":              {func(h *handXZ) { h.data = []byte{0xe0, 0, 1, 0, 0, 0x5d, 0} }, ErrMalformed, "expected whole xz"},
		"other filter":           {func(h *handXZ) { h.header = []byte{0, 3, 1, 0} }, ErrUnsupported, "filter 030100"},
		"long properties":        {func(h *handXZ) { h.header = []byte{0, xzLZMA2, 2, 0, 0} }, ErrUnsupported, "filter 210200"},
		"no such dictionary":     {func(h *handXZ) { h.header = []byte{0, xzLZMA2, 1, 41} }, ErrUnsupported, "filter 210129"},
		"no filter":              {func(h *handXZ) { h.header = []byte{0, xzLZMA2, 1}[:2] }, ErrMalformed, "unexpected EOF"},
		"padding of the header":  {func(h *handXZ) { h.header = []byte{0, xzLZMA2, 1, 0, 0, 7} }, ErrMalformed, "padding of zeros, found 0x7"},
		"size that is not there": {func(h *handXZ) { h.header = []byte{0x80, 0x80, 0x80} }, ErrMalformed, "unexpected EOF"},
		"size not shortest":      {func(h *handXZ) { h.header = []byte{0x80, 0x82, 0, xzLZMA2, 1, 0} }, ErrMalformed, "shortest form"},
		"size of 64 bits": {func(h *handXZ) {
			h.header = join([]byte{0x80}, bytes.Repeat([]byte{0xff}, 9), []byte{1, xzLZMA2, 1, 0})
		}, ErrMalformed, "of 63 bits"},
		"other size":              {func(h *handXZ) { h.header = []byte{0x80, 3, xzLZMA2, 1, 0} }, ErrMalformed, "expected a block of 3 bytes from -1, found 2 from 6"},
		"other packed size":       {func(h *handXZ) { h.header = []byte{0x40, 7, xzLZMA2, 1, 0} }, ErrMalformed, "expected a block of -1 bytes from 7, found 2 from 6"},
		"padding of the block":    {func(h *handXZ) { h.padding = []byte{0, 1} }, ErrMalformed, "padding of zeros, found 0x1"},
		"other check":             {func(h *handXZ) { h.flags, h.check = []byte{0, 1}, u32(7) }, ErrMalformed, "expected a check of 07000000"},
		"damaged LZMA2":           {func(h *handXZ) { h.data = []byte{3, 0, 1, 'h', 'i', 0} }, ErrMalformed, "expected whole xz"},
		"index of more blocks":    {func(h *handXZ) { h.index = []byte{2, 18, 2} }, ErrMalformed, "expected an index of 1 blocks, found 2"},
		"index of fewer blocks":   {func(h *handXZ) { h.index = []byte{0} }, ErrMalformed, "expected an index of 1 blocks, found 0"},
		"index of other blocks":   {func(h *handXZ) { h.index = []byte{1, 18, 3} }, ErrMalformed, "index of the blocks that are there"},
		"index of other lengths":  {func(h *handXZ) { h.index = []byte{1, 19, 2} }, ErrMalformed, "index of the blocks that are there"},
		"index not shortest":      {func(h *handXZ) { h.index = []byte{0x81, 0, 18, 2} }, ErrMalformed, "shortest form"},
		"index with a bad length": {func(h *handXZ) { h.index = []byte{1, 0x92, 0, 2} }, ErrMalformed, "shortest form"},
		"index with a bad size":   {func(h *handXZ) { h.index = []byte{1, 18, 0x82, 0} }, ErrMalformed, "shortest form"},
		"padding of the index": {func(h *handXZ) {
			h.data, h.padding = join([]byte{1, 0, 199}, make([]byte, 200), []byte{0}), nil
			h.index, h.indexPad = []byte{1, 0xd8, 1, 0xc8, 1}, []byte{0, 7}
		}, ErrMalformed, "padding of zeros, found 0x7"},
		"other length of index":  {func(h *handXZ) { h.backward = u32(2) }, ErrMalformed, "expected a footer with an index of 8 bytes"},
		"other flags in the end": {func(h *handXZ) { h.footer = []byte("\x00\x01YZ") }, ErrMalformed, "expected a footer"},
		"other magic in the end": {func(h *handXZ) { h.footer = []byte("\x00\x00YY") }, ErrMalformed, "expected a footer"},
		"padding of 3 bytes":     {func(h *handXZ) { h.behind = make([]byte, 3) }, ErrMalformed, "padding of 4 zeros, found 000000"},
		"padding that is none":   {func(h *handXZ) { h.behind = []byte{0, 0, 0, 1} }, ErrMalformed, "padding of 4 zeros, found 00000001"},
		"garbage behind":         {func(h *handXZ) { h.behind = []byte("no stream of xz") }, ErrMalformed, "expected a stream, found 6e6f20737472"},
	} {
		t.Run(name, func(t *testing.T) {
			h := goodXZ()
			test.change(&h)
			_, _, err := trial{format: XZ}.run(t, h.bytes())
			wantError(t, err, test.want, test.says)
		})
	}
	sized := goodXZ()
	sized.header, sized.index = []byte{0xc0, 6, 2, xzLZMA2, 1, 0}, []byte{1, 18, 2}
	if _, _, err := (trial{format: XZ}).run(t, sized.bytes()); err != nil {
		t.Errorf("with sizes in the header: %v", err)
	}
	// Streams may be padded, and follow each other.
	h := goodXZ()
	h.behind = join(make([]byte, 8), goodXZ().bytes(), make([]byte, 4))
	if dir, _, err := (trial{format: XZ}).run(t, h.bytes()); err != nil || list(t, dir)[0] != "a 644 hihi" {
		t.Error(err)
	}
}

// TestXZReader: many blocks, each check, sizes in the headers, and small reads.
func TestXZReader(t *testing.T) {
	text := []byte(strings.Repeat("Sphinx of black quartz, judge my vow. ", 5000))
	for name, config := range map[string]xz.WriterConfig{
		"none": {NoCheckSum: true}, "CRC32": {CheckSum: xz.CRC32}, "CRC64": {CheckSum: xz.CRC64}, "SHA256": {CheckSum: xz.SHA256},
		"blocks": {BlockSize: 1000}, "one": {BlockSize: 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			for _, content := range [][]byte{text, noise(100_000), nil} {
				archive := xzed(t, content, config)
				reader := newXZReader(bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(archive)), 16), 1<<20)
				found, err := io.ReadAll(reader)
				if err != nil || !bytes.Equal(found, content) {
					t.Errorf("expected %d bytes, found %d, %v", len(content), len(found), err)
				}
				if n, err := reader.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("expected the end again, found %d, %v", n, err)
				}
			}
		})
	}
}

// FuzzXZ: what this container takes, the library takes as well, and finds the
// same in it.
func FuzzXZ(f *testing.F) {
	f.Add(goodXZ().bytes())
	f.Add(xzed(f, []byte("content"), xz.WriterConfig{CheckSum: xz.SHA256}))
	f.Add(xzed(f, bytes.Repeat([]byte("content"), 100), xz.WriterConfig{BlockSize: 100}))
	f.Fuzz(func(t *testing.T, archive []byte) {
		const window = 1 << 20
		found, err := io.ReadAll(io.LimitReader(newXZReader(bufio.NewReader(bytes.NewReader(archive)), window), 1<<22))
		if err != nil || len(found) == 1<<22 {
			return
		}
		reader, err := xz.NewReader(bytes.NewReader(archive))
		if err != nil {
			t.Fatal(err)
		}
		if want, err := io.ReadAll(reader); err != nil || !slices.Equal(want, found) {
			t.Errorf("expected %x, %v, found %x", want, err, found)
		}
	})
}
