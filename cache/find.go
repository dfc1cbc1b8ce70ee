package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// minRevision is how many digits tell a revision.
const minRevision = 7

// Query says which artifacts are looked for: those for which all holds that is
// asked. Something must be asked.
type Query struct {
	// Name is one by which a component is found: see Component.Names.
	Name string
	// Keep is asked whether a component is meant; nil: each is. It is called once
	// for each component, however many artifacts have it, and, as the other
	// functions are, within a transaction: it must be quick, and a panic in it would count as
	// damage of the file.
	Keep func(Component) bool
	// Revision is the beginning of the source's revision: at least 7 hex digits.
	Revision string
	// Builder and Signer are asked whether that one is meant, once for each that is
	// known; nil: not asked.
	Builder, Signer func(string) bool
	// License is asked whether a licence expression is meant, once for each that is
	// known: that of the component, or, where no component is asked for, of the
	// artifact or of any of its components; nil: not asked.
	License func(expression string) bool
}

func (q Query) check() error {
	if q.Name == "" && q.Keep == nil && q.License == nil && q.Revision == "" && q.Builder == nil && q.Signer == nil {
		return fmt.Errorf("%w: expected a component, licence, revision, builder or signer to look for, found none", ErrInvalid)
	}
	if q.Revision != "" && (len(q.Revision) < minRevision || strings.Trim(strings.ToLower(q.Revision), "0123456789abcdef") != "") {
		return fmt.Errorf("%w: expected a revision of at least %d hex digits, found %q", ErrInvalid, minRevision, clip(q.Revision))
	}
	return nil
}

// Match is an artifact that was found.
type Match struct {
	Facts               // without its components
	Matched []Component // those that were looked for
}

// Find gives the held artifacts that are meant, by product, version and platform.
// A query that asks for nothing, or for less than 7 digits of a revision, is
// ErrInvalid; an error is the last that comes. No lock is held while it yields.
//
// What was never described is not found, and after the loss of facts.db nothing
// is; so an empty answer means little where Described says no of a held blob.
func (s *Store) Find(ctx context.Context, q Query) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		found, err := s.find(ctx, q)
		for _, match := range found {
			if err = ctx.Err(); err != nil {
				break
			}
			_, statErr := os.Lstat(s.path(match.Digest))
			if errors.Is(statErr, fs.ErrNotExist) {
				continue
			}
			if !yield(match, nil) {
				return
			}
		}
		if err != nil {
			yield(Match{}, err)
		}
	}
}

func (s *Store) find(ctx context.Context, q Query) (found []Match, err error) {
	if err := s.errNoNotes(); err != nil {
		return nil, err
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	err = s.facts.run(ctx, false, func(tx *bbolt.Tx) error {
		found = nil
		found, err = (&finder{ctx: ctx, tx: tx, query: q}).answer()
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Product, b.Product), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Digest.String(), b.Digest.String()))
	})
	return found, nil
}
