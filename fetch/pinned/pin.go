package pinned

import (
	"fmt"

	"assay/artifact"
	"assay/artifact/checksums"
)

// Pin says which bytes are meant: each of the digests that are given must be
// theirs. list is a file of checksums, in the form of GNU or BSD tools, that must
// list name; what it says by weaker algorithms does not count. Where both say
// something by one algorithm they must say the same.
//
// Nothing given is ErrNoDigest; a digest that is none is artifact.ErrDigest, a list
// that is none, does not list the name, or only by weaker algorithms, what package
// checksums says of it.
func Pin(sha256, sha512 string, list []byte, name string) (artifact.Digests, error) {
	var given []artifact.Digest
	for _, text := range []struct {
		algorithm artifact.Algorithm
		hex       string
	}{{artifact.SHA256, sha256}, {artifact.SHA512, sha512}} {
		if text.hex == "" {
			continue
		}
		digest, err := artifact.NewDigest(text.algorithm, text.hex)
		if err != nil {
			return nil, err
		}
		given = append(given, digest)
	}
	if list != nil {
		listed, err := listed(list, name)
		if err != nil {
			return nil, err
		}
		for _, digest := range listed {
			same, known := artifact.Digests(given).Of(digest.Algorithm())
			if known && same != digest {
				return nil, fmt.Errorf("%w: expected %s for %s, as was given, found %s", checksums.ErrConflict, same, name, digest)
			}
			if !known {
				given = append(given, digest)
			}
		}
	}
	if len(given) == 0 {
		return nil, ErrNoDigest
	}
	return artifact.NewDigests(given...)
}

// listed looks a name up. Lines by other algorithms, md5 and sha1 for two, are
// skipped when a list is read; that they are all there is is worth telling.
func listed(data []byte, name string) (artifact.Digests, error) {
	list, err := checksums.Parse(data)
	if err != nil {
		return nil, err
	}
	digests, err := list.Lookup(name)
	if len(list.Entries()) == 0 && list.Skipped() > 0 {
		return nil, fmt.Errorf("%w: expected SHA-256 or SHA-512, found %d lines by other algorithms, which don't count", checksums.ErrNotListed, list.Skipped())
	}
	return digests, err
}
