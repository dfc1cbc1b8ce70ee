package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
)

func trustRemoveCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "trust a repository no more, and forget its version floors",
		ArgsUsage: "NAME",
		Description: "Forgets the repository's root, metadata and version floors. Whoever adds it\n" +
			"again begins anew: an older state would be believed then. Blobs stay in the\n" +
			"cache, and what is installed from it stays, and is told." +
			examples("assay trust remove acme"),
		Action: a.trustRemove,
	}
}

type removeDoc struct {
	Changed    bool   `json:"changed"`
	Repository string `json:"repository"`
	// Installed are the products that came from it, which stay.
	Installed []string `json:"installed,omitempty"`
}

// installedFrom are the installed products of a repository. What can't be found out,
// as there is no home, or a record is damaged, keeps nobody from removing it.
func (a *app) installedFrom(s *session, repository string) (products []string) {
	store, err := a.installer(s)
	if err != nil {
		return nil
	}
	names, err := installedNames(store)
	if err != nil {
		a.out.warn("%v", err)
	}
	for _, name := range names {
		if name.Repository == repository {
			products = append(products, name.Product)
		}
	}
	return products
}

func (a *app) trustRemove(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	name := args[0]
	// Not store: a declaration that contradicts the registration is what this
	// command can put right.
	s, err := a.bareStore(c)
	if err != nil {
		return err
	}
	_, registered, err := s.state.Repository(c.Context, name)
	if err != nil {
		return err
	}
	if declared, ok := s.config.Repository(name); ok && !registered {
		return usagef("%s: declared in %s; remove it there", clip(name), declared.Origin)
	}
	writer, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	// Without a registration, too: what a run that was killed may have left of a
	// repository is forgotten as well.
	changed, err := s.state.RemoveRepository(c.Context, name)
	if err != nil {
		return err
	}
	if !changed {
		return fmt.Errorf("%w: %q", errNoRepository, clip(name))
	}
	noted := writer.note(c.Context, audit.Entry{
		Action: audit.TrustRemove, Outcome: audit.Done, Subject: audit.Subject{Repository: name},
	})
	for _, agreement := range s.config.Agreements {
		if slices.Contains(agreement.Repositories, name) {
			a.out.warn("%s: %s still wants it to agree; until it is added again, or taken out there, nothing can be got", name, agreement.OriginOf("repositories"))
		}
	}
	installed := a.installedFrom(s, name)
	if len(installed) > 0 {
		a.out.warn("%s: what was installed from it stays, and is not judged any more: %s; until it is added again nothing upgrades it, goes back or runs it by `assay exec`; `assay uninstall` takes it away",
			name, strings.Join(installed, ", "))
	}
	a.out.line("%s: removed; its root, its metadata and its version floors are forgotten", name)
	return errors.Join(noted, a.out.result("trust.remove", removeDoc{changed, name, installed}))
}
