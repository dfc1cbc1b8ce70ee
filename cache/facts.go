package cache

import (
	"context"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// Facts are what was proven, or read in proven documents, about a held blob. They
// are kept to be found by, and are no proof: whoever acts on them proves again.
// Texts may be empty.
type Facts struct {
	Digest     artifact.Digest `json:"digest"`
	Repository string          `json:"repository,omitempty"`
	Target     string          `json:"target,omitempty"`
	Product    string          `json:"product,omitempty"`
	Version    string          `json:"version,omitempty"`
	Platform   string          `json:"platform,omitempty"`
	Builder    string          `json:"builder,omitempty"`
	Source     string          `json:"source,omitempty"`   // the repository that it was built from
	Revision   string          `json:"revision,omitempty"` // of the source, in hex
	Signers    []string        `json:"signers,omitempty"`
	License    string          `json:"license,omitempty"` // an SPDX expression
	Components []Component     `json:"-"`                 // kept apart, as many artifacts share them
}

// Component is a part of an artifact.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	License string `json:"license,omitempty"` // an SPDX expression
	// Names are those by which the component is found, in lower case; none: those
	// that Name and PURL have by the usual rules.
	Names []string `json:"names,omitempty"`
}

// The limits of Facts: how many, and how many bytes a text has.
const (
	maxComponents = 100_000
	maxFactList   = 256 // signers and names
	maxFactText   = 4096
)

func (f Facts) check() error {
	if len(f.Components) > maxComponents {
		return fmt.Errorf("%w: expected at most %d components, found %d", ErrInvalid, maxComponents, len(f.Components))
	}
	err := checkTexts([]string{f.Repository, f.Target, f.Product, f.Version, f.Platform, f.Builder, f.Source, f.Revision, f.License}, f.Signers)
	for _, c := range f.Components {
		if err == nil {
			err = checkTexts([]string{c.Name, c.Version, c.PURL, c.License}, c.Names)
		}
	}
	return err
}

func checkTexts(lists ...[]string) error {
	for _, list := range lists {
		if len(list) > maxFactList {
			return fmt.Errorf("%w: expected at most %d names or signers, found %d", ErrInvalid, maxFactList, len(list))
		}
		for _, text := range list {
			if len(text) > maxFactText {
				return fmt.Errorf("%w: expected texts of at most %d bytes, found %d: %q", ErrInvalid, maxFactText, len(text), clip(text))
			}
		}
	}
	return nil
}

// Describe keeps facts about a held blob, in place of those kept before. A blob
// that is not held is ErrMissing; facts beyond the limits are ErrInvalid: at most
// 100,000 components, 256 entries in any other list, and 4096 bytes in a text. The
// same facts again are not written. A crash leaves those of before, or the new
// ones.
func (s *Store) Describe(ctx context.Context, f Facts) error {
	return s.describe(ctx, f, true)
}

// DescribeAnew is Describe of a blob about which there are no facts, as Described
// told: nothing is read first.
func (s *Store) DescribeAnew(ctx context.Context, f Facts) error { return s.describe(ctx, f, false) }

func (s *Store) describe(ctx context.Context, f Facts, look bool) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.Digest.IsZero() {
		return fmt.Errorf("%w: expected a digest, found an empty one", ErrInvalid)
	}
	if !s.Holds(f.Digest) {
		return fmt.Errorf("%w: %v", ErrMissing, f.Digest)
	}
	core, parts, err := f.records()
	if err != nil {
		return err
	}
	same := false
	if look {
		err = s.facts.run(ctx, false, func(tx *bbolt.Tx) (err error) {
			same, err = isDescribed(tx, f.Digest, core)
			return err
		})
	}
	if err != nil || same {
		return err
	}
	return s.facts.run(ctx, true, func(tx *bbolt.Tx) error {
		if err := dropFacts(tx, f.Digest); err != nil {
			return err
		}
		return putFacts(tx, f, core, parts)
	})
}

// Described reports whether there are facts about a blob, held or not. Where the
// file of them was lost there are none, and Describe is to be called again. Where none
// are kept they need not be told.
func (s *Store) Described(ctx context.Context, d artifact.Digest) (found bool, err error) {
	if s.facts == nil {
		return true, ctx.Err()
	}
	err = s.facts.run(ctx, false, func(tx *bbolt.Tx) error {
		found = tx.Bucket(bucketDigests).Get([]byte(d.String())) != nil
		return nil
	})
	return found, err
}

// Undescribed gives those of the blobs about which there are no facts.
func (s *Store) Undescribed(ctx context.Context, blobs []artifact.Digest) ([]artifact.Digest, error) {
	known := map[artifact.Digest]bool{}
	err := s.facts.run(ctx, false, func(tx *bbolt.Tx) error {
		clear(known)
		for _, d := range blobs {
			known[d] = tx.Bucket(bucketDigests).Get([]byte(d.String())) != nil
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(blobs), func(d artifact.Digest) bool { return known[d] }), nil
}

// Facts returns what Describe kept, and whether there is anything.
func (s *Store) Facts(ctx context.Context, d artifact.Digest) (f Facts, found bool, err error) {
	err = s.facts.run(ctx, false, func(tx *bbolt.Tx) error {
		f = Facts{}
		id := tx.Bucket(bucketDigests).Get([]byte(d.String()))
		if found = id != nil; !found {
			return nil
		}
		var core coreRecord
		if err := getJSON(tx, bucketArtifacts, id, &core); err != nil {
			return err
		}
		f = core.Facts
		ids, err := getParts(tx, id)
		if err != nil {
			return err
		}
		for _, part := range ids {
			var c Component
			if err := getJSON(tx, bucketComponents, part[:], &c); err != nil {
				return err
			}
			f.Components = append(f.Components, c)
		}
		return nil
	})
	if err != nil {
		return Facts{}, false, err
	}
	return f, found, nil
}

// undescribe forgets the facts about blobs.
func (s *Store) undescribe(ctx context.Context, gone []artifact.Digest) error {
	unknown, err := s.Undescribed(ctx, gone)
	if err != nil || len(unknown) == len(gone) {
		return err
	}
	return s.facts.run(ctx, true, func(tx *bbolt.Tx) error {
		return dropFacts(tx, gone...)
	})
}
