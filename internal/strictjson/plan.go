package strictjson

import (
	"cmp"
	"slices"
)

// plan is the objects of a text whose members are out of order, and the order
// they shall have.
type plan struct {
	objects []disorder // sorted by opened
	order   []int32    // of all of them, the offsets of their keys
	hint    int        // index in objects of the one to expect next
}

// disorder is one object whose members are out of order.
type disorder struct {
	opened   int32 // offset of its bracket
	from, to int32 // its part of order
}

// add notes an object, by its bracket's offset and those of its keys.
func (p *plan) add(text []byte, opened int, starts []int32) {
	from := len(p.order)
	p.order = append(p.order, starts...)
	SortKeys(text, p.order[from:])
	p.objects = append(p.objects, disorder{opened: int32(opened), from: int32(from), to: int32(len(p.order))})
}

// of is the order of the keys of the object whose bracket is at offset opened,
// nil if they are in order. Asked for one object after the other, it does not
// search.
func (p *plan) of(opened int) []int32 {
	at := int32(opened)
	if p.hint > 0 && p.objects[p.hint-1].opened >= at || p.hint < len(p.objects) && p.objects[p.hint].opened < at {
		p.hint, _ = slices.BinarySearchFunc(p.objects, at, func(d disorder, at int32) int { return cmp.Compare(d.opened, at) })
	}
	if p.hint == len(p.objects) || p.objects[p.hint].opened != at {
		return nil
	}
	d := p.objects[p.hint]
	p.hint++
	return p.order[d.from:d.to]
}
