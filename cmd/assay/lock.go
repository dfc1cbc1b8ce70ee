package main

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch/lockfile"
	"assay/internal/config"
)

const (
	flagCheck        = "check"
	flagUpgrade      = "upgrade"
	flagUpgradeAll   = "upgrade-all"
	flagAllPlatforms = "all-platforms"
	flagPin          = "pin"
	flagUnpin        = "unpin"
)

// errDrift says that assay.lock is not what it would be if it were written now.
var errDrift = errors.New("assay.lock is not up to date")

func lockCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "lock",
		Usage:     "write exactly what a project's tools are into assay.lock",
		ArgsUsage: " ",
		Description: "Finds a release for each of the [tools] of the project's assay.toml, proves\n" +
			"its artifacts for every platform that it has, and writes assay.lock beside that\n" +
			"file, for `assay sync --locked`. What is locked stays as it is while it is what\n" +
			"is asked for, and not revoked; --upgrade and --upgrade-all choose anew.\n" +
			"Platforms stay, too; --platform, once or several times, says which,\n" +
			"--all-platforms takes all again.\n\n" +
			"--check writes nothing: it ends with 4 if `assay lock` would change the file.\n\n" +
			"--pin adds a file from outside of any repository, by its digest; a path is seen\n" +
			"from the folder of assay.toml. It is fetched and compared before it is written." +
			examples(
				"assay lock                         lock what is new, keep the rest",
				"assay lock --upgrade hello         the newest hello that is asked for",
				"assay lock --upgrade-all",
				"assay lock --check                 for CI: is it up to date?",
				"assay lock --platform linux/amd64 --platform darwin/arm64",
				"assay lock --pin jq=https://h.example/jq.tgz --sha256 HEX",
				"assay lock --unpin jq"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagCheck, Usage: "write nothing; 4 if it would change"},
			&cli.StringSliceFlag{Name: flagUpgrade, Usage: "choose the release of the tool `NAME` anew; may be repeated"},
			&cli.BoolFlag{Name: flagUpgradeAll, Usage: "choose all releases anew"},
			&cli.BoolFlag{Name: flagAllPlatforms, Usage: "lock every platform that a release has"},
			&cli.StringFlag{Name: flagFormat, Usage: "choose the `FORMAT` (tar.gz, zip, …) where a platform has several"},
			&cli.StringFlag{Name: flagPin, Usage: "add or replace the pin `NAME=URL`"},
			&cli.StringFlag{Name: flagSHA256, Usage: "the SHA-256 of what lies at the URL of --pin, `HEX`"},
			&cli.StringFlag{Name: flagSHA512, Usage: "its SHA-512, `HEX`; with --sha256 both must hold"},
			&cli.StringSliceFlag{Name: flagUnpin, Usage: "take the pin `NAME` away; may be repeated"},
		},
		Action: func(c *cli.Context) error { return a.lock(c) },
	}
}

// lockedDoc is the result of lock.
type lockedDoc struct {
	Changed  bool              `json:"changed"` // the file was written; with Check: it would be
	Check    bool              `json:"check,omitempty"`
	File     string            `json:"file"`
	Changes  []lockfile.Change `json:"changes"`
	Back     []lockedBack      `json:"back,omitempty"` // the products that go back to an older release
	Products int               `json:"products"`
	Pins     int               `json:"pins"`
	Moved    int64             `json:"moved"` // bytes that came over a source
	Warnings []string          `json:"warnings,omitempty"`
}

// lockedBack is a product of which an older release is locked than before.
type lockedBack struct {
	Repository string `json:"repository"`
	Product    string `json:"product"`
	From       string `json:"from"`
	To         string `json:"to"`
}

// locking is one run of lock.
type locking struct {
	*project
	app       *app
	c         *cli.Context
	session   *session
	upgrade   []string
	platforms []artifact.Platform // of --platform; none: it was not given
	pin       *lockfile.Pin
	doc       lockedDoc
}

