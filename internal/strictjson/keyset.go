package strictjson

import "bytes"

// fewKeys is up to where a linear search beats a map. The objects that make up
// the bulk of large TUF metadata (a target, its hashes) have two to four keys,
// and cost no allocation this way.
const fewKeys = 16

// keySet is the keys of one object. The slices point into the document, or to
// the unescaped copy of a key that had escapes.
type keySet struct {
	few  [][]byte
	many map[string]struct{} // nil until there are more than fewKeys
}

func (k *keySet) reset() {
	clear(k.few) // so that a reused frame holds no document alive
	k.few = k.few[:0]
	k.many = nil
}

// add reports whether key is new.
func (k *keySet) add(key []byte) bool {
	if k.many == nil {
		for _, known := range k.few {
			if bytes.Equal(known, key) {
				return false
			}
		}
		if len(k.few) < fewKeys {
			k.few = append(k.few, key)
			return true
		}
		k.many = make(map[string]struct{}, 4*fewKeys)
		for _, known := range k.few {
			k.many[string(known)] = struct{}{}
		}
	}
	if _, known := k.many[string(key)]; known {
		return false
	}
	k.many[string(key)] = struct{}{}
	return true
}
