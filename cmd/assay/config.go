package main

import (
	"github.com/urfave/cli/v2"
)

func configCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:        "config",
		Usage:       "the configuration",
		Subcommands: []*cli.Command{configShowCommand(a)},
	}
}

func configShowCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show every setting and where it comes from",
		Description: "Later wins: default, " + systemConfig + "/config.toml and conf.d/*.toml, the user's\n" +
			"config.toml, the project's assay.toml, ASSAY_… variables, flags." +
			examples("assay config show", "assay config show --offline --json"),
		Action: a.configShow,
	}
}

type valueDoc struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
	Locked bool   `json:"locked"`
}

func (a *app) configShow(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	cfg, err := a.config(c)
	if err != nil {
		return err
	}
	docs, rows := []valueDoc{}, [][]string{}
	for _, v := range cfg.Values() {
		docs = append(docs, valueDoc{v.Key, v.Value, v.Origin.String(), v.Locked})
		origin := v.Origin.String()
		if v.Locked {
			origin += " (locked)"
		}
		rows = append(rows, []string{v.Key, v.Value, origin})
	}
	a.out.table([]string{"KEY", "VALUE", "FROM"}, rows)
	return a.out.result("config.show", struct {
		Values []valueDoc `json:"values"`
	}{docs})
}
