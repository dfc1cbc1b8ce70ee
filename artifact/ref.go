package artifact

import (
	"errors"
	"fmt"
	"strings"
)

// DefaultChannel is what a Ref without a selector asks for.
const DefaultChannel = "stable"

// maxRef bounds the text of a Ref in bytes, beyond what any valid one needs: a
// repository, a product and a sha512 digest come to about 330.
const maxRef = 512

// ErrRef is wrapped by every error of ParseRef, beside the error of the part
// that is wrong (ErrName, ErrVersion, ErrRange or ErrDigest).
var ErrRef = errors.New("not a reference")

// SelectorKind tells the forms of a Selector apart.
type SelectorKind int

// The forms of a selector; the zero SelectorKind is none of them.
const (
	ByChannel SelectorKind = iota + 1 // the newest release that a channel offers
	ByVersion                         // one exact version
	ByRange                           // the newest of a range of versions
	ByDigest                          // exactly these bytes
)

// Selector says which release of a product is meant. The one field that Kind
// names is set, and the others are zero.
type Selector struct {
	Kind    SelectorKind
	Channel string
	Version Version
	Range   Range
	Digest  Digest
}

// Ref is what a person asks for: [repository:]product[@selector].
type Ref struct {
	Repo     string // empty: whichever repository has the product
	Product  string
	Selector Selector
}

// ParseRef reads the form [repository:]product[@selector]; ParseSelector has
// the forms of a selector, and without one the channel "stable" is meant.
//
// The selector begins after the first "@", as a digest holds a ":" itself.
func ParseRef(s string) (Ref, error) {
	if len(s) > maxRef {
		return Ref{}, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrRef, maxRef, len(s))
	}
	name, selector, selected := strings.Cut(s, "@")
	ref := Ref{Product: name, Selector: Selector{Kind: ByChannel, Channel: DefaultChannel}}
	if repo, product, found := strings.Cut(name, ":"); found {
		ref.Repo, ref.Product = repo, product
		if err := ValidRepository(repo); err != nil {
			return Ref{}, refError(s, err)
		}
	}
	if err := ValidProduct(ref.Product); err != nil {
		return Ref{}, refError(s, err)
	}
	if selected {
		parsed, err := ParseSelector(selector)
		if err != nil {
			return Ref{}, refError(s, err)
		}
		ref.Selector = parsed
	}
	return ref, nil
}

func refError(s string, err error) error {
	return fmt.Errorf("%w: expected [REPOSITORY:]PRODUCT[@SELECTOR], found %q: %w", ErrRef, clip(s), err)
}

// ParseSelector reads what stands after the "@":
//
//	stable               a channel
//	1.4.2                an exact version
//	^1.4  1.4  >=1.2,<2  a range of versions
//	sha256:HEX           a digest (sha512 likewise)
//
// A text that begins with a digit is a version where it is a whole one, else a
// range. The error wraps ErrName, ErrVersion, ErrRange or ErrDigest.
func ParseSelector(s string) (Selector, error) {
	switch {
	case strings.Contains(s, ":"):
		digest, err := ParseDigest(s)
		return whole(Selector{Kind: ByDigest, Digest: digest}, err)
	case s != "" && (isDigit(s[0]) || strings.IndexByte("^~<>=*!", s[0]) >= 0):
		if version, err := ParseVersion(s); err == nil {
			return Selector{Kind: ByVersion, Version: version}, nil
		}
		set, err := ParseRange(s)
		return whole(Selector{Kind: ByRange, Range: set}, err)
	case len(s) > 1 && s[0] == 'v' && isDigit(s[1]):
		// A channel may be called v2, but nobody means a channel by v1.4.2.
		if _, err := ParseVersion(s[1:]); err == nil {
			_, err = ParseVersion(s) // it has the words for this slip
			return Selector{}, err
		}
	}
	return whole(Selector{Kind: ByChannel, Channel: s}, ValidChannel(s))
}

// whole drops a selector that came with an error.
func whole(s Selector, err error) (Selector, error) {
	if err != nil {
		return Selector{}, err
	}
	return s, nil
}

// String is the form that ParseSelector reads; empty for the zero Selector.
func (s Selector) String() string {
	switch s.Kind {
	case ByChannel:
		return s.Channel
	case ByVersion:
		return s.Version.String()
	case ByRange:
		return s.Range.String()
	case ByDigest:
		return s.Digest.String()
	default:
		return ""
	}
}

// String is the form that ParseRef reads, with the selector always written out.
func (r Ref) String() string {
	text := r.Product
	if r.Repo != "" {
		text = r.Repo + ":" + text
	}
	if selector := r.Selector.String(); selector != "" {
		text += "@" + selector
	}
	return text
}
