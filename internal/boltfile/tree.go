package boltfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	maxKey       = 32768     // bytes; the longest key that bbolt takes
	bucketHeader = 16        // root page and sequence, before an inline page
	maxRun       = 256 << 10 // bytes read at once
	maxGap       = 4         // pages that a run reads although nobody asked for them
)

// branch is a page that is still to be looked at. Its keys, and those of all
// pages below it, must be at least low and below high; nil is no bound.
type branch struct {
	id        uint64
	low, high []byte
}

// tree walks from page root, one level after the other, the pages of a level
// in the order in which they lie in the file: neighbours are read at once. Each
// page is met once, so the walk ends.
func (c *pageChecker) tree(root uint64) error {
	var buffer []byte
	for level := []branch{{id: root}}; len(level) > 0; {
		slices.SortFunc(level, func(a, b branch) int { return cmp.Compare(a.id, b.id) })
		var below []branch
		for len(level) > 0 {
			run, err := c.run(level)
			if err != nil {
				return err
			}
			first := level[0].id
			size := (level[run-1].id - first + 1) * uint64(c.pageSize)
			buffer = slices.Grow(buffer[:0], int(size))[:size]
			if err := c.read(buffer, int64(first)*c.pageSize); err != nil {
				return err
			}
			for _, b := range level[:run] {
				start := (b.id - first) * uint64(c.pageSize)
				if below, err = c.page(b, buffer[start:start+uint64(c.pageSize)], below); err != nil {
					return err
				}
			}
			level = level[run:]
		}
		level = below
	}
	return nil
}

// run counts how many of the sorted pages are to be read at once. At least one
// is, and those that count are all within the file.
func (c *pageChecker) run(level []branch) (n int, err error) {
	for n < len(level) {
		id := level[n].id
		if err := c.inFile(id); err != nil {
			return 0, err
		}
		if n > 0 && (id-level[n-1].id > maxGap || int64(id-level[0].id+1)*c.pageSize > maxRun) {
			break
		}
		n++
	}
	return n, nil
}

// page looks at one page of a tree, whose first bytes are in start, and appends
// the pages that it leads to.
func (c *pageChecker) page(b branch, start []byte, below []branch) ([]branch, error) {
	head, err := c.take(b.id, start, flagBranch|flagLeaf)
	if err != nil {
		return nil, err
	}
	x := &extent{c: c, offset: int64(b.id) * c.pageSize, length: c.extent(head), start: start}
	if head.flags == flagLeaf {
		roots, err := leaf(head, b, x)
		for _, root := range roots {
			below = append(below, branch{id: root})
		}
		return below, err
	}
	// The bounds of the pages below are kept longer than the buffer.
	x.start = bytes.Clone(start)
	return children(head, b, x, below)
}

// children checks the keys of a branch page: those of the n-th page below begin
// with the n-th key, and end before the next.
func children(head page, b branch, x *extent, below []branch) ([]branch, error) {
	if head.count == 0 {
		return nil, fmt.Errorf("%w %d: a branch without children", ErrPages, head.id)
	}
	table, err := x.table(head)
	if err != nil {
		return nil, err
	}
	number := binary.NativeEndian
	own := len(below)
	for i := range head.count {
		// Position, length of the key, page.
		entry, at := table[i*pageElement:], int64(pageHeader+i*pageElement)
		key, err := x.bytes(at+int64(number.Uint32(entry)), int64(number.Uint32(entry[4:])), maxKey)
		if err != nil {
			return nil, fmt.Errorf("%w (page %d, key %d)", err, head.id, i)
		}
		low := b.low
		if i > 0 {
			low = below[len(below)-1].low
		}
		if err := inOrder(head.id, i, key, low, b.high); err != nil {
			return nil, err
		}
		if i > 0 {
			below[len(below)-1].high = key
		}
		below = append(below, branch{id: number.Uint64(entry[8:]), low: key, high: b.high})
	}
	// A key below the first one is looked for in the first page.
	below[own].low = b.low
	return below, nil
}

