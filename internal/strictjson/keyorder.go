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
