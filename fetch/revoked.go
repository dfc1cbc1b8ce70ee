package fetch

import (
	"context"
	"errors"
	"fmt"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
)

// revokedKept is how many files of revoked releases are kept by their digests; the
// manifests of any more are looked through for each question.
const revokedKept = 100_000

// revokedFiles are the files of all releases that a repository has revoked, found
// by their digests. It is filled by the first question, from the view that all
// questions of a Client are judged by.
type revokedFiles struct {
	turn turn // guards the rest

	listed bool          // all channels were read
	left   []*revocation // whose manifests were not read, or are not held
	count  int           // of files in found
	found  map[artifact.Digest][]revokedFile
}

// revokedFile is a file of a revoked release.
type revokedFile struct {
	name    string
	digests artifact.Digests
	by      *revocation
}

// revokedBytes refuses bytes that the manifest of a revoked release lists, for a
// target that no channel lists. The first question reads every channel of the
// repository. A manifest that is not held is looked for again each time: it may
// have come here since.
func (s *shelf) revokedBytes(ctx context.Context, target trust.Target, digests artifact.Digests) error {
	files := s.library.revoked[s.exact]
	if err := files.turn.take(ctx); err != nil {
		return err
	}
	defer files.turn.end()
	if hit := files.lookup(digests); hit != nil {
		return hit.refuse(target)
	}
	var unlisted error
	if !files.listed {
		files.found, files.count = map[artifact.Digest][]revokedFile{}, 0
		files.left, unlisted = s.revocations(ctx)
		files.listed = unlisted == nil
	}
	hit, err := s.readRevoked(ctx, files, digests)
	switch {
	case err != nil:
		return err
	case hit != nil:
		return hit.refuse(target)
	}
	return unlisted
}

// readRevoked reads the manifests that are left, until one lists the bytes.
func (s *shelf) readRevoked(ctx context.Context, files *revokedFiles, digests artifact.Digests) (*revokedFile, error) {
	left := files.left
	files.left = nil
	for i, by := range left {
		m, err := s.manifest(ctx, by.entry.Manifest)
		switch {
		case errors.Is(err, trust.ErrNoTarget):
			continue // it was taken away with the release
		case errors.Is(err, trust.ErrNotHeld):
			files.left = append(files.left, by) // it never came here
			continue
		case err != nil:
			files.left = append(files.left, left[i:]...)
			return nil, err
		}
		if hit := files.take(m, by, digests); hit != nil {
			files.left = append(files.left, left[i+1:]...)
			return hit, nil
		}
	}
	return nil, nil
}

// take keeps a revoked release's files, and finds the one with the digests among
// them; nil: there is none.
func (f *revokedFiles) take(m *manifest, by *revocation, digests artifact.Digests) (hit *revokedFile) {
	full := f.count+len(m.Artifacts) > revokedKept
	if full {
		f.left = append(f.left, by)
	}
	for _, listed := range m.Artifacts {
		file := revokedFile{listed.Name(), artifact.Digests(listed.Digests), by}
		if hit == nil && file.digests.Agree(digests) {
			hit = &file
		}
		if full {
			continue
		}
		f.count++
		for _, digest := range file.digests {
			f.found[digest] = append(f.found[digest], file)
		}
	}
	return hit
}

// lookup finds the file that has the digests among those that are kept. Who agrees
// with them has at least one of them.
func (f *revokedFiles) lookup(digests artifact.Digests) *revokedFile {
	for _, digest := range digests {
		for _, file := range f.found[digest] {
			if file.digests.Agree(digests) {
				return &file
			}
		}
	}
	return nil
}

// refuse is the error for a target that has the file's bytes.
func (f *revokedFile) refuse(target trust.Target) error {
	return fmt.Errorf("%s has the bytes of %s: %w", target.Path(), f.name, f.by)
}

// revocations lists the releases that any channel of the repository has revoked.
// Behind an error it is those that were found before.
func (s *shelf) revocations(ctx context.Context) ([]*revocation, error) {
	var list []*revocation
	catalog, err := s.catalog(ctx)
	if err != nil || catalog == nil {
		return nil, err
	}
	for _, product := range catalog.Products {
		says, err := s.says(ctx, product.Name)
		if err != nil {
			return list, err
		}
		for _, index := range says.indexes {
			for _, entry := range index.Releases {
				if entry.Status == release.StatusRevoked {
					list = append(list, &revocation{product: product.Name, channel: index.Channel, entry: entry})
				}
			}
		}
	}
	return list, nil
}