// leaf checks that the entries of a leaf page lie within it, their keys in
// order, and returns the root pages of the buckets among them. It reads no
// values but inline buckets.
func leaf(head page, b branch, x *extent) (roots []uint64, err error) {
	table, err := x.table(head)
	if err != nil {
		return nil, err
	}
	number := binary.NativeEndian
	low := b.low
	for i := range head.count {
		// Kind, position, length of the key, length of the value.
		entry, at := table[i*pageElement:], int64(pageHeader+i*pageElement)
		kind, start := number.Uint32(entry), at+int64(number.Uint32(entry[4:]))
		keyLength, length := int64(number.Uint32(entry[8:])), int64(number.Uint32(entry[12:]))
		if kind > leafBucket || start+keyLength+length > x.length {
			return nil, fmt.Errorf("%w %d: entry %d lies outside", ErrPages, head.id, i)
		}
		key, err := x.bytes(start, keyLength, maxKey)
		if err != nil {
			return nil, fmt.Errorf("%w (page %d, key %d)", err, head.id, i)
		}
		if err := inOrder(head.id, i, key, low, b.high); err != nil {
			return nil, err
		}
		low = key
		if kind != leafBucket {
			continue
		}
		root, err := bucket(head.id, x, start+keyLength, length)
		if err != nil {
			return nil, err
		}
		if root != 0 {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// bucket checks a bucket's entry: its root page, or 0 and then the page itself
// within the value, which bbolt keeps to a quarter of a page.
func bucket(id uint64, x *extent, at, length int64) (root uint64, err error) {
	if length < bucketHeader {
		return 0, fmt.Errorf("%w %d: a bucket of %d bytes", ErrPages, id, length)
	}
	value, err := x.bytes(at, length, x.c.pageSize)
	if err != nil {
		return 0, fmt.Errorf("%w (page %d, a bucket)", err, id)
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return root, nil
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader {
		return 0, fmt.Errorf("%w %d: a bucket of %d bytes", ErrPages, id, length)
	}
	head := parsePage(inline)
	if head.flags != flagLeaf || head.id != 0 || head.overflow != 0 {
		return 0, fmt.Errorf("%w %d: expected an inline leaf page, found %x", ErrPages, id, inline[:pageHeader])
	}
	head.id = id
	roots, err := leaf(head, branch{}, &extent{c: x.c, length: int64(len(inline)), start: inline})
	if err == nil && len(roots) > 0 {
		return 0, fmt.Errorf("%w %d: an inline bucket with buckets in it", ErrPages, id)
	}
	return 0, err
}

// inOrder wants the i-th key of page id after the one before it, and within the
// bounds of the page; for the first key low is the lower bound itself.
func inOrder(id uint64, i int, key, low, high []byte) error {
	order := 1
	if low != nil {
		order = bytes.Compare(key, low)
	}
	if order < 0 || order == 0 && i > 0 || high != nil && bytes.Compare(key, high) >= 0 {
		return fmt.Errorf("%w %d: key %d is out of order", ErrPages, id, i)
	}
	return nil
}

// extent is a page with its overflow.
type extent struct {
	c      *pageChecker
	offset int64 // in the file
	length int64
	start  []byte // its first bytes
}

// table is that of the page's entries.
func (x *extent) table(head page) ([]byte, error) {
	size := int64(head.count) * pageElement
	table, err := x.bytes(pageHeader, size, size)
	if err != nil {
		return nil, fmt.Errorf("%w (page %d, the table of %d entries)", err, head.id, head.count)
	}
	return table, nil
}

// bytes gives length bytes of the page, at most limit. They stay only as long as
// start does.
func (x *extent) bytes(at, length, limit int64) ([]byte, error) {
	if length > limit || at+length > x.length {
		return nil, fmt.Errorf("%w: expected at most %d bytes up to %d, found %d at %d", ErrPages, limit, x.length, length, at)
	}
	if at+length <= int64(len(x.start)) {
		return x.start[at : at+length : at+length], nil
	}
	data := make([]byte, length)
	return data, x.c.read(data, x.offset+at)
}
