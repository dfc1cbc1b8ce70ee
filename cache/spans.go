package cache

import (
	"cmp"
	"slices"
)

// Span is a part of a blob: the bytes from From up to, not including, To.
type Span struct {
	From, To int64
	Origin   int // who sent it, as Stage.Origin numbers them
}

// Len is the number of bytes.
func (s Span) Len() int64 { return s.To - s.From }

// spans are parts of a blob that do not overlap, in order. Neighbours of one
// origin are one span.
type spans []Span

// add puts a span in, in place of what was there.
func (s spans) add(n Span) spans {
	if n.Len() <= 0 {
		return s
	}
	s = s.remove(n.From, n.To)
	i, _ := slices.BinarySearchFunc(s, n.From, func(x Span, from int64) int { return cmp.Compare(x.From, from) })
	if i > 0 && s[i-1].To == n.From && s[i-1].Origin == n.Origin {
		s[i-1].To = n.To
		if i < len(s) && s[i].From == n.To && s[i].Origin == n.Origin {
			s[i-1].To = s[i].To
			s = slices.Delete(s, i, i+1)
		}
		return s
	}
	if i < len(s) && s[i].From == n.To && s[i].Origin == n.Origin {
		s[i].From = n.From
		return s
	}
	return slices.Insert(s, i, n)
}

// remove takes a part out.
func (s spans) remove(from, to int64) spans {
	i, _ := slices.BinarySearchFunc(s, from, func(x Span, from int64) int { return cmp.Compare(x.To-1, from) })
	for i < len(s) && s[i].From < to {
		x := s[i]
		switch {
		case x.From < from && x.To > to:
			s[i].To = from
			return slices.Insert(s, i+1, Span{to, x.To, x.Origin})
		case x.From < from:
			s[i].To = from
			i++
		case x.To > to:
			s[i].From = to
			return s
		default:
			s = slices.Delete(s, i, i+1)
		}
	}
	return s
}

// meets reports whether any byte of a part is there.
func (s spans) meets(from, to int64) bool {
	for _, x := range s {
		if x.From < to && from < x.To {
			return true
		}
	}
	return false
}

// reach is how far the bytes are there without a gap, from an offset on.
func (s spans) reach(from int64) int64 {
	for _, x := range s {
		if x.From > from {
			break
		}
		from = max(from, x.To)
	}
	return from
}

// gaps are what is missing up to length.
func (s spans) gaps(length int64) []Span {
	var gaps []Span
	at := int64(0)
	for _, x := range s {
		if x.From > at {
			gaps = append(gaps, Span{From: at, To: x.From})
		}
		at = x.To
	}
	if at < length {
		gaps = append(gaps, Span{From: at, To: length})
	}
	return gaps
}

// size is how many bytes are there.
func (s spans) size() int64 {
	n := int64(0)
	for _, x := range s {
		n += x.Len()
	}
	return n
}
