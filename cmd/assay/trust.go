package main

import (
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"
)

func trustCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "trust",
		Usage: "repositories and their roots",
		Description: "Trust in a repository begins with one root, which is given explicitly: by file\n" +
			"or by digest. There is no trust on first use.",
		Subcommands: []*cli.Command{
			trustAddCommand(a), trustListCommand(a), trustShowCommand(a),
			trustRefreshCommand(a), trustRemoveCommand(a), trustClockCommand(a),
		},
	}
}

// moment is a time for people: absolute, and how far from now.
func (a *app) moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z") + " (" + humanize.RelTime(t, a.now(), "ago", "from now") + ")"
}
