package trust

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// wanted is one file that signed metadata promises.
type wanted struct {
	role, kind string
	promise    *fileInfo
	limit      int64
	ring       keyring
	known      *document  // parsed earlier by this process; may be the promised one
	held       []byte     // stored bytes that may be the promised ones; nil: none
	record     roleRecord // what was accepted last of a targets role
}

// obtain returns the promised file, from what is known or stored if that is it,
// else from the Remote.
func (r *Repository) obtain(ctx context.Context, remote Remote, consistent bool, w wanted) (doc *document, stored bool, err error) {
	if w.known != nil {
		if err := w.check(r, w.known); err == nil {
			return w.known, true, nil
		}
	}
	if w.held != nil {
		if doc, err := w.accept(r, w.held); err == nil {
			return doc, true, nil
		}
	}
	if remote == nil {
		return nil, false, fmt.Errorf("%s: %s %d: %w", r.name, w.role, w.promise.version, ErrNotHeld)
	}
	limit := w.limit
	if w.promise.length > limit {
		return nil, false, &LimitError{w.kind, fmt.Errorf("%s: %s %d: %w: expected at most %d bytes, the signed length is %d", r.name, w.role, w.promise.version, ErrTooLarge, limit, w.promise.length)}
	}
	if w.promise.length > 0 {
		limit = w.promise.length
	}
	name := fileName(w.role, w.promise.version, consistent)
	refused, err := readJudged(ctx, remote, name, limit, func(raw []byte) (err error) {
		doc, err = w.accept(r, raw)
		return err
	})
	switch {
	case refused:
		return nil, false, fmt.Errorf("%s: %w", r.name, err)
	case errors.Is(err, ErrTooLarge) && w.promise.length > 0:
		return nil, false, fmt.Errorf("%s: %w", r.name, &MismatchError{What: name, Expected: fmt.Sprintf("%d bytes", limit), Found: "more"})
	case err != nil:
		return nil, false, fmt.Errorf("%s: %s %d: %w", r.name, w.role, w.promise.version, tooLarge(w.kind, err))
	}
	if w.kind == metadata.TARGETS {
		err = w.record.check(r.name, doc)
	}
	return doc, false, err
}

// fileName is what a role's file is called where the repository stores it
// (specification 1.0, section 6.2).
func fileName(role string, version int64, consistent bool) string {
	name := url.PathEscape(role) + ".json"
	if consistent {
		name = fmt.Sprintf("%d.%s", version, name)
	}
	return name
}

// accept checks length and hashes before anything else, then opens the bytes,
// and reads what they say only once their signatures and version were found
// right.
func (w wanted) accept(r *Repository, raw []byte) (*document, error) {
	if err := w.checkBytes(raw); err != nil {
		return nil, err
	}
	doc, err := open(w.role, w.kind, raw, w.limit, r.limits.Depth)
	if err != nil {
		return nil, err
	}
	defer doc.letGo()
	if err := w.checkPromise(r, doc); err != nil {
		return nil, err
	}
	// While the canonical form is at hand.
	if _, err := doc.content(); err != nil {
		return nil, err
	}
	return doc, doc.decode()
}

// check is accept for a document that was decoded before.
func (w wanted) check(r *Repository, doc *document) error {
	if err := w.checkBytes(doc.raw); err != nil {
		return err
	}
	defer doc.letGo()
	return w.checkPromise(r, doc)
}

func (w wanted) checkBytes(raw []byte) error {
	return checkBytes(w.role, raw, w.promise.length, w.promise.digests())
}

func (w wanted) checkPromise(r *Repository, doc *document) error {
	if _, err := w.ring.verify(doc); err != nil {
		return err
	}
	switch {
	case doc.version < w.promise.version:
		return &RollbackError{Repository: r.name, Role: w.role, Held: w.promise.version, Offered: doc.version}
	case doc.version > w.promise.version:
		return &MismatchError{What: w.role, Expected: fmt.Sprintf("version %d", w.promise.version), Found: fmt.Sprintf("version %d", doc.version)}
	}
	return nil
}
