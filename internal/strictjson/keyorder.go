package strictjson

import (
	"bytes"
	"cmp"
	"slices"
)

// sortKeys sorts the offsets of keys in text by the unescaped keys, equal ones in
// the order of the text.
func sortKeys(text []byte, starts []int32) {
	slices.SortFunc(starts, func(a, b int32) int {
		return cmp.Or(compareKeys(text, a, b), cmp.Compare(a, b))
	})
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

// keyAt is the key whose quote is at offset start, unescaped.
func keyAt(text []byte, start int32) []byte {
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
