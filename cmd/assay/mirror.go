package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"assay/internal/config"
	"assay/mirror"
	"assay/mirror/admin"
)

func mirrorCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "mirror",
		Usage: "keep a proven copy of repositories, and serve it",
		Description: "A mirror takes from its upstreams only what it has proven, and serves it to any\n" +
			"TUF client byte for byte. Its file is a configuration like any other, with the\n" +
			"table [mirror]: see docs/mirror.md.",
		Subcommands: []*cli.Command{mirrorServeCommand(a), mirrorSyncCommand(a), mirrorStatusCommand(a), mirrorQuarantineCommand(a), mirrorScrubCommand(a),
			mirrorExportCommand(a), mirrorInventoryCommand(a), mirrorImportCommand(a),
			mirrorBackupCommand(a), mirrorRestoreCommand(a)},
	}
}

// flagAdminToken names the file of the token for a daemon whose administrator's side
// is a TCP address.
const flagAdminToken = "admin-token"

func adminTokenFlag() cli.Flag {
	return &cli.StringFlag{Name: flagAdminToken, Usage: "a `FILE` with the token, where the daemon is asked at an address in place of a socket"}
}

// mirrorConfig reads the configuration of a mirror.
func (a *app) mirrorConfig(c *cli.Context) (*config.Config, error) {
	cfg, err := a.config(c)
	if err != nil {
		return nil, err
	}
	if cfg.Daemon == nil {
		return nil, withHint(usagef("expected a configuration with the table [mirror], found none"), "name its file with --config FILE; docs/mirror.md has one to begin with")
	}
	if _, err := settingsOf(cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

// mirrorClient is the client of the daemon that the configuration is of. It asks
// nothing yet.
func mirrorClient(c *cli.Context, cfg *config.Config) (*admin.Client, error) {
	return admin.NewClient(adminAddress(cfg.Daemon), c.String(flagAdminToken))
}

// adminAddress is where the administrator asks, as package admin spells it.
func adminAddress(d *config.Daemon) string {
	if d.AdminSocket != "" {
		return "unix:" + d.AdminSocket
	}
	return d.Admin
}

// mirrorHand does to a mirror what commands ask for: to the daemon if one is at
// work, else to the mirror that this process opens itself.
type mirrorHand interface {
	Sync(ctx context.Context, repository string) (mirror.Run, error)
	Plan(ctx context.Context, repository string) (mirror.Plan, error)
	Quarantine(ctx context.Context, repository string) ([]mirror.Quarantined, error)
	Release(ctx context.Context, repository, path, by string) error
	Hold(ctx context.Context, repository, path, reason, by string) error
	Scrub(ctx context.Context) (damaged int, scrub mirror.Scrub, err error)
}

// mirrorHand finds whoever is at work on the mirror, or opens it. done gives it back.
func (a *app) mirrorHand(c *cli.Context, cfg *config.Config) (hand mirrorHand, done func() error, err error) {
	client, err := mirrorClient(c, cfg)
	if err != nil {
		return nil, nil, err
	}
	if _, err = client.Statuses(c.Context); err == nil {
		return client, func() error { return nil }, nil
	}
	if !errors.Is(err, admin.ErrNotRunning) {
		return nil, nil, err
	}
	if err := mirrorOwner(cfg.Daemon.Dir); err != nil {
		return nil, nil, err
	}
	// Should a daemon begin just now, its lock makes this an error, or ours one there.
	own, err := a.openMirror(c.Context, cfg, mirrorOutside{log: a.mirrorLog(levelNone), noteFailed: func(err error) { a.out.warn("%v", err) }})
	if err != nil {
		return nil, nil, err
	}
	return ownHand{own}, own.Close, nil
}

// ownHand is the mirror that this process has opened.
type ownHand struct{ *ownMirror }

func (h ownHand) Sync(ctx context.Context, repository string) (mirror.Run, error) {
	h.note(ctx, "mirror.sync", repository)
	run, err := h.core.Sync(ctx, repository)
	if ctx.Err() != nil {
		// Nobody else waits for it. What it was about to publish is left out.
		_, _ = h.core.Cancel(repository)
	}
	if run.Changed {
		// No daemon does it later: a mirror that is kept by cron would only grow.
		if _, _, failed := h.core.Collect(ctx); failed != nil {
			h.outside.noteFailed(fmt.Errorf("what nothing leads to any more is not collected: %w", failed))
		}
	}
	return run, err
}

func (h ownHand) Plan(ctx context.Context, repository string) (mirror.Plan, error) {
	return h.core.Plan(ctx, repository)
}

func (h ownHand) Quarantine(_ context.Context, repository string) ([]mirror.Quarantined, error) {
	return h.core.Quarantine(repository)
}

func (h ownHand) Release(ctx context.Context, repository, path, _ string) error {
	h.note(ctx, "mirror.release", repository+": "+path)
	return h.core.Release(ctx, repository, path)
}

func (h ownHand) Hold(ctx context.Context, repository, path, reason, _ string) error {
	h.note(ctx, "mirror.hold", repository+": "+path+": "+reason)
	return h.core.Hold(ctx, repository, path, reason)
}

// mirrorChosen is the configuration of a mirror, and the upstreams that a command names.
func (a *app) mirrorChosen(c *cli.Context, args []string) (*config.Config, []string, error) {
	cfg, err := a.mirrorConfig(c)
	if err != nil {
		return nil, nil, err
	}
	names, err := chosenUpstreams(cfg.Daemon, args)
	return cfg, names, err
}

// chosenUpstreams are those that a command names, or all.
func chosenUpstreams(d *config.Daemon, names []string) ([]string, error) {
	var known []string
	for _, u := range d.Upstreams {
		known = append(known, u.Name)
	}
	if len(names) == 0 {
		return known, nil
	}
	for _, name := range names {
		if err := isUpstream(known, name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func isUpstream(known []string, name string) error {
	for _, one := range known {
		if one == name {
			return nil
		}
	}
	return withHint(fmt.Errorf("%w: %q is no upstream of this mirror%s", mirror.ErrNoRepository, clip(name), didYouMean(config.Nearest(name, known))),
		"`assay config show` lists the upstreams, as mirror.upstreams")
}
