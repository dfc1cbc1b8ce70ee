package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"assay/fetch"
)

func productsCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "products",
		Usage:     "list what the repositories offer",
		ArgsUsage: "[REPO]",
		Description: "Lists the products in the catalogs of all repositories, or of one. A repository\n" +
			"without a catalog offers targets by path only: `assay get REPO TARGET/PATH`." +
			examples("assay products", "assay products acme --json"),
		Action: func(c *cli.Context) error { return a.products(c) },
	}
}

type productsDoc struct {
	Products []fetch.ProductInfo `json:"products"`
}

func (a *app) products(c *cli.Context) error {
	args, err := operands(c, 0, 1)
	if err != nil {
		return err
	}
	name := ""
	if len(args) == 1 {
		name = args[0]
	}
	s, err := a.session(c, name)
	if err != nil {
		return err
	}
	list, err := a.productsOf(c, s, name)
	if len(list) == 0 && err == nil {
		a.out.talk("%s", nothingOffered(len(s.repositories), name))
	} else if len(list) > 0 {
		var rows [][]string
		for _, p := range list {
			rows = append(rows, []string{p.Repository, p.Product, strings.Join(p.Channels, ", "), p.Summary})
		}
		a.out.table([]string{"REPOSITORY", "PRODUCT", "CHANNELS", "SUMMARY"}, rows)
	}
	if err := a.out.result("products", productsDoc{list}); err != nil {
		return err
	}
	return err
}

// productsOf asks one repository, or all: one that fails does not keep the
// others from being listed. The error is that of the first.
func (a *app) productsOf(c *cli.Context, s *session, name string) ([]fetch.ProductInfo, error) {
	names := s.client.Names()
	if name != "" {
		names = []string{name}
	}
	list := []fetch.ProductInfo{}
	var first error
	for _, name := range names {
		some, err := s.client.Products(c.Context, name)
		if err != nil && len(names) > 1 {
			a.out.fail(err)
			err = &reported{err}
		}
		if first == nil {
			first = err
		}
		list = append(list, some...)
	}
	return list, first
}

func nothingOffered(repositories int, name string) string {
	switch {
	case repositories == 0:
		return "no repository is known yet; `assay trust add` adds one"
	case name != "":
		return name + " has no catalog; its targets can be had by path: `assay get " + name + " TARGET/PATH`"
	}
	return "no repository has a catalog; targets can be had by path: `assay get REPO TARGET/PATH`"
}
