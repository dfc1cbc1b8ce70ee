package admin

import (
	"context"
	"errors"
	"net/http"

	"assay/artifact"
	"assay/internal/shown"
	"assay/mirror/page"
)

// newPage is the status page of this server's mirror. What is done there is noted as
// what is asked for by a route is.
func (s *Server) newPage() *page.Page {
	c := page.Config{
		Mirror: s.config.Mirror, Counters: s.config.Counters, Log: s.log,
		Sync: func(ctx context.Context, who, repository string) error {
			return s.actOn(ctx, "mirror.sync", who, repository, "", func(ctx context.Context) error {
				run, err := s.config.Mirror.Sync(ctx, repository)
				if err != nil && ctx.Err() != nil {
					return nil // nobody waits any longer, and the run goes on
				}
				return errors.Join(err, run.Err)
			})
		},
		Release: func(ctx context.Context, who, repository, path string) error {
			return s.actOn(ctx, "mirror.release", who, repository, path, func(ctx context.Context) error {
				return s.config.Mirror.Release(ctx, repository, path)
			})
		},
		Peer: func(r *http.Request) string {
			peer, _ := r.Context().Value(peerKey{}).(string)
			return peer
		},
	}
	if s.tokens.Load() != nil {
		c.Token = s.nameOf
	}
	return page.New(c)
}

// actOn does something about a repository that the page was asked for.
func (s *Server) actOn(ctx context.Context, action, who, repository, path string, do func(context.Context) error) error {
	if err := artifact.ValidRepository(repository); err != nil {
		return errors.Join(ErrRequest, err)
	}
	detail := repository
	if path != "" {
		detail += ": " + shown.Clip(path, maxPath)
	}
	return s.act(ctx, action, detail+", asked by "+who+" on the status page", do)
}
