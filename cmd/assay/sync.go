package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/install"
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
		Description: "With --locked it installs, for this platform, each release that assay.lock names,\n" +
			"by its path and digest, and fetches its pins into the cache. All is proven before\n" +
			"anything is installed; anything else than what is locked is refused (30), and\n" +
			"what was revoked since (16). Repositories that show an older state than the lock\n" +
			"was made from are refused (12), on a machine that never saw them, too.\n\n" +
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

// open reads the project and the lock and compares them, before any request.
func (y *syncing) open() (err error) {
	a, c := y.app, y.c
	cfg, err := a.config(c)
	if err != nil {
		return err
	}
	if y.project, err = a.project(cfg); err != nil {
		return err
	}
	if !y.there {
		return withHint(fmt.Errorf("%w: expected %s, found none", errLock, y.file), "`assay lock` writes it")
	}
	if err := y.agree(); err != nil {
		return err
	}
	for _, product := range y.old.Products {
		locked := bestFor(product, cfg.Platform)
		if locked == nil {
			var there []string
			for _, other := range product.Artifacts {
				there = append(there, other.Platform.String())
			}
			return withHint(fmt.Errorf("%w: %s: expected %s %s for %s, found it locked for %s", errLock, y.file, product.Name, product.Version, cfg.Platform, strings.Join(there, ", ")),
				"`assay lock --"+flagAllPlatforms+"` locks all platforms that there are")
		}
		y.items = append(y.items, &syncItem{product: product, locked: *locked})
	}
	if len(y.items) == 0 {
		y.session, err = a.movingSession(c)
		return err
	}
	var names []string
	for _, entry := range y.old.Repositories {
		names = append(names, entry.Name)
	}
	return y.connect(names)
}

// connect makes the session, and holds the repositories to the lock. One that only
// had to agree where the lock was made may be unknown here.
func (y *syncing) connect(names []string) (err error) {
	a, c := y.app, y.c
	known, err := a.store(c)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		owns := slices.ContainsFunc(y.items, func(i *syncItem) bool { return i.product.Repository == name })
		return !owns && !slices.Contains(known.names(), name)
	})
	if y.session, err = a.asking(c, names...); err != nil {
		return err
	}
	for _, entry := range y.old.Repositories {
		if !slices.Contains(names, entry.Name) {
			continue
		}
		if err := a.holdToLock(c.Context, y.session, entry); err != nil {
			return err
		}
	}
	return nil
}

// agree compares what the project asks for with what is locked.
func (y *syncing) agree() error {
	hint := "`assay lock` brings it up to date; have its change reviewed"
	for _, t := range y.tools {
		if t.old == nil {
			return withHint(fmt.Errorf("%w: %s names %s, and %s does not have it", errLock, t.Origin, t.Name, y.file), hint)
		}
		if t.old.Request.String() != t.ref.Selector.String() {
			return withHint(fmt.Errorf("%w: %s: expected %s@%s, as in %s, found %s", errLock, t.Origin, t.Name, t.old.Request, y.file, t.ref.Selector), hint)
		}
	}
	for i := range y.old.Products {
		product := &y.old.Products[i]
		if !slices.ContainsFunc(y.tools, func(t *lockTool) bool { return t.old == product }) {
			return withHint(fmt.Errorf("%w: %s has %s of %s, and it is none of the project's tools", errLock, y.file, product.Name, product.Repository), hint)
		}
	}
	return nil
}

// bestFor is what is locked for the platform that suits a machine best; nil: nothing.
func bestFor(p lockfile.Product, machine artifact.Platform) (best *lockfile.Artifact) {
	most := 0
	for i, locked := range p.Artifacts {
		if rank := machine.Rank(locked.Platform.OS, locked.Platform.Arch, locked.Platform.Variant); rank > most {
			best, most = &p.Artifacts[i], rank
		}
	}
	return best
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

// installAll installs what was proven, one after the other, and tells of it. A crash
// in between leaves each product at a whole release: the next run goes on.
func (y *syncing) installAll(began time.Time) error {
	a, c := y.app, y.c
	store, err := a.installer(y.session)
	if err != nil {
		return err
	}
	if err := y.checkHolds(store); err != nil {
		return err
	}
	if err := a.keepLocked(c.Context, y.session, y.file, y.old); err != nil {
		return err
	}
	done := installDoc{Items: []installedDoc{}}
	doc := syncedDoc{File: y.file, Pins: y.pins}
	var log *auditor
	var failed error
	for _, item := range y.items {
		one, err := y.installOne(store, item, &log)
		if err != nil {
			failed = errors.Join(fmt.Errorf("%s: %w", item.wish.text, err), notReached(len(y.items)-len(done.Items)-1))
			break
		}
		done.Items = append(done.Items, one)
		doc.Changed = doc.Changed || one.Changed || one.Moved > 0
	}
	for _, pin := range y.pins {
		doc.Changed = doc.Changed || pin.Moved > 0
	}
	doc.Items = done.Items
	if err := a.out.result("synced", doc); err != nil {
		return errors.Join(failed, err)
	}
	if len(done.Items) > 0 {
		a.tellInstalled(store, done, a.now().Sub(began))
	}
	for _, pin := range y.pins {
		a.out.line("%s  pinned  %s", pin.Name, pin.Blob)
	}
	y.tellFreshness()
	return failed
}

func (y *syncing) installOne(store *install.Store, item *syncItem, log **auditor) (installedDoc, error) {
	w := item.wish
	before, err := store.Current(install.Name{Repository: item.product.Repository, Product: item.product.Name})
	switch {
	case err == nil:
		w.before = before
	case !errors.Is(err, install.ErrMissing):
		y.app.out.warn("%v", err)
	}
	warnings := w.held.Warnings // told when it was proven
	w.held.Warnings = nil
	done, err := y.app.installOne(y.c, y.session, store, w, log)
	done.Warnings = warnings
	return done, err
}

// checkHolds refuses to change what a person wants to stay as it is, before anything
// is installed.
func (y *syncing) checkHolds(store *install.Store) error {
	for _, item := range y.items {
		name := install.Name{Repository: item.product.Repository, Product: item.product.Name}
		if before, err := store.Current(name); err == nil && store.Held(name) && before.Version != item.product.Version.String() {
			return withHint(usagef("%s is held at %s: expected no other version, found %s in %s", name, before.Version, item.product.Version, y.file),
				"`assay unhold "+name.Product+"` lets it be changed")
		}
	}
	return nil
}

// tellFreshness says once what could not be asked about.
func (y *syncing) tellFreshness() {
	told := map[string]bool{}
	for _, item := range y.items {
		if stale := staleness(item.wish.held.Evidence); stale != "" && !told[stale] {
			told[stale] = true
			y.app.out.talk("%s: %s", item.product.Repository, stale)
		}
	}
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
		return y.rememberRevoked(ctx, item, err)
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
