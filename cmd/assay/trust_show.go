package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/trust"
)

func trustShowCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show what is held of a repository, and how fresh it is",
		ArgsUsage: "NAME",
		Description: "Refreshes first. With --offline it shows what is held, expired or not.\n" +
			"AGE is how long ago this machine first took that version. Delegated roles are\n" +
			"fetched when they are first needed; SIGNED BY lists the beginnings of key ids,\n" +
			"where the role that delegates is held. --json has whole times and ids.\n" +
			"--mirrors tells in place of the roles where it is fetched from, in which order\n" +
			"and why, what is remembered of each place, and what was given up just now." +
			examples("assay trust show acme", "assay trust show acme --offline", "assay trust show acme --mirrors"),
		Flags:  []cli.Flag{&cli.BoolFlag{Name: flagMirrors, Usage: "show where it is fetched from, and why in this order"}},
		Action: a.trustShow,
	}
}

type trustShowDoc struct {
	repositoryDoc
	Freshness trust.Freshness `json:"freshness"`
	Checked   time.Time       `json:"checked"`
	Stale     string          `json:"stale,omitempty"`
	Roles     []roleState     `json:"roles"`
	Delegated []roleState     `json:"delegated,omitempty"`
	// Agreements are those that the repository takes part in.
	Agreements []agreementDoc `json:"agreements"`
	// Mirrors are only there with --mirrors.
	Mirrors []sourceDoc `json:"mirrors,omitempty"`
}

func (a *app) trustShow(c *cli.Context) error {
	s, r, err := a.named(c)
	if err != nil {
		return err
	}
	view, err := s.client.View(c.Context, r.name)
	if err != nil {
		return err
	}
	doc := trustShowDoc{repositoryDoc: r.doc(), Freshness: view.Freshness(), Checked: view.Checked().UTC(), Roles: roleStates(view), Agreements: s.agreements(r.name)}
	a.out.line("%s  %s", r.name, r.url)
	a.out.line("from      %s", r.origin)
	a.out.line("root      began with root %d", r.rootVersion)
	a.out.line("sha256    %s", r.rootSHA256)
	a.out.line("checked   %s", a.moment(view.Checked()))
	switch stale := view.Stale(); {
	case stale != nil:
		doc.Stale = stale.Error()
		a.out.line("freshness %s: %v", a.out.bad("stale"), stale)
	case view.Freshness() == trust.Fresh:
		a.out.line("freshness %s", a.out.good("fresh"))
	case view.Freshness() == trust.Grace:
		a.out.line("freshness %s: no source answers; used by the configured grace", a.out.bad("grace"))
	default:
		a.out.line("freshness not checked: offline")
	}
	for _, d := range doc.Agreements {
		a.out.line("%-9s %s: %s must agree, otherwise %s (%s)", d.part(r.name), strings.Join(d.Paths, ", "), d.partners(), d.otherwise(), d.Origin)
	}
	if doc.Delegated, err = delegatedStates(c.Context, view); err != nil {
		return err
	}
	a.out.line("")
	if c.Bool(flagMirrors) {
		doc.Mirrors = a.sourceTable(r.source.Report())
		return a.out.result("trust.show", doc)
	}
	a.roleTable(doc.Roles, doc.Delegated)
	return a.out.result("trust.show", doc)
}
