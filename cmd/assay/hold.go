package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
	"assay/fetch"
	"assay/fetch/install"
)

func holdCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "hold",
		Usage:     "keep products from being upgraded",
		ArgsUsage: "[REPO:]PRODUCT…",
		Description: "`assay upgrade` passes over what is held, and says so; `assay install` refuses\n" +
			"another version of it. `assay outdated` still tells what it lacks." +
			examples("assay hold hello", "assay unhold hello    and it is upgraded again"),
		Action: func(c *cli.Context) error { return a.hold(c, true) },
	}
}

func unholdCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:        "unhold",
		Usage:       "let held products be upgraded again",
		ArgsUsage:   "[REPO:]PRODUCT…",
		Description: "Takes back `assay hold`. Nothing is upgraded by it." + examples("assay unhold hello ferry"),
		Action:      func(c *cli.Context) error { return a.hold(c, false) },
	}
}

// holdItem tells of one product.
type holdItem struct {
	Changed    bool   `json:"changed"`
	Repository string `json:"repository"`
	Product    string `json:"product"`
	Version    string `json:"version"` // that runs
	Held       bool   `json:"held"`
}

// holdDoc is the result of hold and unhold.
type holdDoc struct {
	Changed bool       `json:"changed"`
	Items   []holdItem `json:"items"`
}

// hold holds all products that are named, or none of them where one is not there.
func (a *app) hold(c *cli.Context, held bool) error {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	s, store, err := a.bareInstaller(c)
	if err != nil {
		return err
	}
	var list []install.Generation
	for _, text := range args {
		name, err := installedName(store, text)
		if err != nil {
			return err
		}
		g, err := store.Current(name)
		if err != nil {
			return about(name, err)
		}
		if !slices.ContainsFunc(list, func(other install.Generation) bool { return nameOf(other) == name }) {
			list = append(list, g)
		}
	}
	log, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	doc := holdDoc{Items: []holdItem{}}
	for _, g := range list {
		item := holdItem{Repository: g.Repository, Product: g.Product, Version: g.Version, Held: held}
		if item.Changed, err = store.Hold(c.Context, nameOf(g), held); err != nil {
			return err
		}
		if item.Changed {
			detail := "held at " + g.Version
			if !held {
				detail = "held no longer"
			}
			if err := log.note(c.Context, audit.Entry{
				Action: audit.Hold, Outcome: audit.Done, Detail: detail,
				Subject: audit.Subject{Repository: g.Repository, Product: g.Product, Version: g.Version, Platform: g.Platform.String()},
			}); err != nil {
				return err
			}
		}
		a.out.line("%s", heldText(item))
		doc.Changed, doc.Items = doc.Changed || item.Changed, append(doc.Items, item)
	}
	return a.out.result(c.Command.Name, doc)
}

func heldText(item holdItem) string {
	switch {
	case item.Held && item.Changed:
		return item.Product + " is held at " + item.Version
	case item.Held:
		return item.Product + " was held already, at " + item.Version
	case item.Changed:
		return item.Product + " is held no longer: `assay upgrade` comes to it again"
	}
	return item.Product + " was not held"
}

// nameOf is the name of an installed release's product.
func nameOf(g install.Generation) install.Name {
	return install.Name{Repository: g.Repository, Product: g.Product}
}

// refuseHeld is the error where another version is chosen for a product than the one
// that it is held at.
func (w *wish) refuseHeld(selection fetch.Selection) error {
	if !w.frozen || selection.Version.String() == w.before.Version {
		return nil
	}
	return withHint(usagef("%s is held at %s: expected no other version, found %s", w.ref.Product, w.before.Version, selection.Version), unholdHint(w.ref.Product))
}

func unholdHint(product string) string { return "`assay unhold " + product + "` lets it be changed" }
