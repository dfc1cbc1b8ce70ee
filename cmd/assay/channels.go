package main

import (
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
)

func channelsCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "channels",
		Usage:     "list the channels of a product",
		ArgsUsage: "[REPO:]PRODUCT",
		Description: "Lists the channels of a product, and the release that each would choose on this\n" +
			"machine." +
			examples("assay channels hello", "assay channels acme:hello --json"),
		Action: func(c *cli.Context) error { return a.channels(c) },
	}
}

type channelsDoc struct {
	Channels []fetch.ChannelInfo `json:"channels"`
}

func (a *app) channels(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	ref, err := artifact.ParseRef(args[0])
	if err != nil {
		return err
	}
	s, err := a.asking(c, ref.Repo)
	if err != nil {
		return err
	}
	list, err := s.client.Channels(c.Context, ref)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, info := range list {
		chosen := info.Chosen
		if chosen == "" {
			chosen = "none"
			a.out.warn("%s", info.Why)
		}
		rows = append(rows, []string{info.Channel, chosen, strconv.Itoa(info.Releases), info.Updated.UTC().Format(time.DateOnly), dateOr(info.EndOfLife, "-")})
	}
	a.out.table([]string{"CHANNEL", "CHOOSES", "RELEASES", "UPDATED", "END OF LIFE"}, rows)
	return a.out.result("channels", channelsDoc{list})
}

// dateOr is a day, or what to write where there is none.
func dateOr(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.UTC().Format(time.DateOnly)
}
