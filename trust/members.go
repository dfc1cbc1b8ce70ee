package trust

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strconv"

	"assay/artifact"
	"assay/internal/strictjson"
)

// members is a large JSON object, read through a table of offsets into its
// text: four bytes a member beside the text itself. That is what makes a role
// with a million targets affordable. The zero value has no members.
type members struct {
	object []byte
	starts []int32 // sorted by key; objects are shorter than 2 GiB, see MaxLimits
}

// newMembers indexes a screened object. check sees each member once and may
// refuse it.
func newMembers(object []byte, check func(key, value []byte) error) (members, error) {
	m := members{object: object}
	sorted := true
	var last []byte
	for member := range strictjson.Members(object) {
		if err := check(member.Key, member.Value); err != nil {
			return members{}, err
		}
		sorted = sorted && bytes.Compare(last, member.Key) <= 0
		last = member.Key
		m.starts = append(m.starts, int32(member.Start))
	}
	if !sorted {
		strictjson.SortKeys(object, m.starts)
	}
	m.starts = slices.Clip(m.starts)
	return m, nil
}

func (m members) key(start int32) []byte { return strictjson.KeyAt(m.object, start) }

func (m members) len() int { return len(m.starts) }

// get is the text of one member's value; nil if there is none.
func (m members) get(key string) []byte {
	i, found := sort.Find(len(m.starts), func(i int) int { return bytes.Compare([]byte(key), m.key(m.starts[i])) })
	if !found {
		return nil
	}
	return strictjson.MemberAt(m.object, int(m.starts[i])).Value
}

// all yields the members sorted by key.
func (m members) all() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, start := range m.starts {
			member := strictjson.MemberAt(m.object, int(start))
			if !yield(string(member.Key), member.Value) {
				return
			}
		}
	}
}

// fileInfo is what metadata says of a file: a METAFILES or a TARGETS object
// (specification 1.0, section 4.4 and 4.5). The digests are still hex text, a
// part of the metadata.
type fileInfo struct {
	version        int64
	length         int64
	hasLength      bool
	sha256, sha512 []byte // without quotes; nil: none is given
	otherHashes    bool   // there are hashes that assay can't compute
}

// parseFile reads the text of a METAFILES or TARGETS object without building
// anything, as there are a million of them in some roles.
func parseFile(text []byte) (fileInfo, error) {
	var f fileInfo
	if !begins(text, '{') {
		return f, fmt.Errorf(": expected an object, found %.20q", text)
	}
	for member := range strictjson.Members(text) {
		var err error
		switch string(member.Key) {
		case "version":
			f.version, err = wholeNumber(member.Value, 1)
		case "length":
			f.hasLength = true
			f.length, err = wholeNumber(member.Value, 0)
		case "hashes":
			err = f.parseHashes(member.Value)
		default:
			err = checkTwin(member.Key, "version", "length", "hashes")
		}
		if err != nil {
			return f, fmt.Errorf(".%.80s: %w", member.Key, err)
		}
	}
	return f, nil
}

func (f *fileInfo) parseHashes(text []byte) error {
	if !begins(text, '{') {
		return fmt.Errorf("expected an object, found %.20q", text)
	}
	for member := range strictjson.Members(text) {
		var size int
		var place *[]byte
		switch string(member.Key) {
		case string(artifact.SHA256):
			size, place = 32, &f.sha256
		case string(artifact.SHA512):
			size, place = 64, &f.sha512
		default:
			f.otherHashes = true
			continue
		}
		digits := plainText(member.Value)
		ok := len(digits) == 2*size
		if ok {
			var raw [64]byte
			_, err := hex.Decode(raw[:], digits)
			ok = err == nil
		}
		if !ok {
			return fmt.Errorf("%s: expected %d hex digits, found %.140q", member.Key, 2*size, member.Value)
		}
		*place = digits
	}
	return nil
}

// known reports whether assay can compute one of the hashes.
func (f fileInfo) known() bool { return f.sha256 != nil || f.sha512 != nil }

// checkHashes wants one hash at least that assay can compute, if there are any.
func (f fileInfo) checkHashes() error {
	if f.known() || !f.otherHashes {
		return nil
	}
	return fmt.Errorf(".hashes: expected %s or %s, found others only", artifact.SHA256, artifact.SHA512)
}

// digests are those that assay can compute; others are left aside.
func (f fileInfo) digests() artifact.Digests {
	var list artifact.Digests // in the order that Digests have
	for _, h := range []struct {
		algorithm artifact.Algorithm
		digits    []byte
	}{{artifact.SHA256, f.sha256}, {artifact.SHA512, f.sha512}} {
		if h.digits == nil {
			continue
		}
		// parseHashes has seen the digits; nothing would have the digest of others.
		digest, _ := artifact.NewDigest(h.algorithm, string(h.digits))
		list = append(list, digest)
	}
	return list
}

// wholeNumber reads the text of a JSON number that has to be a whole one of at
// least lowest.
func wholeNumber(text []byte, lowest int64) (int64, error) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < lowest {
		return 0, fmt.Errorf("expected a whole number from %d, found %.40q", lowest, text)
	}
	return n, nil
}

// begins reports whether the text of a value begins with a bracket.
func begins(text []byte, bracket byte) bool { return len(text) > 0 && text[0] == bracket }

// plainText is a JSON string's content as it is written; nil: there is none, or
// it is no string. It is for names of types, times and hex digits, which need no
// escapes: none of them has a backslash, so one that is escaped is not found right.
func plainText(text []byte) []byte {
	if len(text) < 2 || text[0] != '"' {
		return nil
	}
	return text[1 : len(text)-1]
}
