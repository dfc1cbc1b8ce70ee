package main

import (
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"assay/mirror/airgap"
	"assay/mirror/storage"
)

func mirrorInventoryCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "inventory",
		Usage:     "write down what a mirror holds, for who exports to it",
		ArgsUsage: "[REPO…]",
		Description: "Writes the digests of what is held of all repositories, or those named, and the\n" +
			"versions of their metadata. `assay mirror export --inventory` leaves it out." +
			examples("assay mirror inventory --config mirror.toml > far.txt", "assay mirror inventory acme --config mirror.toml --to far.txt"),
		Flags:  []cli.Flag{&cli.StringFlag{Name: flagTo, Usage: "write a `FILE` that does not exist yet, in place of stdout"}},
		Action: a.mirrorInventory,
	}
}

func (a *app) mirrorInventory(c *cli.Context) error {
	args, err := operands(c, 0, -1)
	if err != nil {
		return err
	}
	to := c.String(flagTo)
	if to == "" && a.out.json {
		return usagef("the inventory goes to stdout: expected --to FILE beside --json")
	}
	cfg, names, err := a.mirrorChosen(c, args)
	if err != nil {
		return err
	}
	store, err := storage.OpenReader(filepath.Join(cfg.Daemon.Dir, mirrorStorage))
	if err != nil {
		return err
	}
	var taken *airgap.Inventory
	write := func(w io.Writer) (err error) {
		taken, err = airgap.TakeInventory(c.Context, store, names, w)
		return err
	}
	if to == "" {
		return write(lineWriter{a.out})
	}
	if err := writeNew(a.path(to), write); err != nil {
		return err
	}
	a.out.talk("%d objects in %s", taken.Objects, to)
	return a.out.result("mirror.inventory", struct {
		Changed      bool                 `json:"changed"`
		File         string               `json:"file"`
		Repositories []airgap.Inventoried `json:"repositories"`
		Objects      int                  `json:"objects"`
	}{true, to, taken.Repositories, taken.Objects})
}
