package main

import (
	"context"
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/install"
)

// keepInstalled has the cache keep, before anything is removed, what judging the
// installed releases takes today: the catalog and the channels change after an
// install, and whoever is offline can neither go back nor be told of a revocation
// without those that are promised now. It makes no request. What can't be found out is
// told, and keeps nobody from pruning: it costs a request later.
func (a *app) keepInstalled(c *cli.Context) {
	if err := a.keepBesideInstalled(c); err != nil {
		a.out.warn("what going back offline takes may be removed: %v", err)
	}
}

func (a *app) keepBesideInstalled(c *cli.Context) error {
	bare, err := a.bareStore(c)
	if err != nil || bare.config.NeedInstallDirs() != nil {
		return err
	}
	store, err := a.installer(bare)
	if err != nil {
		return err
	}
	names, err := store.Known()
	if err != nil || len(names) == 0 {
		return err
	}
	s, err := a.store(c)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n install.Name) bool { _, err := s.find(n.Repository); return err != nil })
	var repositories []string
	for _, name := range names {
		repositories = append(repositories, name.Repository)
	}
	if len(names) == 0 {
		return nil // none of them is trusted any more
	}
	offline := *s.config
	offline.Offline = true
	s.config = &offline
	if err := a.joinFor(c, s, repositories...); err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		digests, err := s.besideInstalled(c.Context, store, name)
		failed = errors.Join(failed, err, store.KeepBeside(c.Context, name, digests))
	}
	return failed
}

// besideInstalled are the documents of a product's generations that are promised now,
// by their repository and those that must agree with it.
func (s *session) besideInstalled(ctx context.Context, store *install.Store, name install.Name) (digests []artifact.Digest, err error) {
	list, _, err := store.Generations(name)
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		version, err := artifact.ParseVersion(g.Version)
		if err != nil {
			continue // a damaged record
		}
		for _, repository := range s.client.Names() {
			found, err := s.client.Documents(ctx, fetch.Exact{Repository: repository, Product: g.Product, Version: version, Channel: g.Channel})
			switch {
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case err != nil && !cannotTell(err) && !errors.Is(err, cache.ErrMissing):
				return digests, err
			}
			digests = append(digests, found...)
		}
	}
	return digests, nil
}
