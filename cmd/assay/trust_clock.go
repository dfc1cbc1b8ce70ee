package main

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
)

func trustClockCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "clock",
		Usage: "the latest time that a repository's metadata was accepted at",
		Subcommands: []*cli.Command{{
			Name:      "reset",
			Usage:     "forget it, for a machine whose clock once ran ahead",
			ArgsUsage: "NAME",
			Description: "assay judges expiry at the latest time it has seen, so that a clock that is set\n" +
				"back revives nothing. Where that time was wrong, set the clock right and then\n" +
				"reset. Version floors stay." +
				examples("assay trust clock reset acme"),
			Action: a.trustClockReset,
		}},
	}
}

type clockDoc struct {
	Changed    bool       `json:"changed"`
	Repository string     `json:"repository"`
	Forgotten  *time.Time `json:"forgotten,omitempty"`
}

func (a *app) trustClockReset(c *cli.Context) error {
	s, r, err := a.named(c)
	if err != nil {
		return err
	}
	writer, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	old, err := r.trust.ResetClock(c.Context)
	if err != nil {
		return err
	}
	doc := clockDoc{Repository: r.name, Changed: !old.IsZero()}
	var noted error
	if old.IsZero() {
		a.out.line("%s: no time was seen yet, nothing changed", r.name)
	} else {
		utc := old.UTC()
		noted = writer.note(c.Context, audit.Entry{
			Action: audit.ClockReset, Outcome: audit.Done, Subject: audit.Subject{Repository: r.name},
			Detail: "forgot the time " + utc.Format(time.RFC3339),
		})
		doc.Forgotten = &utc
		a.out.line("%s: forgot the time %s", r.name, a.moment(old))
	}
	return errors.Join(noted, a.out.result("trust.clock.reset", doc))
}
