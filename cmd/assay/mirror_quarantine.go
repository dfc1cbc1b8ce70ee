package main

import (
	"github.com/urfave/cli/v2"

	"assay/mirror"
)

func mirrorQuarantineCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "quarantine",
		Usage: "what a mirror does not serve, and why",
		Description: "A target whose proof fails is put aside alone; the others are served. It comes\n" +
			"back when a person releases it and its proof holds.",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list what is in quarantine", ArgsUsage: "[REPO]",
				Description: "Lists all of it, or that of one repository, with the reasons." + examples("assay mirror quarantine list --config mirror.toml"),
				Flags:       []cli.Flag{adminTokenFlag()},
				Action:      a.quarantineList,
			},
			{
				Name: "release", Usage: "take a target out of quarantine", ArgsUsage: "REPO PATH",
				Description: "It is proven anew in the next run, and served only if the proof holds then." +
					examples("assay mirror quarantine release acme hello/1.5.0/hello.tgz --config m.toml"),
				Flags:  []cli.Flag{adminTokenFlag()},
				Action: a.quarantineRelease,
			},
			{
				Name: "hold", Usage: "put a target into quarantine", ArgsUsage: "REPO PATH",
				Description: "It is not served from that moment on, until it is released." +
					examples("assay mirror quarantine hold acme a/b.tgz --reason looks-odd --config m.toml"),
				Flags:  []cli.Flag{&cli.StringFlag{Name: flagReason, Usage: "`TEXT` that readers of the log see"}, adminTokenFlag()},
				Action: a.quarantineHold,
			},
		},
	}
}

// quarantining reads the configuration, does something to the mirror and gives it
// back.
func (a *app) quarantining(c *cli.Context, do func(hand mirrorHand, by string) error) (err error) {
	cfg, err := a.mirrorConfig(c)
	if err != nil {
		return err
	}
	if names := c.Args().Slice(); len(names) > 0 {
		if _, err := chosenUpstreams(cfg.Daemon, names[:1]); err != nil {
			return err
		}
	}
	hand, done, err := a.mirrorHand(c, cfg)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, done()) }()
	return do(hand, userName())
}

func (a *app) quarantineList(c *cli.Context) error {
	args, err := operands(c, 0, 1)
	if err != nil {
		return err
	}
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	return a.quarantining(c, func(hand mirrorHand, _ string) error {
		list, err := hand.Quarantine(c.Context, name)
		if err != nil {
			return err
		}
		if list == nil {
			list = []mirror.Quarantined{}
		}
		rows := [][]string{}
		for _, q := range list {
			rows = append(rows, []string{q.Repository, q.Path, a.moment(q.Since), q.Reason})
		}
		if len(rows) > 0 {
			a.out.table([]string{"REPOSITORY", "PATH", "SINCE", "REASON"}, rows)
		} else {
			a.out.talk("nothing is in quarantine")
		}
		return a.out.result("mirror.quarantine", struct {
			Quarantined []mirror.Quarantined `json:"quarantined"`
		}{list})
	})
}

// quarantineDoc is the result of release and hold.
type quarantineDoc struct {
	Changed    bool   `json:"changed"`
	Repository string `json:"repository"`
	Path       string `json:"path"`
	Held       bool   `json:"held"`
}

func (a *app) quarantineRelease(c *cli.Context) error {
	args, err := operands(c, 2, 2)
	if err != nil {
		return err
	}
	return a.quarantining(c, func(hand mirrorHand, by string) error {
		if err := hand.Release(c.Context, args[0], args[1], by); err != nil {
			return err
		}
		a.out.line("%s: %s is released; the next run proves it anew: `assay mirror sync %s`", args[0], args[1], args[0])
		return a.out.result("mirror.release", quarantineDoc{true, args[0], args[1], false})
	})
}

func (a *app) quarantineHold(c *cli.Context) error {
	args, err := operands(c, 2, 2)
	if err != nil {
		return err
	}
	reason := c.String(flagReason)
	if reason == "" {
		return usagef("expected --reason TEXT, as whoever finds it in quarantine must know why, found none")
	}
	return a.quarantining(c, func(hand mirrorHand, by string) error {
		if err := hand.Hold(c.Context, args[0], args[1], reason, by); err != nil {
			return err
		}
		a.out.line("%s: %s is in quarantine, and not served any more", args[0], args[1])
		return a.out.result("mirror.hold", quarantineDoc{true, args[0], args[1], true})
	})
}
