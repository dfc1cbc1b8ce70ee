package artifact

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"assay/internal/shown"
)

// Algorithm is the name of a hash algorithm, spelled as in TUF metadata
// (specification 1.0, section 4.2) and in OCI digests.
type Algorithm string

// The algorithms that assay computes. Any other name is refused by ParseDigest.
const (
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// ErrDigest is wrapped by every error about the form of a digest.
var ErrDigest = errors.New("not a digest")

// Size is the length of the algorithm's digests in bytes, 0 for an unknown one.
func (a Algorithm) Size() int {
	switch a {
	case SHA256:
		return sha256.Size
	case SHA512:
		return sha512.Size
	default:
		return 0
	}
}

// New returns a fresh hash of the algorithm. It panics for an algorithm that
// is not one of the constants; a Digest never holds such a one.
func (a Algorithm) New() hash.Hash {
	switch a {
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	default:
		panic("artifact: no such hash algorithm: " + string(a))
	}
}

// Digest names bytes by their hash. It is comparable and fit for a map key; its
// zero value names nothing and IsZero reports it.
type Digest struct {
	algorithm Algorithm
	hex       string // lower case, exactly twice Algorithm.Size
}

// ParseDigest reads the form "sha256:HEX". Upper-case hex is accepted, as
// people paste it, and is stored in lower case.
func ParseDigest(s string) (Digest, error) {
	name, digits, found := strings.Cut(s, ":")
	if !found {
		return Digest{}, fmt.Errorf("%w: expected ALGORITHM:HEX, found %q", ErrDigest, clip(s))
	}
	return NewDigest(Algorithm(name), digits)
}

// NewDigest makes a Digest of an algorithm's name and its hex digits.
func NewDigest(a Algorithm, digits string) (Digest, error) {
	if a.Size() == 0 {
		return Digest{}, fmt.Errorf("%w: expected the algorithm sha256 or sha512, found %q", ErrDigest, clip(string(a)))
	}
	if len(digits) != 2*a.Size() {
		return Digest{}, fmt.Errorf("%w: expected %d hex digits for %s, found %d", ErrDigest, 2*a.Size(), a, len(digits))
	}
	if _, err := hex.DecodeString(digits); err != nil {
		return Digest{}, fmt.Errorf("%w: expected hex digits, found %q", ErrDigest, clip(digits))
	}
	return Digest{algorithm: a, hex: strings.ToLower(digits)}, nil
}

// DigestOf hashes data that is already in memory.
func DigestOf(a Algorithm, data []byte) Digest {
	h := a.New()
	h.Write(data)
	return SumOf(a, h)
}

// SumOf takes the digest of what has been written to h, a hash of algorithm a.
func SumOf(a Algorithm, h hash.Hash) Digest {
	return Digest{algorithm: a, hex: hex.EncodeToString(h.Sum(nil))}
}

// Algorithm is the digest's algorithm, empty for the zero value.
func (d Digest) Algorithm() Algorithm { return d.algorithm }

// Hex is the digest in lower-case hex digits, without its algorithm.
func (d Digest) Hex() string { return d.hex }

// IsZero reports whether d names nothing.
func (d Digest) IsZero() bool { return d.algorithm == "" }

// String is the form that ParseDigest reads.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return string(d.algorithm) + ":" + d.hex
}

// MarshalText writes the form that ParseDigest reads.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form that ParseDigest reads; an empty text is the
// zero Digest.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	parsed, err := ParseDigest(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Digests are several digests of the same bytes, at most one per algorithm, in
// the order sha256, sha512. All of them must hold.
type Digests []Digest

// NewDigests sorts the given digests and refuses an empty list and two of one
// algorithm.
func NewDigests(list ...Digest) (Digests, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: expected at least one digest, found none", ErrDigest)
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Digest) int { return strings.Compare(string(a.algorithm), string(b.algorithm)) })
	for i, d := range sorted {
		if d.IsZero() {
			return nil, fmt.Errorf("%w: expected a digest, found an empty one", ErrDigest)
		}
		if i > 0 && sorted[i-1].algorithm == d.algorithm {
			return nil, fmt.Errorf("%w: expected one digest per algorithm, found two of %s", ErrDigest, d.algorithm)
		}
	}
	return sorted, nil
}

// Primary is the digest that the bytes are stored under: sha256 where there is
// one, else sha512. It is the zero Digest of an empty list.
func (ds Digests) Primary() Digest {
	if len(ds) == 0 {
		return Digest{}
	}
	return ds[0]
}

// Of returns the digest of algorithm a, and whether there is one.
func (ds Digests) Of(a Algorithm) (Digest, bool) {
	for _, d := range ds {
		if d.algorithm == a {
			return d, true
		}
	}
	return Digest{}, false
}

// Agree reports whether ds and other can name the same bytes: they share at
// least one algorithm, and every shared one has the same value.
func (ds Digests) Agree(other Digests) bool {
	shared := false
	for _, d := range ds {
		if o, ok := other.Of(d.algorithm); ok {
			if o != d {
				return false
			}
			shared = true
		}
	}
	return shared
}

// clip shortens text from outside, so that an error message stays one line.
func clip(s string) string { return shown.Clip(s, 80) }
