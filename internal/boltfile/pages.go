package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// ErrPages is wrapped by what CheckPages finds.
var ErrPages = errors.New("damaged database page")

// The layout of a bbolt file, version 2: pages of one size, each with a header
// of 16 bytes (id, flags, count, overflow), numbers in the machine's order.
const (
	pageHeader   = 16
	pageElement  = 16
	metaLength   = 64
	metaMagic    = 0xED0CDAED
	metaVersion  = 2
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10
	leafBucket   = 0x01
	manyFree     = 0xFFFF // a freelist's count when the true one is its first entry
)

// CheckPages looks through the structure of a bbolt database of size bytes
// before anything maps it: bbolt checks only its two meta pages, and a damaged
// page makes it read beyond the file, recurse without end or hand out a page
// that is in use. Every page must be accounted for exactly once, and all keys
// must stand in order, so that each is found where it is looked for. Values are
// not looked at; the file must not change meanwhile, so a lock on it is the
// caller's part. An error of r is returned as it is.
//
// Both meta pages must be whole. bbolt itself would fall back to the older of
// them, which silently takes back the last transaction; a torn meta page is no
// result of a crash, as it lies in one sector.
func CheckPages(r io.ReaderAt, size int64) error {
	return (&pageChecker{r: r, size: size}).check()
}

func (c *pageChecker) check() error {
	meta, err := c.readMetas()
	if err != nil {
		return err
	}
	c.state = make([]byte, meta.pages)
	c.state[0], c.state[1] = 1, 1
	if err := c.freelist(meta.freelist); err != nil {
		return err
	}
	if err := c.tree(meta.root); err != nil {
		return err
	}
	for id, state := range c.state {
		if state == 0 {
			return fmt.Errorf("%w %d: expected it in use or free, found neither", ErrPages, id)
		}
	}
	return nil
}

type pageChecker struct {
	r        io.ReaderAt
	size     int64
	pageSize int64
	state    []byte // per page: 0 not met yet, 1 in use or free
	free     uint64 // how many pages are free
}

type metaPage struct {
	root, freelist, pages, transaction uint64
}

type page struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint32
}

func (c *pageChecker) readMetas() (metaPage, error) {
	var first [pageHeader + metaLength]byte
	if err := c.read(first[:], 0); err != nil {
		return metaPage{}, err
	}
	// The size in the first meta page counts only once its checksum holds.
	c.pageSize = int64(binary.NativeEndian.Uint32(first[pageHeader+8:]))
	if c.pageSize < 512 || c.pageSize > 1<<20 || c.pageSize&(c.pageSize-1) != 0 {
		return metaPage{}, fmt.Errorf("%w 0: expected a page size, found %d", ErrPages, c.pageSize)
	}
	var metas [2]metaPage
	for id := range metas {
		var err error
		if metas[id], err = c.readMeta(uint64(id)); err != nil {
			return metaPage{}, err
		}
	}
	newest := metas[0]
	if metas[1].transaction > newest.transaction {
		newest = metas[1]
	}
	if newest.pages < 3 || newest.pages > uint64(c.size/c.pageSize) {
		return metaPage{}, fmt.Errorf("%w: expected a file of %d pages, found %d bytes", ErrPages, newest.pages, c.size)
	}
	return newest, nil
}

func (c *pageChecker) readMeta(id uint64) (metaPage, error) {
	var data [pageHeader + metaLength]byte
	if err := c.read(data[:], int64(id)*c.pageSize); err != nil {
		return metaPage{}, err
	}
	head, body := parsePage(data[:]), data[pageHeader:]
	sum := fnv.New64a()
	sum.Write(body[:metaLength-8])
	number := binary.NativeEndian
	switch {
	case head.id != id || head.flags != flagMeta || head.count != 0 || head.overflow != 0:
		return metaPage{}, fmt.Errorf("%w %d: expected the header of a meta page, found %x", ErrPages, id, data[:pageHeader])
	case number.Uint32(body) != metaMagic || number.Uint32(body[4:]) != metaVersion:
		return metaPage{}, fmt.Errorf("%w %d: expected magic and version, found %x", ErrPages, id, body[:8])
	case number.Uint64(body[metaLength-8:]) != sum.Sum64() || int64(number.Uint32(body[8:])) != c.pageSize:
		return metaPage{}, fmt.Errorf("%w %d: the checksum of the meta page does not hold", ErrPages, id)
	}
	return metaPage{
		root:        number.Uint64(body[16:]),
		freelist:    number.Uint64(body[32:]),
		pages:       number.Uint64(body[40:]),
		transaction: number.Uint64(body[48:]),
	}, nil
}

// freelist marks the pages of the list of free pages, and the free ones.
func (c *pageChecker) freelist(id uint64) error {
	var start [pageHeader]byte
	if err := c.inFile(id); err != nil {
		return err
	}
	if err := c.read(start[:], int64(id)*c.pageSize); err != nil {
		return err
	}
	head, err := c.take(id, start[:], flagFreelist)
	if err != nil {
		return err
	}
	data := make([]byte, c.extent(head))
	if err := c.read(data, int64(id)*c.pageSize); err != nil {
		return err
	}
	entries, count := data[pageHeader:], uint64(head.count)
	if count == manyFree {
		count, entries = binary.NativeEndian.Uint64(entries), entries[8:]
	}
	if count > uint64(len(entries)/8) {
		return fmt.Errorf("%w %d: expected at most %d free pages, found %d", ErrPages, id, len(entries)/8, count)
	}
	for i := range count {
		if err := c.mark(binary.NativeEndian.Uint64(entries[8*i:]), 0); err != nil {
			return err
		}
	}
	c.free = count
	return nil
}

// take checks the header of page id, which must be of one of the kinds, and
// marks its extent as in use.
func (c *pageChecker) take(id uint64, header []byte, kinds uint16) (page, error) {
	head := parsePage(header)
	oneKind := head.flags&(head.flags-1) == 0
	if head.id != id || !oneKind || head.flags&kinds == 0 {
		return page{}, fmt.Errorf("%w %d: expected a header of kind %#x, found %x", ErrPages, id, kinds, header[:pageHeader])
	}
	return head, c.mark(id, head.overflow)
}

// inFile says whether there is a page id at all.
func (c *pageChecker) inFile(id uint64) error {
	if id >= uint64(len(c.state)) {
		return fmt.Errorf("%w %d: expected a number below %d", ErrPages, id, len(c.state))
	}
	return nil
}

func (c *pageChecker) mark(id uint64, overflow uint32) error {
	total := uint64(len(c.state))
	if id >= total || uint64(overflow) >= total-id {
		return fmt.Errorf("%w %d: expected it and %d more within %d pages", ErrPages, id, overflow, total)
	}
	for i := id; i <= id+uint64(overflow); i++ {
		if c.state[i] != 0 {
			return fmt.Errorf("%w %d: it has two uses", ErrPages, i)
		}
		c.state[i] = 1
	}
	return nil
}

// extent is the length in bytes of a page with its overflow.
func (c *pageChecker) extent(head page) int64 { return (int64(head.overflow) + 1) * c.pageSize }

// read fills data with the bytes of the file at offset; fewer are a damage.
func (c *pageChecker) read(data []byte, offset int64) error {
	n, err := c.r.ReadAt(data, offset)
	if n == len(data) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: expected %d bytes at offset %d, found %d", ErrPages, len(data), offset, n)
	}
	return err
}

func parsePage(data []byte) page {
	number := binary.NativeEndian
	return page{number.Uint64(data), number.Uint16(data[8:]), int(number.Uint16(data[10:])), number.Uint32(data[12:])}
}
