package unpack

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// xzBlock reads one block (section 3).
type xzBlock struct {
	in       *xzInput
	data     *lzma.Reader2
	check    hash.Hash
	header   int64 // bytes
	unpadded int64 // bytes with header and check; known in the end
	size     int64 // bytes it holds, so far
	// What the header says of both; -1 if nothing.
	packedSaid, sizeSaid int64
}

// newBlock reads the header of a block, whose first byte was read (section 3.1).
func (x *xzReader) newBlock(first byte) (*xzBlock, error) {
	header := make([]byte, (int(first)+1)*4)
	header[0] = first
	if _, err := io.ReadFull(x.in, header[1:]); err != nil {
		return nil, err
	}
	fields, sum := header[:len(header)-4], header[len(header)-4:]
	if err := checkCRC(fields, sum); err != nil {
		return nil, err
	}
	flags := fields[1]
	in := &xzInput{from: bufio.NewReader(bytes.NewReader(fields[2:]))}
	block := &xzBlock{in: x.in, check: newXZCheck(x.flags), header: int64(len(header)), packedSaid: -1, sizeSaid: -1}
	for _, field := range []struct {
		bit  byte
		said *int64
	}{{0x40, &block.packedSaid}, {0x80, &block.sizeSaid}} {
		if flags&field.bit != 0 {
			value, err := in.uvarint()
			if err != nil {
				return nil, err
			}
			*field.said = int64(value)
		}
	}
	var filter [3]byte // its id, the length of its properties, and those
	if _, err := io.ReadFull(in, filter[:]); err != nil {
		return nil, err
	}
	if flags&0x3f != 0 || filter[0] != xzLZMA2 || filter[1] != 1 || filter[2] > 40 {
		return nil, fmt.Errorf("%w: expected xz with LZMA2 alone, found flags %#x and filter %x", ErrUnsupported, flags, filter)
	}
	for {
		b, err := in.ReadByte()
		if err == io.EOF {
			break
		}
		if b != 0 {
			return nil, fmt.Errorf("%w: expected padding of zeros, found %#x", errXZ, b)
		}
	}
	var err error
	block.data, err = x.newLZMA2(filter[2])
	return block, err
}

// newLZMA2 makes the decoder for a dictionary of the size that bits say.
func (x *xzReader) newLZMA2(bits byte) (*lzma.Reader2, error) {
	dictionary := int64(2|bits&1) << (bits/2 + 11)
	if bits == 40 {
		dictionary = 1<<32 - 1
	}
	if dictionary > x.window {
		return nil, &LimitError{Limit: "Window", Max: x.window, Found: uint64(dictionary)}
	}
	x.in.count = 0
	return lzma.Reader2Config{DictCap: int(dictionary)}.NewReader2(x.in)
}

// Read returns what the block holds. Before io.EOF it has checked all of it.
func (b *xzBlock) Read(p []byte) (int, error) {
	n, err := b.data.Read(p)
	b.size += int64(n)
	b.check.Write(p[:n])
	if err != io.EOF {
		return n, err
	}
	if !b.data.EOS() {
		return n, io.ErrUnexpectedEOF
	}
	return n, b.finish()
}

func (b *xzBlock) finish() error {
	packed := b.in.count
	if b.packedSaid >= 0 && b.packedSaid != packed || b.sizeSaid >= 0 && b.sizeSaid != b.size {
		return fmt.Errorf("%w: expected a block of %d bytes from %d, found %d from %d", errXZ, b.sizeSaid, b.packedSaid, b.size, packed)
	}
	if err := b.in.pad(packed); err != nil {
		return whole(err)
	}
	found := b.check.Sum(nil)
	want := make([]byte, len(found))
	if _, err := io.ReadFull(b.in, want); err != nil {
		return whole(err)
	}
	b.unpadded = b.header + packed + int64(len(want))
	// The CRCs are stored in the other order of bytes than SHA-256.
	if len(found) < sha256.Size {
		for i := range len(found) / 2 {
			found[i], found[len(found)-1-i] = found[len(found)-1-i], found[i]
		}
	}
	if !bytes.Equal(found, want) {
		return fmt.Errorf("%w: expected a check of %x, found %x", errXZ, want, found)
	}
	return io.EOF
}
