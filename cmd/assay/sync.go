package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/lockfile"
)

const flagLocked = "locked"

// errLock says that a lock does not fit: the project, this machine, or what the
// repositories promise.
var errLock = errors.New("lock file mismatch")

func syncCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "install exactly what the project's assay.lock says",
		ArgsUsage: " ",
		Description: "With --locked it installs, for this platform, each release that assay.lock\n" +
			"names, by its path and digest, and fetches its pins into the cache. All is\n" +
			"proven before anything is installed; anything else than what is locked is\n" +
			"refused (30), and what was revoked since (16). Repositories that show an older\n" +
			"state than the lock was made from are refused (12), on a machine that never saw\n" +
			"them, too.\n\n" +
			"It writes no lock: `assay lock` does. What else is installed stays as it is." +
			examples(
				"assay sync --locked               what the project needs, and nothing else",
				"assay sync --locked --offline     from the cache alone"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagLocked, Usage: "install exactly what is locked"},
		},
		Action: func(c *cli.Context) error { return a.sync(c) },
	}
}

// pinDoc tells of a pin that is in the cache.
type pinDoc struct {
	Name    string           `json:"name"`
	Length  int64            `json:"length"` // in bytes
	Digests artifact.Digests `json:"digests"`
	Blob    string           `json:"blob"`  // where the cache has it
	Moved   int64            `json:"moved"` // bytes that came over a source
}

// syncedDoc is the result of sync.
type syncedDoc struct {
	Changed bool           `json:"changed"` // something was installed, or bytes were moved into the cache
	File    string         `json:"file"`    // the lock
	Items   []installedDoc `json:"items"`
	Pins    []pinDoc       `json:"pins"`
}

// syncing is one run of sync.
type syncing struct {
	*project
	app     *app
	c       *cli.Context
	session *session
	items   []*syncItem
	pins    []pinDoc
}

// syncItem is a locked product, and what was found for it.
type syncItem struct {
	product lockfile.Product
	locked  lockfile.Artifact // for this platform
	wish    *wish
}

func (a *app) sync(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	if !c.Bool(flagLocked) {
		return withHint(usagef("expected --%s: sync installs exactly what assay.lock says, and never chooses anything itself", flagLocked),
			"`assay lock` writes assay.lock, `assay sync --locked` installs it")
	}
	y := &syncing{app: a, c: c}
	if err := y.open(); err != nil {
		return err
	}
	began := a.now()
	if err := y.proveAll(); err != nil {
		return err
	}
	if err := y.getPins(); err != nil {
		return err
	}
	a.progress.close()
	return y.installAll(began)
}

// proveAll selects, fetches and proves all products at once. Nothing is installed if
// any of them is refused.
func (y *syncing) proveAll() error {
	if len(y.items) == 0 {
		return nil
	}
	shown := y.app.progress.batch(len(y.items))
	defer shown.close()
	errs := make([]error, len(y.items))
	inTurns(len(y.items), func(i int) {
		errs[i] = y.prove(y.c.Context, y.items[i])
		shown.ended()
	})
	for i, err := range errs {
		if err != nil {
			item := y.items[i]
			what := asked{repository: item.product.Repository, product: item.product.Name, version: item.product.Version.String(), target: item.locked.Target}
			return y.app.noteRefusal(y.c.Context, y.session, what, err)
		}
	}
	return nil
}

// getPins brings the pins into the cache.
func (y *syncing) getPins() error {
	y.pins = []pinDoc{}
	for _, pin := range y.old.Pins {
		got, err := y.app.getPin(y.c, y.session, y.dir, pin)
		if err != nil {
			return err
		}
		y.pins = append(y.pins, pinDoc{pin.Name, got.Blob.Length(), pin.Digests, got.Blob.Path(), got.Moved})
	}
	return nil
}

// prove finds what is locked, compares it, and proves it, bytes and all.
func (y *syncing) prove(ctx context.Context, item *syncItem) (err error) {
	p, client := item.product, y.session.client
	item.wish = &wish{
		text: p.Repository + ":" + p.Name, request: p.Request.String(),
		ref: artifact.Ref{Repo: p.Repository, Product: p.Name, Selector: p.Request},
	}
	exact := fetch.Exact{Repository: p.Repository, Product: p.Name, Version: p.Version, Channel: p.Channel}
	selection, err := client.SelectExact(ctx, exact, fetch.Part{Platform: item.locked.Platform, Target: item.locked.Target, Held: true})
	switch {
	case errors.Is(err, fetch.ErrWithdrawn):
		return y.proveWithdrawn(ctx, item, err)
	case errors.Is(err, fetch.ErrRevoked):
		y.app.rememberRevoked(ctx, y.session, p.Repository, item.locked)
		return err
	case errors.Is(err, fetch.ErrUnknown):
		return fmt.Errorf("%w: %w", errLock, err)
	case err != nil:
		return err
	}
	if err := y.app.sameAsLocked(ctx, y.session, p.Repository, item.locked, selection.Target); err != nil {
		return err
	}
	selection.Why = "locked"
	if item.wish.held, err = client.GetSelected(ctx, selection); err != nil {
		return err
	}
	item.wish.release, err = y.session.releaseOf(ctx, item.wish.held, item.wish.request)
	if err == nil {
		err = item.wish.release.Fit()
	}
	return err
}
