package strictjson

import "bytes"

const (
	// fewKeys is up to where a linear search beats sorting. The objects that
	// make up the bulk of large TUF metadata (a target, its hashes) have two to
	// four keys.
	fewKeys = 16
	// shallow is the depth down to which the offsets of keys in order are not
	// kept but found again, should one out of order come. Each level may cost a
	// further walk over all that is within it, so that there must be few of them;
	// the large objects of TUF metadata lie at the third.
	shallow = 4
)

// keySet tells a repeated key of one object. As long as the keys come in
// ascending order, a comparison with the latest is enough, and at most the first
// fewKeys offsets are kept (in a deep object all of them). From the first key out
// of order on, the offset of every key is kept, and where there are more than
// fewKeys of them, they are sorted at the end.
type keySet struct {
	count    int     // keys so far
	starts   []int32 // the offsets of their quotes, if kept
	unsorted bool    // a key comes before the one that it follows
	escapes  bool    // a key had escapes
}

func (k *keySet) reset() { *k = keySet{starts: k.starts[:0]} }

// add takes note of the key at offset start of the object f, the one after
// f.key, and reports whether the object is known to have it already. Where that
// has to wait, repeated tells it at the end.
func (k *keySet) add(text []byte, f *frame, start int, key []byte, escaped bool) (again bool) {
	k.escapes = k.escapes || escaped
	if k.count > 0 && !k.unsorted {
		order := bytes.Compare(f.key, key)
		if order == 0 {
			return true
		}
		if order > 0 {
			k.unsorted = true
			if len(k.starts) < k.count {
				k.starts = appendStarts(k.starts[:0], text, f.opened, start)
			}
		}
	}
	if k.unsorted && k.count < fewKeys && k.has(text, key) {
		return true
	}
	if k.unsorted || k.count < fewKeys || f.depth > shallow {
		k.starts = append(k.starts, int32(start))
	}
	k.count++
	return false
}

// has looks for key among those kept.
func (k *keySet) has(text, key []byte) bool {
	for _, start := range k.starts {
		if k.escapes {
			if bytes.Equal(KeyAt(text, start), key) {
				return true
			}
		} else if raw := text[start+1:]; len(raw) > len(key) && raw[len(key)] == '"' && bytes.Equal(raw[:len(key)], key) {
			return true
		}
	}
	return false
}

// repeated is the offset of the first key of the object, which is at its end,
// that was there before, negative if there is none. It disturbs the order of the
// offsets.
func (k *keySet) repeated(text []byte) int {
	if !k.unsorted || k.count <= fewKeys {
		return -1
	}
	SortKeys(text, k.starts)
	first := int32(-1)
	for i, start := range k.starts[1:] {
		if (first < 0 || start < first) && compareKeys(text, k.starts[i], start) == 0 {
			first = start
		}
	}
	return int(first)
}
