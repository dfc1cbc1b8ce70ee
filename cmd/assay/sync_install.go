package main

import (
	"errors"
	"fmt"
	"time"

	"assay/fetch/install"
)

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
		a.tellInstalled(store, done, a.now().Sub(began), failed)
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
				unholdHint(name.Product))
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
