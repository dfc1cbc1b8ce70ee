package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
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
		Description: "Finds a release for each of the [tools] of the project's assay.toml, proves its\n" +
			"artifacts for every platform that it has, and writes assay.lock beside that file,\n" +
			"for `assay sync --locked`. What is locked stays as it is while it is what is asked\n" +
			"for, and not revoked; --upgrade and --upgrade-all choose anew. Platforms stay, too;\n" +
			"--platform, once or several times, says which, --all-platforms takes all again.\n\n" +
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
	Products int               `json:"products"`
	Pins     int               `json:"pins"`
	Moved    int64             `json:"moved"` // bytes that came over a source
	Warnings []string          `json:"warnings,omitempty"`
}

// project is where a project's tools stand, and what was locked of them.
type project struct {
	file  string // of the lock
	dir   string
	tools []*lockTool
	old   lockfile.File
	there bool // the file is
}

// lockTool is one of the tools, and what becomes of it.
type lockTool struct {
	config.Tool
	ref   artifact.Ref
	old   *lockfile.Product // nil: it is not locked yet
	picks []*lockPick
	found fetch.Chosen
}

// lockPick is an artifact to be locked.
type lockPick struct {
	platform  artifact.Platform
	release   fetch.Exact
	part      fetch.Part // by which it was selected
	selection fetch.Selection
	locked    lockfile.Artifact
	same      bool // as in the lock that is there
	moved     int64
}

// project reads what is asked for, and what is locked. No request is made.
func (a *app) project(cfg *config.Config) (*project, error) {
	if cfg.Project == "" {
		return nil, withHint(usagef("no project is here: expected an assay.toml in this folder or one above it, found none"),
			"write one that names the tools: `[tools]`, and below it lines like `hello = \"^1.4\"`")
	}
	p := &project{dir: filepath.Dir(cfg.Project)}
	p.file = filepath.Join(p.dir, lockfile.Name)
	var err error
	if p.old, err = lockfile.Read(p.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p.there = err == nil
	names := map[string]string{}
	for _, tool := range cfg.Tools {
		t := &lockTool{Tool: tool}
		if t.ref, err = artifact.ParseRef(tool.Name + "@" + tool.Selector); err != nil {
			return nil, err
		}
		if other, twice := names[t.ref.Product]; twice {
			return nil, usagef("%s: %s and %s are of one product: expected it once", tool.Origin, clip(other), clip(tool.Name))
		}
		names[t.ref.Product] = tool.Name
		for i, locked := range p.old.Products {
			if locked.Name == t.ref.Product && (t.ref.Repo == "" || t.ref.Repo == locked.Repository) {
				if t.old != nil {
					return nil, withHint(fmt.Errorf("%w: %s: expected %s once, found it of %s and of %s", errLock, p.file, t.ref.Product, t.old.Repository, locked.Repository), hintLock)
				}
				t.old = &p.old.Products[i]
			}
		}
		p.tools = append(p.tools, t)
	}
	return p, nil
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

func (t *lockTool) named(name string) bool { return name == t.Name || name == t.ref.Product }

func (p *project) names() []string {
	var names []string
	for _, t := range p.tools {
		names = append(names, t.Name)
	}
	return names
}

// write puts the file in its place, unless it is there as it is to be.
//
// Crash here: before the rename the old file is there; after it, what it names may
// not be kept in the cache yet, and is fetched again if it is pruned.
func (l *locking) write(ctx context.Context, next lockfile.File) error {
	text, err := lockfile.Encode(next)
	if err != nil {
		return err
	}
	have, err := os.ReadFile(l.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	changed := err != nil || !bytes.Equal(have, text)
	if changed {
		if err := lockfile.Write(l.file, next); err != nil {
			return err
		}
	}
	if err := l.app.keepLocked(ctx, l.session, l.file, next); err != nil {
		return err
	}
	return l.told(changed)
}

// told prints what changes, and is errDrift where that is what was asked about.
func (l *locking) told(changed bool) error {
	out, shown := l.app.out, l.shown()
	l.doc.Changed = changed
	l.app.progress.close()
	for _, change := range shown {
		out.line("%s", change)
	}
	if err := out.result("locked", l.doc); err != nil {
		return err
	}
	where := l.app.homely(l.file)
	switch {
	case changed && l.doc.Check:
		return fmt.Errorf("%w: %s: %s", errDrift, l.file, countOf(len(shown), "change"))
	case !changed:
		out.talk("no change: %s is up to date", where)
	case len(l.doc.Changes) == 0:
		out.talk("%s was written anew: it says the same", where)
	default:
		text := countOf(l.doc.Products, "product") + " locked, each artifact proven"
		if l.doc.Moved > 0 {
			text += ", " + bytesText(l.doc.Moved) + " fetched"
		}
		out.talk("%s: %s", where, text)
	}
	return nil
}

// shown are the changes that a person has to look at: no floors, and of a product with
// another version not what follows from that.
func (l *locking) shown() []lockfile.Change {
	of := func(c lockfile.Change) [2]string { return [2]string{c.Repository, c.Name} }
	other := map[[2]string]bool{}
	for _, change := range l.doc.Changes {
		if change.Kind == lockfile.KindProduct && change.What == "version" {
			other[of(change)] = true
		}
	}
	themselves := []string{"", "version", "request", "channel"}
	return slices.DeleteFunc(slices.Clone(l.doc.Changes), func(c lockfile.Change) bool {
		return c.Floor || c.Kind == lockfile.KindProduct && other[of(c)] && !slices.Contains(themselves, c.What)
	})
}

// countOf is like "1 change" or "2 changes".
func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// lockReference is the name of the reference by which a lock file keeps blobs.
func lockReference(file string) string {
	return artifact.DigestOf(artifact.SHA256, []byte(file)).Hex()[:32]
}

// keepLocked has the cache keep what a lock names, held or not, and what says so: the
// lock can be installed from offline, whatever is pruned.
func (a *app) keepLocked(ctx context.Context, s *session, file string, f lockfile.File) error {
	var digests []artifact.Digest
	for _, p := range f.Products {
		digests = append(digests, p.Manifest.Digests.Primary())
		for _, locked := range p.Artifacts {
			digests = append(digests, locked.Digests.Primary())
			for _, bundle := range locked.Bundles {
				digests = append(digests, bundle.Digests.Primary())
			}
		}
		beside, err := s.client.Documents(ctx, fetch.Exact{Repository: p.Repository, Product: p.Name, Version: p.Version, Channel: p.Channel})
		if err != nil {
			return err
		}
		digests = append(digests, beside...)
	}
	for _, pin := range f.Pins {
		digests = append(digests, pin.Digests.Primary())
	}
	name := lockReference(file)
	if len(digests) == 0 {
		_, err := s.cache.Release(ctx, cache.KindLock, name)
		return err
	}
	slices.SortFunc(digests, func(x, y artifact.Digest) int { return strings.Compare(x.String(), y.String()) })
	return s.cache.Keep(ctx, cache.KindLock, name, file, slices.Compact(digests)...)
}
