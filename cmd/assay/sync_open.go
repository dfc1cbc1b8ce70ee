package main

import (
	"fmt"
	"slices"
	"strings"

	"assay/artifact"
	"assay/fetch/lockfile"
)

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
