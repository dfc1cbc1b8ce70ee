// Package upstream joins package mirror, which says what it needs of an upstream,
// with package fetch, which has it: the same transfer, proof and policy as a client's.
//
// It decides one thing: which failure to get a target is a refusal, which puts it
// in quarantine until a person or a new policy says otherwise, and which one the
// next run may get over.
package upstream

import (
	"context"
	"errors"
	"fmt"

	"assay/artifact/release"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/mirror"
	"assay/mirror/counters"
	"assay/mirror/tracing"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// Config is what an Upstream is made of. Name, Client and Trust are required.
type Config struct {
	Name string // of the repository
	// Client makes a client that knows the repository. Each is asked for fresh metadata
	// once, so there is one for each run. Its cache is that of the mirror's storage.
	Client func(ctx context.Context) (*fetch.Client, error)
	Trust  *trust.Repository
	Policy string // names what the client judges by

	Counters *counters.Set   // nil: nothing is counted
	Tracer   *tracing.Tracer // nil: nobody is told
}

// Upstream is a repository that is fetched by package fetch. It implements
// mirror.Upstream.
type Upstream struct{ c Config }

// New makes an Upstream. It asks nothing yet.
func New(c Config) *Upstream { return &Upstream{c} }

var _ mirror.Upstream = (*Upstream)(nil)

// Refresh implements mirror.Upstream.
func (u *Upstream) Refresh(ctx context.Context) (mirror.Session, error) {
	client, err := u.c.Client(ctx)
	if err != nil {
		return nil, err
	}
	view, err := client.View(u.c.watched(ctx), u.c.Name)
	u.c.noteHealth(err)
	if err != nil {
		return nil, err
	}
	return &session{u.c, client, view}, nil
}

// Held implements mirror.Upstream.
func (u *Upstream) Held(ctx context.Context) (mirror.Session, error) {
	client, err := u.c.Client(ctx)
	if err != nil {
		return nil, err
	}
	view, err := u.c.Trust.Offline(ctx)
	if err != nil {
		return nil, err
	}
	return &session{u.c, client, view}, nil
}

// session implements mirror.Session.
type session struct {
	Config
	client *fetch.Client
	view   *trust.View
}

func (s *session) View() *trust.View { return s.view }
func (s *session) Policy() string    { return s.Config.Policy }

func (s *session) Fetch(ctx context.Context, target trust.Target) (cache.Blob, int64, error) {
	fetched, err := s.client.Fetch(s.watched(ctx), target)
	return fetched.Blob, fetched.Moved, err
}

// Prove is Fetch for what is no artifact, and for what belongs to a revoked release:
// its bytes are those that are promised, and whoever asks for them by product or
// path is told that it is revoked by the channels, which are mirrored, too.
func (s *session) Prove(ctx context.Context, target trust.Target) (cache.Blob, int64, error) {
	ctx = s.watched(ctx)
	selection, err := s.client.SelectTarget(ctx, s.Name, target.Path())
	if errors.Is(err, fetch.ErrRevoked) {
		return s.Fetch(ctx, target)
	}
	if err == nil {
		if err = selection.SameBytes(target.Digests()); err != nil {
			err = fmt.Errorf("%s was promised with other bytes meanwhile: %w", target.Path(), err)
		}
	}
	if err != nil {
		return cache.Blob{}, 0, s.judged(ctx, target, err, true)
	}
	if _, _, _, listed := selection.Listed(); !listed {
		return s.Fetch(ctx, target)
	}
	held, err := s.client.GetSelected(ctx, selection)
	if errors.Is(err, fetch.ErrRevoked) {
		return s.Fetch(ctx, target)
	}
	return held.Blob, held.Moved, s.judged(ctx, target, err, false)
}

// judged tells a refusal from what is about the network, the disk, or the bytes
// that came.
func (s *session) judged(ctx context.Context, target trust.Target, err error, selecting bool) error {
	var refusal *proof.Refusal
	switch {
	case err == nil, ctx.Err() != nil, s.Temporary(err):
		return err
	case errors.As(err, &refusal), errors.Is(err, policy.ErrChanged), errors.Is(err, policy.ErrWeaker):
	case errors.Is(err, release.ErrMalformed), errors.Is(err, trust.ErrManifest): // another manifest may be published
		return err
	case errors.Is(err, cache.ErrMismatch), errors.Is(err, cache.ErrDisk), errors.Is(err, cache.ErrBusy), errors.Is(err, wire.ErrSource), !selecting:
		return err
	}
	return &mirror.RefusedError{Path: target.Path(), Err: err}
}

// Temporary implements mirror.Session.
func (s *session) Temporary(err error) bool { return wire.Temporary(err) }
