package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"assay/trust"
)

func trustShowCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show what is held of a repository, and how fresh it is",
		ArgsUsage: "NAME",
		Description: "Refreshes first. With --offline it shows what is held, expired or not." +
			examples("assay trust show acme", "assay trust show acme --offline"),
		Action: a.trustShow,
	}
}

// trustRoleState is one role, for JSON.
type trustRoleState struct {
	Role      string    `json:"role"`
	Version   int64     `json:"version"`
	Expires   time.Time `json:"expires"`
	Threshold int       `json:"threshold"`
	Keys      int       `json:"keys"`
}

func roleStates(v *trust.View) []trustRoleState {
	var list []trustRoleState
	for _, r := range v.Roles() {
		list = append(list, trustRoleState{r.Role, r.Version, r.Expires.UTC(), r.Threshold, r.Keys})
	}
	return list
}

type trustShowDoc struct {
	repositoryDoc
	Freshness trust.Freshness  `json:"freshness"`
	Checked   time.Time        `json:"checked"`
	Stale     string           `json:"stale,omitempty"`
	Roles     []trustRoleState `json:"roles"`
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
	doc := trustShowDoc{repositoryDoc: r.doc(), Freshness: view.Freshness(), Checked: view.Checked().UTC(), Roles: roleStates(view)}
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
	var rows [][]string
	for _, role := range doc.Roles {
		rows = append(rows, []string{
			role.Role, strconv.FormatInt(role.Version, 10), fmt.Sprintf("%d of %d", role.Threshold, role.Keys), a.moment(role.Expires),
		})
	}
	a.out.line("")
	a.out.table([]string{"ROLE", "VERSION", "KEYS", "EXPIRES"}, rows)
	return a.out.result("trust.show", doc)
}
