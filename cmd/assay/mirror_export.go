package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"assay/internal/config"
	"assay/mirror/airgap"
	"assay/mirror/storage"
)

const (
	flagTree       = "tree"
	flagPrune      = "prune"
	flagInventory  = "inventory"
	flagVolumeSize = "volume-size"
)

func mirrorExportCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write what is published, to be carried to another mirror",
		ArgsUsage: "[REPO…]",
		Description: "Writes volumes for `assay mirror import`, or with --tree the files of one\n" +
			"repository, that any web server can serve. The mirror may be at work meanwhile.\n" +
			"Each export leaves a record, in the folder exports beside the volumes or beside\n" +
			"the one file: with --since the next one leaves out what that one had. The same\n" +
			"content gives the same bytes." +
			examples(
				"assay mirror export --config mirror.toml --to /media/out",
				"assay mirror export acme --config mirror.toml --to /media/out --since latest",
				"assay mirror export acme --config m.toml --to acme.tar --inventory far.txt",
				"assay mirror export acme --config mirror.toml --tree /srv/www/acme"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagTo, Usage: "a `FILE`, or a folder that exists"},
			&cli.StringFlag{Name: flagSince, Usage: "leave out what an earlier `EXPORT` had: its record, the begin of its id, or latest"},
			&cli.StringFlag{Name: flagInventory, Usage: "leave out what the receiver holds, by a `FILE` of `assay mirror inventory` there"},
			&cli.StringFlag{Name: flagVolumeSize, Usage: "split into volumes of at most `SIZE`, like 4GB"},
			&cli.StringFlag{Name: flagTree, Usage: "write files into a `FOLDER`, as a server has them, in place of volumes"},
			&cli.BoolFlag{Name: flagPrune, Usage: "with --tree: remove what no timestamp leads to any more"},
		},
		Action: a.mirrorExport,
	}
}

func (a *app) mirrorExport(c *cli.Context) error {
	args, err := operands(c, 0, -1)
	if err != nil {
		return err
	}
	cfg, names, err := a.mirrorChosen(c, args)
	if err != nil {
		return err
	}
	store, err := storage.OpenReader(filepath.Join(cfg.Daemon.Dir, mirrorStorage))
	if err != nil {
		return err
	}
	if c.IsSet(flagTree) {
		return a.exportTree(c, cfg, store, names)
	}
	opts, err := a.exportOptions(c, names)
	if err != nil {
		return err
	}
	done := []airgap.Exported{}
	for _, name := range names {
		one := opts
		if since := c.String(flagSince); since != "" {
			if one.Since, err = airgap.FindRecord(opts, name, since); err != nil {
				return err
			}
		}
		err := a.mirrorNoted(c.Context, cfg, mirrorExported, name, "to "+c.String(flagTo), func() (string, error) {
			watch := a.watch("export " + name)
			one.Progress = watch.at
			exported, err := airgap.Export(c.Context, store, name, one)
			watch.done(err)
			if err == nil {
				a.tellExported(exported)
				done = append(done, exported)
			}
			return fmt.Sprintf("generation %d, export %s, set %s, %d of %d objects, to %s",
				exported.Generation, exported.Export, exported.Set, exported.Objects, exported.OfObjects, c.String(flagTo)), err
		})
		if err != nil {
			return err
		}
	}
	return a.out.result("mirror.exported", struct {
		Changed bool              `json:"changed"`
		Exports []airgap.Exported `json:"exports"`
	}{len(done) > 0, done})
}

// exportOptions reads the flags.
func (a *app) exportOptions(c *cli.Context, names []string) (opts airgap.ExportOptions, err error) {
	to := c.String(flagTo)
	switch {
	case to == "":
		return opts, usagef("expected --to FILE or FOLDER, or --tree FOLDER, found neither")
	case c.IsSet(flagPrune):
		return opts, usagef("expected --prune beside --tree alone")
	case c.IsSet(flagSince) && c.IsSet(flagInventory):
		return opts, usagef("expected --since or --inventory, found both: an inventory says all")
	}
	named := to
	to = a.path(to)
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		opts.Folder = to
	} else if os.IsPathSeparator(named[len(named)-1]) {
		return opts, usagef("expected --to to name a file, or a folder that exists, found %s", clip(named))
	} else if opts.File = to; len(names) > 1 {
		return opts, usagef("expected --to to name a folder that exists, as %d repositories are exported, found %s", len(names), clip(to))
	}
	size, err := sizeFlag(c, flagVolumeSize)
	if err != nil {
		return opts, err
	}
	if size != nil {
		if opts.VolumeSize = *size; *size <= 0 {
			return opts, usagef("--%s: expected a size above 0, found %s", flagVolumeSize, clip(c.String(flagVolumeSize)))
		}
	}
	if path := c.String(flagInventory); path != "" {
		file, err := openRegular(a.path(path))
		if err != nil {
			return opts, fileError(err)
		}
		defer file.Close()
		if opts.Inventory, err = airgap.ReadInventory(file); err != nil {
			return opts, fmt.Errorf("%s: %w", clip(path), err)
		}
	}
	return opts, nil
}

func (a *app) tellExported(e airgap.Exported) {
	what := "whole"
	switch {
	case !e.Inventory.IsZero():
		what = "what the receiver lacks"
	case !e.Since.IsZero():
		what = "what is new since the export " + e.Since.Hex()[:12]
	}
	a.out.line("%s: generation %d, export %s: %s, %d of %d objects, %s of %s", e.Repository, e.Generation, e.Export.Hex()[:12], what,
		e.Objects, e.OfObjects, bytesText(e.Bytes), bytesText(e.OfBytes))
	for _, path := range e.Volumes {
		a.out.line("  %s", path)
	}
	for _, left := range e.LeftOut {
		a.out.line("  left out, as it is in quarantine: %s: %s", left.Path, left.Reason)
	}
}

// exportTree publishes the files of one repository.
func (a *app) exportTree(c *cli.Context, cfg *config.Config, store *storage.Reader, names []string) error {
	for _, flag := range []string{flagTo, flagSince, flagInventory, flagVolumeSize} {
		if c.IsSet(flag) {
			return usagef("expected --tree without --%s, found both", flag)
		}
	}
	if len(names) != 1 {
		return usagef("expected the name of one repository with --tree, found %d", len(names))
	}
	var done airgap.Tree
	err := a.mirrorNoted(c.Context, cfg, mirrorExported, names[0], "as files in "+c.String(flagTree), func() (_ string, err error) {
		watch := a.watch("export " + names[0])
		done, err = airgap.Publish(c.Context, store, names[0], airgap.TreeOptions{
			Folder: a.path(c.String(flagTree)), Prune: c.Bool(flagPrune), Now: a.now, Progress: watch.at,
		})
		watch.done(err)
		return fmt.Sprintf("generation %d: %d files written, %d removed in %s", done.Generation, done.Written, done.Removed, c.String(flagTree)), err
	})
	if err != nil {
		return err
	}
	a.out.line("%s: generation %d: %d files written (%s), %d removed, %d there already", done.Repository, done.Generation, done.Written, bytesText(done.Bytes), done.Removed, done.Kept)
	for _, left := range done.LeftOut {
		a.out.line("  left out, as it is in quarantine: %s: %s", left.Path, left.Reason)
	}
	return a.out.result("mirror.tree", done)
}
