package mirror

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"assay/artifact"
)

// listingSchema names the form of a listing.
const listingSchema = "assay.mirror.listing/v1"

// maxListing is the longest listing, in bytes: some four million targets.
const maxListing = 1 << 30

// ErrDamaged: what the storage holds of a generation does not read as one. It is
// made anew from the upstream.
var ErrDamaged = errors.New("the stored generation is damaged")

// listing is what a generation promises and carries, sorted by path. It follows
// from the metadata and the settings alone, so that what did not change is the
// same object again.
type listing struct {
	targets []promise
	// bundles are the attestations of an artifact, by its digest: targets, by their index.
	bundles map[artifact.Digest][]int32
	byKey   map[artifact.Digest]int32 // a carried target that has these bytes
	groups  []PlanGroup               // products and channels, that targets have by number
}

type listingHead struct {
	Schema     string `json:"schema"`
	Repository string `json:"repository"`
	Targets    int    `json:"targets"`
	Attested   int    `json:"attested"`
}

type listingTarget struct {
	Path    string           `json:"path"`
	Length  int64            `json:"length"`
	Digests artifact.Digests `json:"digests"`
	Carried bool             `json:"carried,omitempty"`
	Channel string           `json:"channel,omitempty"` // the first that lists its release
}

type listingAttested struct {
	Subject artifact.Digest `json:"subject"`
	Bundles []int32         `json:"bundles"`
}

// newListing sorts what is promised. attested names the bundles of an artifact by
// their paths, groups the product and channel of a path.
func newListing(targets []promise, attested map[artifact.Digest][]string, groups map[string]PlanGroup) *listing {
	slices.SortFunc(targets, func(x, y promise) int { return strings.Compare(x.path, y.path) })
	l := &listing{targets: targets, bundles: map[artifact.Digest][]int32{}}
	known := numbers{}
	for i, t := range targets {
		targets[i].group = l.numberOf(known, t.path, groups[t.path].Channel)
	}
	for subject, paths := range attested {
		var found []int32
		for _, p := range paths {
			if i, ok := l.index(p); ok && l.targets[i].carried && !slices.Contains(found, int32(i)) {
				found = append(found, int32(i))
			}
		}
		if len(found) > 0 {
			slices.Sort(found)
			l.bundles[subject] = found
		}
	}
	l.link()
	return l
}

// numbers gives each group a number: millions of targets have few groups.
type numbers map[PlanGroup]int32

// numberOf is the number of the group of a target that a channel lists.
func (l *listing) numberOf(known numbers, path, channel string) int32 {
	group := PlanGroup{Channel: channel}
	if at, ok := folderOf(path); ok {
		group.Product = at.product
	} else {
		group.Channel = "" // no release
	}
	n, found := known[group]
	if !found {
		n = int32(len(l.groups))
		known[group], l.groups = n, append(l.groups, group)
	}
	return n
}

func (l *listing) link() {
	l.byKey = make(map[artifact.Digest]int32, len(l.targets))
	for i, t := range l.targets {
		if t.carried {
			l.byKey[t.key()] = int32(i)
		}
	}
}

// index finds a target by its path.
func (l *listing) index(target string) (int, bool) {
	return slices.BinarySearchFunc(l.targets, target, func(p promise, target string) int { return strings.Compare(p.path, target) })
}

// find looks a target up by the name under which it is served: its path, or with
// one of its digests before the last segment (specification 5.7.3).
func (l *listing) find(name string) (p promise, hashed, ok bool) {
	if i, found := l.index(name); found {
		return l.targets[i], false, true
	}
	dir, base := path.Split(name)
	prefix, rest, cut := strings.Cut(base, ".")
	if !cut {
		return promise{}, false, false
	}
	i, found := l.index(dir + rest)
	if !found || !slices.ContainsFunc(l.targets[i].digests, func(d artifact.Digest) bool { return d.Hex() == prefix }) {
		return promise{}, false, false
	}
	return l.targets[i], true, true
}

// encode writes a listing: a line of JSON for what it is, and one for each entry.
func (l *listing) encode(repository string) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(listingHead{listingSchema, repository, len(l.targets), len(l.bundles)})
	for _, t := range l.targets {
		err = errors.Join(err, enc.Encode(listingTarget{t.path, t.length, t.digests, t.carried, l.groups[t.group].Channel}))
	}
	subjects := make([]artifact.Digest, 0, len(l.bundles))
	for subject := range l.bundles {
		subjects = append(subjects, subject)
	}
	slices.SortFunc(subjects, func(x, y artifact.Digest) int { return strings.Compare(x.String(), y.String()) })
	for _, subject := range subjects {
		err = errors.Join(err, enc.Encode(listingAttested{subject, l.bundles[subject]}))
	}
	if err == nil && out.Len() > maxListing {
		err = fmt.Errorf("%s: expected a listing of at most %d bytes, made one of %d", repository, maxListing, out.Len())
	}
	return out.Bytes(), err
}

// decodeListing reads what encode has written. It is ours, and its digest was
// compared: so an error is a fault of this program, or of a later one.
func decodeListing(data []byte, repository string) (*listing, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var head listingHead
	if err := dec.Decode(&head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if head.Schema != listingSchema || head.Repository != repository || head.Targets < 0 {
		return nil, fmt.Errorf("%w: expected a listing %s of %s, found %.60q of %.60q", ErrDamaged, listingSchema, repository, head.Schema, head.Repository)
	}
	l, known := &listing{bundles: map[artifact.Digest][]int32{}}, numbers{}
	for i := range head.Targets {
		var t listingTarget
		if err := dec.Decode(&t); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if len(t.Digests) == 0 || t.Length < 0 || i > 0 && t.Path <= l.targets[i-1].path {
			return nil, fmt.Errorf("%w: target %d: expected a digest, a length and paths in order, found something else", ErrDamaged, i)
		}
		l.targets = append(l.targets, promise{path: t.Path, length: t.Length, digests: t.Digests, carried: t.Carried, group: l.numberOf(known, t.Path, t.Channel)})
	}
	for range head.Attested {
		var a listingAttested
		if err := dec.Decode(&a); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		for _, i := range a.Bundles {
			if i < 0 || int(i) >= len(l.targets) {
				return nil, fmt.Errorf("%w: expected a bundle below %d, found %d", ErrDamaged, len(l.targets), i)
			}
		}
		l.bundles[a.Subject] = a.Bundles
	}
	l.link()
	return l, nil
}

// tally counts what is promised and carried.
func (l *listing) tally() Tally {
	t := Tally{Promised: len(l.targets)}
	for _, p := range l.targets {
		if p.carried {
			t.Carried++
		}
	}
	return t
}
