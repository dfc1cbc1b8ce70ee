package trust

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// wanted is one file that signed metadata promises.
type wanted[T metadata.Roles] struct {
	role    string
	promise *metadata.MetaFiles
	limit   int64
	held    []byte // stored bytes that may be the promised ones; nil: none
	verify  func(*document[T]) error
}

// obtain returns the promised file, from the stored bytes if they are it, else
// from the Remote.
func obtain[T metadata.Roles](ctx context.Context, r *Repository, consistent bool, w wanted[T]) (doc *document[T], stored bool, err error) {
	if w.held != nil {
		if doc, err := w.accept(r, w.held); err == nil {
			return doc, true, nil
		}
	}
	if r.remote == nil {
		return nil, false, fmt.Errorf("%s: %s %d: %w", r.name, w.role, w.promise.Version, ErrNotHeld)
	}
	limit := w.limit
	if w.promise.Length > limit {
		return nil, false, fmt.Errorf("%s: %s %d: %w: expected at most %d bytes, the signed length is %d", r.name, w.role, w.promise.Version, ErrTooLarge, limit, w.promise.Length)
	}
	if w.promise.Length > 0 {
		limit = w.promise.Length
	}
	name := url.PathEscape(w.role) + ".json"
	if consistent {
		name = fmt.Sprintf("%d.%s", w.promise.Version, name)
	}
	raw, err := r.remote.ReadMetadata(ctx, name, limit)
	if errors.Is(err, ErrTooLarge) && w.promise.Length > 0 {
		return nil, false, fmt.Errorf("%s: %w", r.name, &MismatchError{What: name, Expected: fmt.Sprintf("%d bytes", limit), Found: "more"})
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s: %s %d: %w", r.name, w.role, w.promise.Version, err)
	}
	if doc, err = w.accept(r, raw); err != nil {
		return nil, false, fmt.Errorf("%s: %w", r.name, err)
	}
	return doc, false, nil
}

// accept checks length and hashes before anything is parsed, then signatures,
// then the version.
func (w wanted[T]) accept(r *Repository, raw []byte) (*document[T], error) {
	var digests artifact.Digests
	if len(w.promise.Hashes) > 0 {
		var err error
		if digests, err = digestsOf(w.promise.Hashes); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", w.role, ErrMalformed, err)
		}
	}
	if err := checkBytes(w.role, raw, w.promise.Length, digests); err != nil {
		return nil, err
	}
	doc, err := parse[T](w.role, raw, w.limit, r.limits.Depth)
	if err != nil {
		return nil, err
	}
	if err := w.verify(doc); err != nil {
		return nil, err
	}
	if doc.version < w.promise.Version {
		return nil, &RollbackError{Repository: r.name, Role: w.role, Held: w.promise.Version, Offered: doc.version}
	}
	if doc.version > w.promise.Version {
		return nil, &MismatchError{What: w.role, Expected: fmt.Sprintf("version %d", w.promise.Version), Found: fmt.Sprintf("version %d", doc.version)}
	}
	return doc, nil
}
