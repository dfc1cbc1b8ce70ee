package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch/install"
)

func listCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list what is installed",
		Description: "Lists the installed products: which release runs, by which request it is\n" +
			"upgraded, whether it is held, since when, how large its files are, and where its\n" +
			"programs are linked. It asks no repository; `assay outdated` does." +
			examples("assay list", "assay list --json"),
		Action: func(c *cli.Context) error { return a.list(c) },
	}
}

// listedDoc tells of one installed product.
type listedDoc struct {
	Repository string           `json:"repository"`
	Product    string           `json:"product"`
	Version    string           `json:"version"`
	Channel    string           `json:"channel,omitempty"` // that it was chosen from
	Request    string           `json:"request"`           // the selector that upgrades go by
	Platform   string           `json:"platform"`
	Held       bool             `json:"held"`
	Installed  time.Time        `json:"installed"` // when it was unpacked
	Published  time.Time        `json:"published,omitzero"`
	Target     string           `json:"target"`
	Digests    artifact.Digests `json:"digests"`
	Files      int              `json:"files"`
	Bytes      int64            `json:"bytes"` // of the files
	Folder     string           `json:"folder"`
	Links      []string         `json:"links"` // the programs, as they are called
}

// brokenDoc tells of a product whose record can't be read.
type brokenDoc struct {
	Repository string     `json:"repository"`
	Product    string     `json:"product"`
	Error      *errorPart `json:"error"`
}

type listDoc struct {
	Items  []listedDoc `json:"items"`
	Broken []brokenDoc `json:"broken,omitempty"`
}

func (a *app) list(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	_, store, err := a.bareInstaller(c)
	if err != nil {
		return err
	}
	list, broken, err := store.List()
	if err != nil {
		return err
	}
	doc := listDoc{Items: []listedDoc{}}
	var rows [][]string
	var names []install.Name
	for _, g := range list {
		names = append(names, nameOf(g))
		doc.Items = append(doc.Items, newListedDoc(store, g))
	}
	for i, item := range doc.Items {
		rows = append(rows, a.listedRow(titleAmong(names, names[i]), item))
	}
	var failed error
	for _, b := range broken {
		err := about(b.Name, b.Err)
		failed = errors.Join(failed, fmt.Errorf("%s: %w", b.Name, err))
		doc.Broken = append(doc.Broken, brokenDoc{b.Repository, b.Product, partOf(err)})
	}
	if err := a.out.result("list", doc); err != nil {
		return errors.Join(failed, err)
	}
	switch {
	case len(rows) > 0:
		a.out.table([]string{"PRODUCT", "VERSION", "FOLLOWS", "SINCE", "SIZE", "WHERE"}, rows)
	case failed == nil:
		a.out.talk("nothing is installed")
	}
	return failed
}

func newListedDoc(store *install.Store, g install.Generation) listedDoc {
	doc := listedDoc{
		Repository: g.Repository, Product: g.Product, Version: g.Version, Channel: g.Channel, Request: g.Request,
		Platform: g.Platform.String(), Held: store.Held(nameOf(g)), Installed: g.Installed, Published: g.Published,
		Target: g.Target, Digests: g.Digests, Files: g.Files, Bytes: g.Bytes, Folder: g.Tree(), Links: store.Links(g),
	}
	if doc.Links == nil {
		doc.Links = []string{}
	}
	return doc
}

// titleAmong is how a product is called in a table of some: with its repository where
// there is another one of the name.
func titleAmong(names []install.Name, name install.Name) string {
	if slices.ContainsFunc(names, func(other install.Name) bool { return other != name && other.Product == name.Product }) {
		return name.String()
	}
	return name.Product
}

func (a *app) listedRow(title string, item listedDoc) []string {
	follows := requestText(item.Request)
	if item.Held {
		follows += ", held"
	}
	return []string{
		title, item.Version, follows, item.Installed.UTC().Format(time.DateOnly), bytesText(item.Bytes), a.whereOf(item.Links),
	}
}

// whereOf is where a product's programs are called, in short.
func (a *app) whereOf(links []string) string {
	if len(links) == 0 {
		return "no link"
	}
	text := a.homely(links[0])
	if n := len(links); n > 1 {
		text += fmt.Sprintf(" and %d more", n-1)
	}
	return text
}

// partOf is an error as --json tells it of one item among several.
func partOf(err error) *errorPart {
	message, row, hint := describe(err)
	return &errorPart{row.code, row.name, failedCheck(err), message, hint}
}
