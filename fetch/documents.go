package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"assay/artifact/release"
	"assay/cache"
	"assay/trust"
)

// shelf reads the documents of one repository. With exact set it also answers
// from metadata that has expired, but only what is held. It lives as long as one
// question, and is not for several goroutines; its library is for all questions.
type shelf struct {
	client  *Client
	view    *trust.View
	library *library
	exact   bool
	said    map[string]*chooser // by product: what its channels say
	firsts  map[string]*shelf   // by repository: the first ones of agreements
}

func (c *Client) shelf(ctx context.Context, repository string, exact bool) (*shelf, error) {
	view, err := c.View(ctx, repository)
	if err != nil {
		return nil, err
	}
	if stale := view.Stale(); stale != nil && !exact {
		return nil, stale
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &shelf{
		client: c, view: view, library: c.views[repository].library, exact: exact, said: map[string]*chooser{}, firsts: map[string]*shelf{},
	}, nil
}

func (s *shelf) target(ctx context.Context, path string) (trust.Target, error) {
	if s.exact {
		return s.view.HeldTarget(ctx, path)
	}
	return s.view.Target(ctx, path)
}

// catalog is nil where the repository has none, or one of another program's: it
// does not follow the layout.
func (s *shelf) catalog(ctx context.Context) (*release.Catalog, error) {
	lookup := s.view.TopLevelTarget
	if s.exact {
		lookup = s.view.HeldTopLevelTarget
	}
	target, err := lookup(release.CatalogPath)
	if errors.Is(err, trust.ErrNoTarget) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return remembered(ctx, s.library, keyFor("catalog", target, 0), target.Length(), func() (*release.Catalog, error) {
		data, err := s.read(ctx, target, release.MaxCatalogBytes)
		if err != nil || !release.IsOurs(data) {
			return nil, err
		}
		return release.DecodeCatalog(data)
	})
}

func (s *shelf) channel(ctx context.Context, product, channel string) (*release.Channel, error) {
	path := release.ChannelPath(product, channel)
	target, err := s.target(ctx, path)
	if errors.Is(err, trust.ErrNoTarget) {
		return nil, fmt.Errorf("%w: the catalog lists the channel %s of %s: %w", trust.ErrManifest, channel, product, err)
	}
	if err != nil {
		return nil, err
	}
	return remembered(ctx, s.library, keyFor("channel", target, 0), target.Length(), func() (*release.Channel, error) {
		data, err := s.read(ctx, target, release.MaxChannelBytes)
		if err != nil {
			return nil, err
		}
		return release.DecodeChannel(data, product, channel)
	})
}

// channels reads the index of every channel that the catalog lists for the
// product: what one of them revokes is revoked.
func (s *shelf) channels(ctx context.Context, product release.Product) ([]*release.Channel, error) {
	var indexes []*release.Channel
	for _, name := range product.Channels {
		index, err := s.channel(ctx, product.Name, name)
		if err != nil {
			return nil, err
		}
		indexes = append(indexes, index)
	}
	return indexes, nil
}

// manifest is a release manifest with the target that it was fetched by.
type manifest struct {
	*release.Release
	target trust.Target
	data   []byte
}

func (s *shelf) manifest(ctx context.Context, path string) (*manifest, error) {
	target, err := s.target(ctx, path)
	if errors.Is(err, trust.ErrNoTarget) {
		return nil, fmt.Errorf("%w: a channel lists a release whose manifest is not promised: %w", trust.ErrManifest, err)
	}
	if err != nil {
		return nil, err
	}
	m, err := remembered(ctx, s.library, keyFor("manifest", target, 0), 2*target.Length(), func() (*manifest, error) {
		data, err := s.read(ctx, target, release.MaxReleaseBytes)
		if err != nil {
			return nil, err
		}
		doc, err := s.view.Release(target, data)
		return &manifest{Release: doc, data: data}, err
	})
	if err != nil {
		return nil, err
	}
	return &manifest{Release: m.Release, target: target, data: m.data}, nil
}

// listed is the target of a manifest's i-th artifact.
func (s *shelf) listed(ctx context.Context, m *manifest, i int) (trust.Target, error) {
	kind := "artifact"
	if m.target.Stale() != nil {
		kind = "stale artifact"
	}
	const size = 512 // about
	return remembered(ctx, s.library, keyFor(kind, m.target, i), size, func() (trust.Target, error) {
		return s.view.Artifact(ctx, m.target, m.data, i)
	})
}

// read fetches a document and reads it whole, at most limit bytes.
func (s *shelf) read(ctx context.Context, target trust.Target, limit int64) ([]byte, error) {
	if target.Length() > limit {
		return nil, fmt.Errorf("%s: %w: expected at most %d bytes, %d are promised", target.Path(), release.ErrMalformed, limit, target.Length())
	}
	fetched, err := s.client.fetch(ctx, target, nil, cache.Name{Repository: target.Repository(), Target: target.Path(), File: target.Name()})
	if err != nil {
		return nil, err
	}
	reader, err := fetched.Blob.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

// place is this machine's cohort by salt. Without a machine's number it belongs
// to the last cohort, that every rollout reaches at its end.
func (c *Client) place(ctx context.Context) (func(salt string) int, error) {
	if c.machineID == nil {
		return func(string) int { return cohorts - 1 }, nil
	}
	id, err := c.machineID(ctx)
	if err != nil {
		return nil, err
	}
	return func(salt string) int { return cohort(salt, id) }, nil
}

func quoteAll(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
