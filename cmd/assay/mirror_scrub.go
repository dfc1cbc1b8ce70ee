package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"assay/mirror"
)

func mirrorScrubCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "scrub",
		Usage: "hash all that a mirror holds, now",
		Description: "Looks for damage in the storage at full speed; the daemon does so by itself, at\n" +
			"mirror.scrub_rate. What is damaged is set aside and fetched again. The exit code\n" +
			"is 41 if something was damaged that did not come back." +
			examples("assay mirror scrub --config mirror.toml"),
		Flags:  []cli.Flag{adminTokenFlag()},
		Action: a.mirrorScrub,
	}
}

// errDamaged: the storage has lost something, and it has not come back.
var errDamaged = errors.New("damaged objects could not be fetched again")

func (a *app) mirrorScrub(c *cli.Context) (err error) {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	cfg, err := a.mirrorConfig(c)
	if err != nil {
		return err
	}
	hand, done, err := a.mirrorHand(c, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	damaged, scrub, err := hand.Scrub(c.Context)
	if err != nil {
		return err
	}
	a.out.line("%d objects checked, %d damaged", scrub.Checked, damaged)
	a.out.line("since the start: %d damaged, %d of them fetched again", scrub.Damaged, scrub.Healed)
	err = a.out.result("mirror.scrub", struct {
		Damaged int          `json:"damaged"` // of this one
		Scrub   mirror.Scrub `json:"scrub"`
	}{damaged, scrub})
	if err == nil && damaged > 0 && scrub.Damaged > scrub.Healed {
		return withHint(mark(mirror.ErrDamaged, errDamaged), "the next run asks for them again: `assay mirror sync`")
	}
	return err
}

func (h ownHand) Scrub(ctx context.Context) (damaged int, scrub mirror.Scrub, err error) {
	h.note(ctx, "mirror.scrub", "all")
	if damaged, err = h.core.ScrubNow(ctx, 0); err != nil {
		return damaged, scrub, err
	}
	now, err := h.core.Storage(ctx)
	return damaged, now.Scrub, err
}
