package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"assay/artifact"
	"assay/mirror"
	"assay/trust"
)

// reader is a client of a mirror that forgives nothing: what it is served must be one
// whole repository, and never an older one than it has seen.
type reader struct {
	m     *mirror.Mirror
	trust *trust.Repository
}

// newReader begins with a root. Its memory outlives the mirrors that it reads from.
func newReader(root []byte, now func() time.Time) (*reader, error) {
	r := &reader{}
	known, err := trust.Open(trust.Config{Name: "acme", Root: root, Store: &trust.MemStore{}, Remote: r, Now: now})
	r.trust = known
	return r, err
}

// ReadMetadata implements trust.Remote.
func (r *reader) ReadMetadata(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, _, err := r.read(ctx, name)
	switch {
	case errors.Is(err, mirror.ErrNoFile):
		return nil, fmt.Errorf("%w: %w", trust.ErrNoMetadata, err)
	case err == nil && int64(len(data)) > limit:
		return nil, fmt.Errorf("%s: %w", name, trust.ErrTooLarge)
	}
	return data, err
}

func (r *reader) read(ctx context.Context, name string) ([]byte, mirror.File, error) {
	f, err := r.m.Find("acme", name)
	if err != nil {
		return nil, f, err
	}
	object, err := r.m.Open(ctx, f)
	if err != nil {
		return nil, f, err
	}
	defer object.Close()
	data, err := io.ReadAll(object)
	if err == nil && int64(len(data)) != f.Length {
		err = fmt.Errorf("%s: expected %d bytes, found %d", name, f.Length, len(data))
	}
	return data, f, err
}

// whole refreshes and reads every target, by its path or with its digest. It tells how
// many there were; mirror.ErrNotReady is that nothing was ever published.
func (r *reader) whole(ctx context.Context, hashed bool) (targets int, err error) {
	view, err := r.trust.Refresh(ctx)
	if err != nil {
		return 0, err
	}
	for target, err := range view.Targets(ctx) {
		if err != nil {
			return targets, err
		}
		name := "targets/" + target.Path()
		if hashed {
			name = hashedName(target.Path(), target.Digests().Primary())
		}
		data, f, err := r.read(ctx, name)
		if err != nil {
			return targets, err
		}
		for _, digest := range target.Digests() {
			if found := artifact.DigestOf(digest.Algorithm(), data); found != digest {
				return targets, fmt.Errorf("%s: expected %s, found %s in %+v", name, digest, found, f)
			}
		}
		targets++
	}
	return targets, nil
}

func hashedName(path string, digest artifact.Digest) string {
	dir, base := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, base = path[:i+1], path[i+1:]
	}
	return "targets/" + dir + digest.Hex() + "." + base
}
