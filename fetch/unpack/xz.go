package unpack

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// The container of xz, by version 1.2.1 of its specification, around the
// library's LZMA2. The library's own takes whatever dictionary a block asks for, up
// to 4 GiB, and holds a list of all blocks; here both are bounded.

const xzMagic = "\xfd7zXZ\x00"

const (
	xzFlagBytes   = 2
	xzFooterMagic = "YZ"
	xzLZMA2       = 0x21 // the one filter that is known
)

// errXZ is wrapped by errors about the container.
var errXZ = errors.New("xz")

// xzReader reads all streams of an xz file.
type xzReader struct {
	in     *xzInput
	window int64
	flags  [xzFlagBytes]byte // of the stream that is being read
	block  *xzBlock          // nil between blocks
	blocks xzIndex           // those that were read
	begun  bool
	failed error // repeated from then on; io.EOF in the end
}

func newXZReader(r *bufio.Reader, window int64) *xzReader {
	return &xzReader{in: &xzInput{from: r}, window: window}
}

// Read returns what the blocks hold.
func (x *xzReader) Read(p []byte) (int, error) {
	for x.failed == nil {
		if x.block == nil {
			x.failed = x.next()
			continue
		}
		n, err := x.block.Read(p)
		if err == io.EOF {
			x.blocks.add(x.block.unpadded, x.block.size)
			x.block, err = nil, nil
		}
		x.failed = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, x.failed
}

// next goes on to the next block, over the end of a stream if need be.
func (x *xzReader) next() error {
	if !x.begun {
		err := x.header()
		x.begun = err == nil
		return whole(err)
	}
	size, err := x.in.ReadByte()
	if err != nil {
		return whole(err)
	}
	if size != 0 {
		x.block, err = x.newBlock(size)
		return whole(err)
	}
	if err := x.tail(); err != nil {
		return whole(err)
	}
	x.blocks, x.begun = xzIndex{}, false
	return x.padding()
}

// whole makes an early end an error.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// header reads the header of a stream (section 2.1.1).
func (x *xzReader) header() error {
	var head [len(xzMagic) + xzFlagBytes + 4]byte
	if _, err := io.ReadFull(x.in, head[:]); err != nil {
		return err
	}
	if string(head[:len(xzMagic)]) != xzMagic {
		return fmt.Errorf("%w: expected a stream, found %x", errXZ, head[:len(xzMagic)])
	}
	flags := head[len(xzMagic):]
	if err := checkCRC(flags[:xzFlagBytes], flags[xzFlagBytes:]); err != nil {
		return err
	}
	copy(x.flags[:], flags)
	if newXZCheck(x.flags) == nil {
		return fmt.Errorf("%w: expected xz with a check that is known, found flags %x", ErrUnsupported, x.flags)
	}
	return nil
}

// padding reads zeros between streams, or up to the end (section 2.2).
func (x *xzReader) padding() error {
	for {
		next, err := x.in.from.Peek(4)
		if len(next) == 0 {
			return err // io.EOF, if this is the end
		}
		if next[0] != 0 {
			return nil // a stream
		}
		if !bytes.Equal(next, make([]byte, 4)) {
			return fmt.Errorf("%w: expected padding of 4 zeros, found %x", errXZ, next)
		}
		if _, err := x.in.from.Discard(4); err != nil {
			return err
		}
	}
}

// tail reads the index, whose indicator was read, and the footer (sections 4
// and 2.1.2).
func (x *xzReader) tail() error {
	x.in.count, x.in.crc = 1, crc32.ChecksumIEEE([]byte{0}) // of the indicator
	count, err := x.in.uvarint()
	if err != nil {
		return err
	}
	if count != x.blocks.count {
		return fmt.Errorf("%w: expected an index of %d blocks, found %d", errXZ, x.blocks.count, count)
	}
	var listed xzIndex
	for range count {
		unpadded, err := x.in.uvarint()
		if err != nil {
			return err
		}
		size, err := x.in.uvarint()
		if err != nil {
			return err
		}
		listed.add(int64(unpadded), int64(size))
	}
	if listed.digest() != x.blocks.digest() {
		return fmt.Errorf("%w: expected an index of the blocks that are there, found another", errXZ)
	}
	if err := x.in.pad(x.in.count); err != nil {
		return err
	}
	if err := x.in.endCRC(); err != nil {
		return err
	}
	length := x.in.count
	var foot [4 + 4 + xzFlagBytes + len(xzFooterMagic)]byte
	if _, err := io.ReadFull(x.in, foot[:]); err != nil {
		return err
	}
	if err := checkCRC(foot[4:10], foot[:4]); err != nil {
		return err
	}
	backward := (int64(binary.LittleEndian.Uint32(foot[4:])) + 1) * 4
	if backward != length || !bytes.Equal(foot[8:10], x.flags[:]) || string(foot[10:]) != xzFooterMagic {
		return fmt.Errorf("%w: expected a footer with an index of %d bytes and flags %x, found %x", errXZ, length, x.flags, foot)
	}
	return nil
}

// xzIndex is what is known of the blocks of a stream, in constant memory.
type xzIndex struct {
	count uint64
	hash  hash.Hash
}

func (i *xzIndex) add(unpadded, size int64) {
	if i.hash == nil {
		i.hash = sha256.New()
	}
	i.count++
	var record [16]byte
	binary.LittleEndian.PutUint64(record[:], uint64(unpadded))
	binary.LittleEndian.PutUint64(record[8:], uint64(size))
	i.hash.Write(record[:])
}

func (i *xzIndex) digest() string {
	if i.hash == nil {
		return ""
	}
	return string(i.hash.Sum(nil))
}

// newXZCheck is the check of a stream's blocks (section 2.1.1.2); nil if it is
// not known.
func newXZCheck(flags [xzFlagBytes]byte) hash.Hash {
	if flags[0] != 0 {
		return nil
	}
	switch flags[1] {
	case 0:
		return noCheck{}
	case 1:
		return crc32.NewIEEE()
	case 4:
		return crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		return sha256.New()
	}
	return nil
}

// noCheck is the check of streams that have none.
type noCheck struct{ hash.Hash }

// Write takes all.
func (noCheck) Write(p []byte) (int, error) { return len(p), nil }

// Sum appends nothing.
func (noCheck) Sum(b []byte) []byte { return b }

func checkCRC(data, want []byte) error {
	if found := crc32.ChecksumIEEE(data); found != binary.LittleEndian.Uint32(want) {
		return fmt.Errorf("%w: expected a CRC of %08x, found %x", errXZ, found, want)
	}
	return nil
}

// xzInput counts the bytes of a part of the file, and sums them up.
type xzInput struct {
	from  *bufio.Reader
	count int64
	crc   uint32
}

// ReadByte counts one.
func (in *xzInput) ReadByte() (byte, error) {
	b, err := in.from.ReadByte()
	if err == nil {
		in.count++
	}
	return b, err
}

// Read counts what it reads.
func (in *xzInput) Read(p []byte) (int, error) {
	n, err := in.from.Read(p)
	in.count += int64(n)
	return n, err
}

// byte reads one that the CRC covers.
func (in *xzInput) byte() (byte, error) {
	b, err := in.ReadByte()
	in.crc = crc32.Update(in.crc, crc32.IEEETable, []byte{b})
	return b, err
}

// uvarint reads a number of at most 63 bits (section 1.2).
func (in *xzInput) uvarint() (uint64, error) {
	var value uint64
	for shift := 0; shift < 63; shift += 7 {
		b, err := in.byte()
		if err != nil {
			return 0, err
		}
		value |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			if b == 0 && shift > 0 {
				break // not the shortest form
			}
			return value, nil
		}
	}
	return 0, fmt.Errorf("%w: expected a number in its shortest form, of 63 bits", errXZ)
}

// pad reads zeros up to a multiple of four bytes behind count.
func (in *xzInput) pad(count int64) error {
	for ; count%4 != 0; count++ {
		b, err := in.byte()
		if err != nil {
			return err
		}
		if b != 0 {
			return fmt.Errorf("%w: expected padding of zeros, found %#x", errXZ, b)
		}
	}
	return nil
}

// endCRC compares the CRC of the index with the one that comes next.
func (in *xzInput) endCRC() error {
	var want [4]byte
	if _, err := io.ReadFull(in, want[:]); err != nil {
		return err
	}
	if found := binary.LittleEndian.Uint32(want[:]); found != in.crc {
		return fmt.Errorf("%w: expected a CRC of %08x, found %08x", errXZ, in.crc, found)
	}
	return nil
}
