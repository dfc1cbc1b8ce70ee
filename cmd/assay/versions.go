package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
)

func versionsCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "versions",
		Usage:     "list the releases of a product",
		ArgsUsage: "[REPO:]PRODUCT[@CHANNEL]",
		Description: "Lists the releases in all channels of a product, or in one, newest first, with\n" +
			"what their publisher says of them, and which lack the approval of other\n" +
			"repositories. A star marks what the channel chooses on this\n" +
			"machine." +
			examples("assay versions hello", "assay versions hello@hotfix", "assay versions hello --json"),
		Action: func(c *cli.Context) error { return a.versions(c) },
	}
}

type versionsDoc struct {
	Versions []fetch.VersionInfo `json:"versions"`
}

func (a *app) versions(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	ref, err := artifact.ParseRef(args[0])
	if err != nil {
		return err
	}
	channel := ""
	if strings.Contains(args[0], "@") {
		if ref.Selector.Kind != artifact.ByChannel {
			return usagef("expected PRODUCT or PRODUCT@CHANNEL, found %q", clip(args[0]))
		}
		channel = ref.Selector.Channel
	}
	s, err := a.asking(c, ref.Repo)
	if err != nil {
		return err
	}
	list, err := s.client.Versions(c.Context, ref, channel)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, info := range list {
		mark := ""
		if info.Chosen {
			mark = "*"
		}
		rows = append(rows, []string{info.Channel, mark + info.Version.String(), string(info.Status), info.Since.UTC().Format(time.DateOnly), noteOf(info)})
	}
	a.out.table([]string{"CHANNEL", "VERSION", "STATUS", "SINCE", "NOTE"}, rows)
	return a.out.result("versions", versionsDoc{list})
}

func noteOf(info fetch.VersionInfo) string {
	var notes []string
	for _, note := range []string{info.Unapproved, info.Young, info.Rollout, info.Reason, info.Advisory} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	return strings.Join(notes, "; ")
}