func (a *app) lock(c *cli.Context) error {
	l := &locking{app: a, c: c, upgrade: c.StringSlice(flagUpgrade)}
	if err := l.open(); err != nil {
		return err
	}
	if err := l.findAll(c.Context); err != nil {
		return err
	}
	next, err := l.next(c.Context)
	if err != nil {
		return err
	}
	if next, err = l.keepFloors(next); err != nil {
		return err
	}
	l.doc.File, l.doc.Check = l.file, c.Bool(flagCheck)
	l.doc.Products, l.doc.Pins = len(next.Products), len(next.Pins)
	l.doc.Changes = append([]lockfile.Change{}, lockfile.Compare(l.old, next)...)
	if err := l.proveAll(c.Context); err != nil {
		return err
	}
	if l.doc.Check {
		return l.told(len(l.doc.Changes) > 0)
	}
	return l.write(c.Context, next)
}

// open reads the command line, the project and the lock, and asks the repositories
// of that lock whether they are those that it was made from.
func (l *locking) open() (err error) {
	a, c := l.app, l.c
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	cfg, err := a.config(c)
	if err != nil {
		return err
	}
	if l.project, err = a.project(cfg); err != nil {
		return err
	}
	if err := l.readFlags(); err != nil {
		return err
	}
	if len(l.tools) == 0 {
		if len(l.old.Pins) == 0 && l.pin == nil && !l.there {
			return withHint(usagef("%s names no tools: there is nothing to lock", cfg.Project), "below `[tools]` write lines like `hello = \"^1.4\"`")
		}
		l.session, err = a.movingSession(c)
		return err
	}
	if l.session, err = a.asking(c); err != nil {
		return err
	}
	for _, entry := range l.old.Repositories {
		if !slices.Contains(l.session.client.Names(), entry.Name) {
			continue // what is locked of it can't be found again, and is told then
		}
		if err := a.holdToLock(c.Context, l.session, entry); err != nil {
			return err
		}
	}
	return nil
}

// movingSession is a session that asks no repository, and can move files by their
// URLs.
func (a *app) movingSession(c *cli.Context) (*session, error) {
	g := &urlGet{app: a, c: c}
	err := g.open()
	return g.session, err
}

// readFlags refuses flags that contradict each other, before any request.
func (l *locking) readFlags() error {
	c := l.c
	pinning := c.IsSet(flagPin)
	switch {
	case c.Bool(flagCheck) && (pinning || c.IsSet(flagUnpin)):
		return usagef("--check writes nothing, --pin and --unpin change the lock: expected one of them")
	case c.Bool(flagAllPlatforms) && len(l.app.platforms) > 0:
		return usagef("--all-platforms and --platform say which platforms: expected one of them")
	case !pinning && (c.IsSet(flagSHA256) || c.IsSet(flagSHA512)):
		return usagef("--sha256 and --sha512 say which bytes --pin means: expected none without it")
	}
	for _, text := range l.app.platforms {
		platform, err := artifact.ParsePlatform(text)
		if err != nil {
			return err
		}
		if !slices.Contains(l.platforms, platform) {
			l.platforms = append(l.platforms, platform)
		}
	}
	for _, name := range l.upgrade {
		if !slices.ContainsFunc(l.tools, func(t *lockTool) bool { return t.named(name) }) {
			return usagef("--upgrade: expected one of the tools of %s, found %q%s", filepath.Join(l.dir, "assay.toml"), clip(name), didYouMean(config.Nearest(name, l.names())))
		}
	}
	for _, name := range c.StringSlice(flagUnpin) {
		if !slices.ContainsFunc(l.old.Pins, func(p lockfile.Pin) bool { return p.Name == name }) {
			return usagef("--unpin: expected the name of a pin of %s, found %q", l.file, clip(name))
		}
	}
	if pinning {
		return l.readPin()
	}
	return nil
}
