package strictjson

import (
	"bytes"
	"cmp"
	"slices"
)

// SortKeys sorts the offsets of the keys of one object in text, which Screen has
// passed, by the unescaped keys, equal ones in the order of the text. Of many keys it takes four
// bytes at a time, as comparing two whole keys means two far jumps in the text;
// that takes eight bytes more a key, and where keys have escapes up to their text and
// thirty-two bytes a key.
func SortKeys(text []byte, starts []int32) {
	if len(starts) <= fewKeys {
		slices.SortFunc(starts, func(a, b int32) int {
			return cmp.Or(compareKeys(text, a, b), cmp.Compare(a, b))
		})
		return
	}
	entries := make([]uint64, len(starts))
	for i, start := range starts {
		entries[i] = uint64(start)
	}
	sortEntries(text, entries, 0)
	for i, entry := range entries {
		starts[i] = startOf(entry)
	}
}

// startOf is the offset in an entry of sortEntries, which is its lower half. The
// upper half is four bytes of the key there, so that entries sort as numbers.
func startOf(entry uint64) int32 { return int32(uint32(entry)) }

// sortEntries sorts entries whose keys have their first depth bytes in common. It
// calls itself for smaller groups only, of keys that have four bytes more in
// common, so that even a hostile document of 2 GiB, whose every key begins with
// the one before, makes it nest no more than 33,000 times.
func sortEntries(text []byte, entries []uint64, depth int) {
	for len(entries) > fewKeys && loadWords(text, entries, depth) {
		slices.Sort(entries)
		depth += 4
		if word := entries[0] >> 32; word == entries[len(entries)-1]>>32 {
			if hasEnded(word) {
				return
			}
			continue
		}
		for len(entries) > 0 {
			word, n := entries[0]>>32, 1
			for n < len(entries) && entries[n]>>32 == word {
				n++
			}
			if n > 1 && !hasEnded(word) {
				sortEntries(text, entries[:n], depth)
			}
			entries = entries[n:]
		}
		return
	}
	if len(entries) > fewKeys {
		sortUnescaped(text, entries)
		return
	}
	slices.SortFunc(entries, func(a, b uint64) int {
		return cmp.Or(compareKeys(text, startOf(a), startOf(b)), cmp.Compare(startOf(a), startOf(b)))
	})
}

// sortUnescaped sorts entries whose keys have escapes. Each key is unescaped once:
// to do it at each comparison would cost a hostile document minutes.
func sortUnescaped(text []byte, entries []uint64) {
	type unescaped struct {
		key   []byte
		start int32
	}
	list := make([]unescaped, len(entries))
	for i, entry := range entries {
		list[i] = unescaped{KeyAt(text, startOf(entry)), startOf(entry)}
	}
	slices.SortFunc(list, func(a, b unescaped) int {
		return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.start, b.start))
	})
	for i, one := range list {
		entries[i] = uint64(one.start)
	}
}

// hasEnded reports whether the key that word is from ends within it, so that all
// keys with this word are the same.
func hasEnded(word uint64) bool { return word&0xff == 0 }

// loadWords puts into each entry the four bytes of its key from depth on, zeros
// behind its end: what is between the quotes has none. It reports whether none of
// the bytes begins an escape. The four bytes are there, as at least a colon, a
// value and a bracket follow the closing quote.
func loadWords(text []byte, entries []uint64, depth int) bool {
	for i, entry := range entries {
		start := startOf(entry)
		var word uint64
		for j, c := range text[int(start)+1+depth:][:4] {
			if c == '"' {
				break
			}
			if c == '\\' {
				return false
			}
			word |= uint64(c) << (56 - 8*j)
		}
		entries[i] = word | uint64(start)
	}
	return true
}

// compareKeys compares the keys whose quotes are at offsets a and b of text, as
// unescaped UTF-8.
func compareKeys(text []byte, a, b int32) int {
	endA, escapedA := skipString(text, int(a))
	endB, escapedB := skipString(text, int(b))
	keyA, keyB := text[a+1:endA-1], text[b+1:endB-1]
	var roomA, roomB [64]byte // on the stack: a sort asks often, and keys come from outside
	if escapedA {
		keyA = appendUnescaped(roomA[:0], keyA, false)
	}
	if escapedB {
		keyB = appendUnescaped(roomB[:0], keyB, false)
	}
	return bytes.Compare(keyA, keyB)
}

// KeyAt is the key whose quote is at offset start of text, which Screen has
// passed, unescaped.
func KeyAt(text []byte, start int32) []byte {
	end, escaped := skipString(text, int(start))
	raw := text[start+1 : end-1]
	if escaped {
		return unescape(raw)
	}
	return raw
}

// appendStarts appends the offsets of those keys of the object whose bracket is
// at offset opened that come before offset end.
func appendStarts(starts []int32, text []byte, opened, end int) []int32 {
	for at := skipSpace(text, opened+1); at >= 0 && at < end; {
		starts = append(starts, int32(at))
		_, after := memberAt(text, at)
		at = next(text, after)
	}
	return starts
}
