package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache/audit"
	"assay/fetch/install"
)

func uninstallCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "uninstall",
		Usage:     "take installed products away",
		ArgsUsage: "[REPO:]PRODUCT…",
		Description: "Removes the links to a product's programs and all of its releases that are kept\n" +
			"to go back to. It works without the network, and for a product whose record is\n" +
			"damaged, too. What a program has written elsewhere stays.\n\n" +
			"The artifacts stay in the cache until `assay cache prune` takes them." +
			examples(
				"assay uninstall hello",
				"assay uninstall hello acme:ferry    several at once"),
		Action: func(c *cli.Context) error { return a.uninstall(c) },
	}
}

// uninstalledDoc tells of one product that went.
type uninstalledDoc struct {
	Repository string           `json:"repository"`
	Product    string           `json:"product"`
	Version    string           `json:"version,omitempty"` // that ran; empty: none did, or its record was damaged
	Target     string           `json:"target,omitempty"`
	Digests    artifact.Digests `json:"digests,omitempty"`
	Releases   int              `json:"releases"` // that were removed, those kept to go back to among them
	Bytes      int64            `json:"bytes"`    // of their files
	Links      []string         `json:"links,omitempty"`
}

type uninstallDoc struct {
	Changed bool             `json:"changed"`
	Items   []uninstalledDoc `json:"items"`
}

func (a *app) uninstall(c *cli.Context) error {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	s, store, err := a.bareInstaller(c)
	if err != nil {
		return err
	}
	var names []install.Name
	for _, text := range args {
		name, err := knownName(store, text)
		if err != nil {
			return err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	log, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	doc := uninstallDoc{Items: []uninstalledDoc{}}
	var rows [][]string
	for _, name := range names {
		item, err := a.uninstallOne(c, store, log, name)
		if err != nil {
			a.out.plainTable(rows)
			return fmt.Errorf("%s: %w", name, about(name, err))
		}
		doc.Changed = true
		doc.Items = append(doc.Items, item)
		rows = append(rows, a.uninstalledRow(item))
		if err := a.out.result("uninstall", doc); err != nil {
			return err
		}
	}
	a.out.plainTable(rows)
	a.out.talk("the artifacts are still in the cache: `assay cache prune` may remove them now")
	return nil
}

func (a *app) uninstallOne(c *cli.Context, store *install.Store, log *auditor, name install.Name) (uninstalledDoc, error) {
	item := uninstalledDoc{Repository: name.Repository, Product: name.Product}
	if list, _, err := store.Generations(name); err == nil {
		for _, g := range list {
			item.Releases++
			item.Bytes += g.Bytes
		}
	}
	if g, err := store.Current(name); err == nil {
		for _, link := range store.Links(g) {
			if _, err := os.Lstat(link); err == nil {
				item.Links = append(item.Links, link)
			}
		}
	}
	was, err := store.Uninstall(c.Context, name)
	if err != nil {
		return item, err
	}
	item.Version, item.Target, item.Digests = was.Version, was.Target, was.Digests
	subject := audit.Subject{
		Repository: name.Repository, Product: name.Product, Version: was.Version, Target: was.Target,
	}
	if was.Number != 0 {
		subject.Platform, subject.Digest = was.Platform.String(), was.Digests.Primary()
	}
	return item, log.note(c.Context, audit.Entry{
		Action: audit.Uninstall, Outcome: audit.Done, Subject: subject, Detail: fmt.Sprintf("%d releases", item.Releases),
	})
}

// uninstalledRow is what went with a product.
func (a *app) uninstalledRow(item uninstalledDoc) []string {
	version := item.Version
	switch {
	case version != "":
	case item.Releases > 0:
		version = "(not current)" // it was only run, or its uninstall was cut short
	default:
		version = "(damaged)"
	}
	went := humanize.Comma(int64(item.Releases)) + " releases"
	if item.Releases == 1 {
		went = "1 release"
	}
	where := ""
	if len(item.Links) > 0 {
		where = a.homely(item.Links[0])
		if n := len(item.Links); n > 1 {
			where += fmt.Sprintf(" and %d more", n-1)
		}
	}
	return []string{item.Product, version, "uninstalled", went + ", " + bytesText(item.Bytes), where}
}
