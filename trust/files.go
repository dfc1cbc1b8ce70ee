package trust

import (
	"context"
	"iter"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// File is one metadata file of a view, byte for byte as it was accepted.
type File struct {
	Name    string // as the repository stores it: "3.root.json", "timestamp.json", "2.a%2Fb.json"
	Role    string
	Version int64
	SHA256  artifact.Digest
	Bytes   []byte // shared: not to be changed
}

// Metadata lists the files that this view consists of, in an order in which they
// may be published: roots from the one that trust began with, delegated roles,
// targets, snapshot, and the timestamp last. Delegated roles are fetched on the
// way, each once; more delegations than Limits.Listing are ErrSearchLimit. It
// stops at the first error. Expired metadata
// lists nothing.
func (v *View) Metadata(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		if v.stale != nil {
			yield(File{}, v.stale)
			return
		}
		for file, err := range v.roots(ctx) {
			if !yield(file, err) || err != nil {
				return
			}
		}
		for doc, err := range v.allRoles(ctx) {
			if err != nil {
				yield(File{}, err)
				return
			}
			if doc != v.targets && !yield(v.fileOf(doc), nil) {
				return
			}
		}
		for _, doc := range []*document{v.targets, v.snapshot, v.timestamp} {
			if !yield(v.fileOf(doc), nil) {
				return
			}
		}
	}
}

func (v *View) fileOf(d *document) File {
	consistent := v.consistent() && d.kind != metadata.TIMESTAMP || d.kind == metadata.ROOT
	return File{Name: fileName(d.role, d.version, consistent), Role: d.role, Version: d.version, SHA256: d.sum, Bytes: d.raw}
}

// roots lists the chain of roots from the one that trust began with to this
// view's.
func (v *View) roots(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		chain, err := v.rootChain(ctx)
		if err != nil {
			yield(File{}, err)
			return
		}
		next := int64(0)
		for _, doc := range chain {
			if !yield(v.fileOf(doc), nil) {
				return
			}
			next = doc.version + 1
		}
		if next <= v.root.version {
			yield(File{}, v.rootDamaged(next))
		}
	}
}
