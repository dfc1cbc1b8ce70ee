package airgap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"assay/artifact"
	"assay/cache"
	"assay/mirror"
	"assay/trust"
)

// Places are where a set that is ready lies, for a source that reads metadata from a
// folder and targets by their digests (fetch.SourceConfig.ByDigest): the folder, and
// that of its metadata.
func Places(readyFolder string) (base, metadata string) {
	return readyFolder, filepath.Join(readyFolder, filepath.FromSlash(metadataFolder))
}

// Upstream is a repository that comes by import alone: inner, whose source lies in the
// folder of what is ready, as long as something is.
func Upstream(inner mirror.Upstream, readyFolder string) mirror.Upstream {
	return &brought{inner, readyFolder}
}

type brought struct {
	mirror.Upstream
	ready string
}

// Refresh implements mirror.Upstream: ErrNothing where nothing is ready.
func (b *brought) Refresh(ctx context.Context) (mirror.Session, error) {
	head, err := readyHead(b.ready)
	if err != nil {
		return nil, err
	}
	s, err := b.Upstream.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	left := &session{s, map[artifact.Digest]LeftOut{}, map[string]LeftOut{}}
	for _, one := range head.LeftOut {
		left.left[one.Digest], left.folders[path.Dir(one.Path)] = one, one
	}
	return left, nil
}

// session knows what the exporter has put aside.
type session struct {
	mirror.Session
	left    map[artifact.Digest]LeftOut
	folders map[string]LeftOut // one of each folder
}

func (s *session) Fetch(ctx context.Context, target trust.Target) (cache.Blob, int64, error) {
	blob, moved, err := s.Session.Fetch(ctx, target)
	return blob, moved, s.explain(target, err)
}

func (s *session) Prove(ctx context.Context, target trust.Target) (cache.Blob, int64, error) {
	blob, moved, err := s.Session.Prove(ctx, target)
	return blob, moved, s.explain(target, err)
}

func (s *session) explain(target trust.Target, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if one, found := s.left[target.Digests().Primary()]; found {
		return fmt.Errorf("%s: %w: %s", target.Path(), mirror.ErrLeftOut, one.Reason)
	}
	// Without its release's manifest, or its bundle, an artifact can't be proven.
	if one, found := s.folders[path.Dir(target.Path())]; found {
		return fmt.Errorf("%s can't be proven: %s: %w: %s", target.Path(), one.Path, mirror.ErrLeftOut, one.Reason)
	}
	return err
}
