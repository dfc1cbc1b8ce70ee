package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache/audit"
	"assay/fetch"
	"assay/fetch/install"
)

const flagTo = "to"

func rollbackCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "rollback",
		Usage:     "go back to a release that was installed before",
		ArgsUsage: "[REPO:]PRODUCT",
		Description: "Switches back to the release that ran before the current one, or to the one that\n" +
			"--to names, if it is kept. It is proven again before, as if it were new: what is\n" +
			"revoked by now, or what the policy would refuse today, is refused, and what\n" +
			"runs goes on running. Files that somebody has changed are unpacked anew.\n\n" +
			"The next rollback goes one further back. From what is installed then, the way\n" +
			"back leads to what ran just before it.\n\n" +
			"The product goes on following what it followed: `assay hold` keeps an upgrade\n" +
			"from going forth again." +
			examples(
				"assay rollback hello               to the release before the current one",
				"assay rollback hello --to 1.4.2    to this one",
				"assay rollback hello --offline     the same without any request"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagTo, Usage: "go to `VERSION`, one of those that are kept"},
		},
		Action: func(c *cli.Context) error { return a.rollback(c) },
	}
}

func (a *app) rollback(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	s, err := a.store(c)
	if err != nil {
		return err
	}
	store, err := a.installer(s)
	if err != nil {
		return err
	}
	name, err := installedName(store, args[0])
	if err != nil {
		return err
	}
	began := a.now()
	current, err := store.Current(name)
	if err != nil {
		a.out.warn("what runs now is passed over: %v", err)
	}
	to, err := wayBack(store, name, current, c.String(flagTo))
	if errors.Is(err, install.ErrMissing) {
		return withHint(err, fmt.Sprintf("`assay install %s@VERSION` installs any that `assay versions %s` lists", name, name))
	}
	if err != nil {
		return err
	}
	if err := a.joinFor(c, s, name.Repository); err != nil {
		return err
	}
	log, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	held, err := s.proveAgain(c, to)
	a.progress.close()
	if err != nil {
		what := asked{repository: to.Repository, product: to.Product, version: to.Version, target: to.Target}
		return otherWays(store, name, to, a.refusedBy(c.Context, s, log, what, fmt.Errorf("%s stays as it is: %w", name.Product, err)))
	}
	wanted := to.Release
	if current.Number != 0 {
		wanted.Request = current.Request // going back is no change of what is followed
	}
	if _, _, listed, ok := held.Listed(); ok {
		wanted.Executables, wanted.Format = listed.Executables, listed.Format // whatever the record says
	}
	done, err := store.Install(c.Context, wanted, held.Blob, install.Options{Back: true, Since: &current})
	if err != nil {
		return about(name, err)
	}
	if done.Changed {
		if err := log.noteInstall(c.Context, audit.Rollback, held, done); err != nil {
			return err
		}
	}
	item := newInstalledDoc(held, done)
	if err := a.out.result("rollback", installDoc{Changed: done.Changed, Items: []installedDoc{item}}); err != nil {
		return err
	}
	row := a.installedRow(item)
	if item.Changed && item.Before == item.Version && !item.elsewhere() && !item.mendedOnly() {
		row[1] = item.Version + ", unpacked anew"
	}
	a.out.plainTable([][]string{row})
	a.tellUnlinked(item)
	a.out.talk("%s", a.afterRollback(store, name, item, tookText(a.now().Sub(began)), staleness(held.Evidence)))
	return nil
}

// wayBack is the generation to go to: by its version, which may be the current one,
// whose files are then looked at; or the one before.
func wayBack(store *install.Store, name install.Name, current install.Generation, version string) (install.Generation, error) {
	if version != "" && current.Number != 0 && version == current.Version {
		return current, nil
	}
	return store.Back(name, version)
}

// proveAgain proves a release that was proven when it was installed, as if it were
// new. What its target promises must be what the record says.
func (s *session) proveAgain(c *cli.Context, g install.Generation) (fetch.Held, error) {
	selection, err := s.client.SelectTarget(c.Context, g.Repository, g.Target)
	if err != nil {
		return fetch.Held{}, err
	}
	product, version, _, listed := selection.Listed()
	if listed && (product != g.Product || version.String() != g.Version) {
		return fetch.Held{}, fmt.Errorf("%w: the target %s: expected %s %s, found %s %s", install.ErrRecord, g.Target, g.Product, g.Version, product, version)
	}
	if err := selection.SameBytes(g.Digests); err != nil {
		return fetch.Held{}, err
	}
	return s.client.GetSelected(c.Context, selection)
}

// otherWays tells of the other releases that are kept, where one can't be gone back to.
func otherWays(store *install.Store, name install.Name, refused install.Generation, err error) error {
	list, current, failed := store.Generations(name)
	if failed != nil || !errors.Is(err, fetch.ErrRevoked) {
		return err
	}
	var others []string
	for _, g := range list {
		if !g.Loose && g.Number != current && g.Version != refused.Version && !slices.Contains(others, g.Version) {
			others = append(others, g.Version)
		}
	}
	if len(others) == 0 {
		return err
	}
	return withHint(err, fmt.Sprintf("also kept: %s; `assay rollback %s --to %s` tries that one", strings.Join(others, ", "), name, others[0]))
}

// exactly reports whether a request is for one release alone: nothing is upgraded by it.
func exactly(request string) bool {
	selector, err := artifact.ParseSelector(request)
	return err == nil && (selector.Kind == artifact.ByVersion || selector.Kind == artifact.ByDigest)
}

// afterRollback says how to stay there, and how to go forth again.
func (a *app) afterRollback(store *install.Store, name install.Name, item installedDoc, took, stale string) string {
	text := "nothing to do, in " + took
	switch {
	case !item.Changed:
	case item.Before == item.Version && !item.elsewhere():
		text = "mended, in " + took
	case store.Held(name):
		text = fmt.Sprintf("back, in %s: it is held, and stays until `assay unhold %s`", took, name.Product)
	case exactly(item.Request):
		text = fmt.Sprintf("back, in %s: it goes on being asked for as %s; `assay upgrade %s@%s` follows that channel", took,
			requestText(item.Request), name, artifact.DefaultChannel)
	default:
		text = fmt.Sprintf("back, in %s: it goes on following %s; `assay hold %s` keeps %s", took, item.Request, name.Product, item.Version)
	}
	if stale != "" {
		text += "; " + stale
	}
	return text
}
