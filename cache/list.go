package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// maxNames is how many names an entry keeps; the oldest go first.
const maxNames = 64

// maxNameLength is the longest that the texts of one Name together may be, in
// bytes.
const maxNameLength = 8192

// Name is one answer to the question what a blob was fetched for. Fields may be
// empty. It is a note, not a proof.
type Name struct {
	Repository string `json:"repository,omitempty"`
	Target     string `json:"target,omitempty"`
	Product    string `json:"product,omitempty"`
	Version    string `json:"version,omitempty"`
	Platform   string `json:"platform,omitempty"`
	File       string `json:"file,omitempty"`
}

// Entry is what the index knows about a held blob.
type Entry struct {
	Digest artifact.Digest
	Length int64     // in bytes
	Added  time.Time // when it was committed, or found without an entry
	Noted  time.Time // when it was last noted, zero if never
	Names  []Name    // the newest first
	Path   string
}

// Note adds names to a held blob, or makes them the newest ones, the last of them
// the newest of all; of more than 64 the oldest go. A blob that is not held is
// ErrMissing; a name longer than 8 KiB is ErrInvalid.
func (s *Store) Note(ctx context.Context, d artifact.Digest, names ...Name) error {
	if err := checkNames(names); err != nil {
		return err
	}
	err := s.note(ctx, d, names)
	if errors.Is(err, errUnknown) {
		// Get also enters a blob that the index does not know yet.
		if _, err := s.get(ctx, d); err != nil {
			return err
		}
		err = s.note(ctx, d, names)
	}
	if errors.Is(err, errUnknown) {
		return fmt.Errorf("%w: %v", ErrMissing, d)
	}
	return err
}

// errUnknown: the file of a blob, and what the index has of it, do not fit.
var errUnknown = errors.New("unknown to the index")

// note is Note of a blob that is as the index has it, in one transaction.
func (s *Store) note(ctx context.Context, d artifact.Digest, names []Name) error {
	if d.IsZero() {
		return errUnknown
	}
	path := s.path(d)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return errUnknown
	}
	s.touch(path, info)
	return s.update(ctx, func(tx *bbolt.Tx) error {
		r, found, err := getRecord(tx, d)
		if err != nil {
			return err
		}
		if !found || r.Length != info.Size() {
			return errUnknown
		}
		r.note(s.now().UTC(), names)
		return putRecord(tx, d, r)
	})
}

// note adds names to an entry, or makes them the newest ones.
func (r *record) note(at time.Time, names []Name) {
	for _, name := range names {
		r.Names = slices.DeleteFunc(r.Names, func(old Name) bool { return old == name })
		r.Names = append(r.Names, name)
	}
	r.Names = r.Names[max(0, len(r.Names)-maxNames):]
	r.Noted = at
}

func checkNames(names []Name) error {
	for _, name := range names {
		if n := name.length(); n > maxNameLength {
			return fmt.Errorf("%w: expected a name of at most %d bytes, found %d", ErrInvalid, maxNameLength, n)
		}
	}
	return nil
}

func (n Name) length() int {
	return len(n.Repository) + len(n.Target) + len(n.Product) + len(n.Version) + len(n.Platform) + len(n.File)
}

// List gives the held blobs that the index knows, the last used first. Their content is not looked at.
func (s *Store) List(ctx context.Context) ([]Entry, error) {
	if err := s.errNoNotes(); err != nil {
		return nil, err
	}
	var all []Entry
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		all = nil
		return forEach(tx, func(d artifact.Digest, r record) {
			slices.Reverse(r.Names)
			all = append(all, Entry{Digest: d, Length: r.Length, Added: r.Added, Noted: r.Noted, Names: r.Names, Path: s.path(d)})
		})
	})
	if err != nil {
		return nil, err
	}
	held := all[:0]
	for _, entry := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := os.Lstat(entry.Path)
		if err == nil {
			held = append(held, entry)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, disk(entry.Path, err)
		}
	}
	slices.SortFunc(held, func(a, b Entry) int {
		if order := b.Used().Compare(a.Used()); order != 0 {
			return order
		}
		return strings.Compare(a.Digest.String(), b.Digest.String())
	})
	return held, nil
}

// Used is when the blob was last noted or added, whichever is later.
func (e Entry) Used() time.Time {
	if e.Noted.After(e.Added) {
		return e.Noted
	}
	return e.Added
}

// forEach visits all entries.
func forEach(tx *bbolt.Tx, visit func(artifact.Digest, record)) error {
	return tx.Bucket(bucketBlobs).ForEach(func(key, value []byte) error {
		d, err := artifact.ParseDigest(string(bytes.Clone(key)))
		if err != nil {
			return &corruptEntry{err.Error()}
		}
		r, err := decodeRecord(value)
		if err != nil {
			return err
		}
		visit(d, r)
		return nil
	})
}
