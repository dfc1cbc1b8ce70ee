package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/install"
	"assay/fetch/lockfile"
	"assay/trust"
)

const (
	flagProgram = "program"
	// execName is the command whose exit code is that of a program.
	execName = "exec"
)

// The exit codes of exec that are not the program's own, as env(1) has them.
const (
	execFailed    = 125 // assay has failed; the error document has the code of the cause
	notExecutable = 126
	noProgram     = 127
)

var (
	errNotExecutable = errors.New("the program can't be executed")
	errNoProgram     = errors.New("there is no such program")
)

func execCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      execName,
		Usage:     "run a program of a proven release",
		ArgsUsage: "[REPO:]PRODUCT[@SELECTOR] [-- ARGUMENT…]",
		Description: "Runs what is installed. With a selector, or where the product is not installed,\n" +
			"the release is looked for, fetched, proven and unpacked first, unless it is\n" +
			"there already, and no links are made. Before a release runs that is there, it is\n" +
			"judged by what is held of its repository, without any request: one that is\n" +
			"revoked, or that the policy refuses, does not run.\n\n" +
			"The program takes this process's place, with its environment, terminal and\n" +
			"signals, and its exit code is the command's. Where assay itself fails that is\n" +
			"125; 126 is for a program that can't be executed, 127 for one that is not there.\n" +
			"Behind -- every word is the program's; before it, words without a dash are." +
			examples(
				"assay exec hello                  what is installed, or the newest in stable",
				"assay exec hello@1.4.2 -- --help  this version, with a flag of the program",
				"assay exec tools --program fmt    one of several programs"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagProgram, Usage: "run the program that is called `LINK`, of a product that has several"},
		},
		Action: func(c *cli.Context) error { return a.exec(c) },
	}
}

func (a *app) exec(c *cli.Context) error {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	for again := 2; ; again-- {
		g, err := a.execOnce(c, args)
		// Between the look and the start another process may have removed the release,
		// as an upgrade does with the oldest one that is kept: then it is looked for, or
		// unpacked, anew.
		if again == 0 || !errors.Is(err, errNoProgram) || !g.Gone() {
			return err
		}
	}
}

// execOnce returns only where the program can't be started, or did not take this
// process's place.
func (a *app) execOnce(c *cli.Context, args []string) (install.Generation, error) {
	s, err := a.store(c)
	if err != nil {
		return install.Generation{}, err
	}
	store, err := a.installer(s)
	if err != nil {
		return install.Generation{}, err
	}
	g, err := a.toRun(c, s, store, args[0])
	if err != nil {
		return g, err
	}
	link, path, err := programOf(g, c.String(flagProgram))
	if err != nil {
		return g, about(nameOf(g), err)
	}
	store.Touch(g)
	a.progress.close()
	a.forgetNothing()
	if err := c.Context.Err(); err != nil {
		return g, err
	}
	start := a.become
	if a.start != nil {
		start = a.start
	}
	return g, about(nameOf(g), start(c.Context, path, append([]string{calledBy(path, link)}, args[1:]...)))
}

// calledBy is what a program is told that it is called by: its own path, or, where
// it is linked by another name, that one, for programs that are several in one.
func calledBy(path, link string) string {
	if filepath.Base(path) == link {
		return path
	}
	return link
}

// toRun is the release that is meant, proven: the one that is installed, where no
// selector was given, or one that is there already, or a new one.
func (a *app) toRun(c *cli.Context, s *session, store *install.Store, text string) (install.Generation, error) {
	ref, err := artifact.ParseRef(text)
	if err != nil {
		return install.Generation{}, err
	}
	chosen := strings.Contains(text, "@") || s.projectNames(text, ref)
	if ref, err = a.projectSelector(s, text, ref); err != nil {
		return install.Generation{}, err
	}
	// An install keeps its repository.
	name, err := installedName(store, joined(ref))
	switch {
	case err == nil:
		ref.Repo = name.Repository
	case !errors.Is(err, install.ErrMissing):
		return install.Generation{}, err
	}
	if err == nil && !chosen && !c.IsSet(flagPlatform) {
		g, err := store.Current(name)
		if err != nil {
			return g, about(name, err)
		}
		return g, a.mayRun(c, s, g)
	}
	g, there, err := s.exactly(store, ref)
	if err != nil {
		return g, err
	}
	if there {
		return g, a.mayRun(c, s, g)
	}
	return a.obtain(c, s, store, text, ref)
}

// joined is a ref without its selector, as it is typed.
func joined(ref artifact.Ref) string {
	if ref.Repo == "" {
		return ref.Product
	}
	return ref.Repo + ":" + ref.Product
}

// projectNames reports whether the project's assay.toml has a selector for a product.
func (s *session) projectNames(text string, ref artifact.Ref) bool {
	for _, tool := range s.config.Tools {
		if tool.Name == text || tool.Name == ref.Product {
			return true
		}
	}
	return false
}

// exactly finds a release that is there already, and was named by its version or
// digest, which no question to the repository could change. Of several repositories
// none is guessed.
func (s *session) exactly(store *install.Store, ref artifact.Ref) (g install.Generation, there bool, err error) {
	if ref.Selector.Kind != artifact.ByVersion && ref.Selector.Kind != artifact.ByDigest {
		return g, false, nil
	}
	names, err := store.Known()
	if err != nil {
		return g, false, err
	}
	for _, name := range names {
		if name.Product != ref.Product || ref.Repo != "" && name.Repository != ref.Repo {
			continue
		}
		list, _, err := store.Generations(name)
		if err != nil {
			return g, false, err
		}
		i := slices.IndexFunc(list, func(g install.Generation) bool {
			if ref.Selector.Kind == artifact.ByDigest {
				return slices.Contains(g.Digests, ref.Selector.Digest)
			}
			return g.Platform == s.config.Platform && g.Version == ref.Selector.Version.String()
		})
		switch {
		case i < 0:
		case there:
			return install.Generation{}, false, nil
		default:
			g, there = list[i], true
		}
	}
	return g, there, nil
}

// mayRun judges a release that is there, by what is held, without any request. What
// can't be told, as metadata is not held any more, does not keep it from running: it
// was proven. Nor does it that its publisher promises it no longer; a revocation does.
func (a *app) mayRun(c *cli.Context, s *session, g install.Generation) error {
	offline := *s.config
	offline.Offline = true
	s.config = &offline
	if err := a.joinFor(c, s, g.Repository); err != nil {
		return err
	}
	standing, err := s.client.JudgeInstalled(c.Context, g.Repository, g.Target, g.Digests)
	if err != nil {
		return err
	}
	of := fmt.Sprintf("%s %s", g.Product, g.Version)
	untold := standing.State == fetch.Withdrawn || standing.State == fetch.Unknown && cannotTell(standing.Err)
	if standing.Err != nil && untold {
		if err := s.refusedLast(c.Context, g, of); err != nil {
			return err
		}
	}
	switch {
	case standing.Err == nil:
		if standing.Detail != "" {
			a.out.warn("%s", standing.Detail)
		}
		return a.warnOfAge(c, s, g.Repository, of)
	case standing.State == fetch.Withdrawn:
		a.out.warn("%s is promised by %s no longer, and runs as it was proven before", of, g.Repository)
		return nil
	case untold:
		a.out.warn("%s could not be judged today, and runs as it was proven before: %v", of, standing.Err)
		return nil
	case standing.State == fetch.Revoked:
		a.rememberRevoked(c.Context, s, g.Repository, lockfile.Artifact{Target: g.Target, Length: g.Length, Digests: g.Digests})
	}
	what := asked{repository: g.Repository, product: g.Product, version: g.Version, target: g.Target}
	return a.noteRefusal(c.Context, s, what, standing.Err)
}

// errRefusedBefore: what was refused does not run because its publisher took it away,
// or because nobody can tell today.
var errRefusedBefore = errors.New("refused before")

// refusedLast is an error where the last judgement of what is installed refused it.
func (s *session) refusedLast(ctx context.Context, g install.Generation, of string) error {
	receipt, err := s.receiptOf(ctx, g.Repository, lockfile.Artifact{Target: g.Target, Length: g.Length, Digests: g.Digests})
	if err == nil && receipt != nil && wasRefused(receipt) {
		err = fmt.Errorf("%w: %s can't be judged today, and when it was judged last it was refused: %s", errRefusedBefore, of, receipt.Reason)
	}
	return err
}

// cannotTell reports whether an error says no more than that metadata is not held, or
// is too old to tell.
func cannotTell(err error) bool {
	return errors.Is(err, trust.ErrNotHeld) || errors.Is(err, trust.ErrNoRoot) || errors.Is(err, trust.ErrExpired) || errors.Is(err, fetch.ErrTooOld)
}

// warnOfAge says that the metadata by which a release was judged has expired.
func (a *app) warnOfAge(c *cli.Context, s *session, repository, of string) error {
	view, err := s.client.View(c.Context, repository)
	if err != nil {
		return err
	}
	if stale := view.Stale(); stale != nil {
		a.out.warn("%s was judged by what is held, and that may be out of date: %v; `assay trust refresh %s` asks anew", of, stale, repository)
	}
	return nil
}

// obtain looks a release up, and proves it. One that is there already is not unpacked,
// or hashed, again.
func (a *app) obtain(c *cli.Context, s *session, store *install.Store, text string, ref artifact.Ref) (g install.Generation, err error) {
	if len(s.repositories) == 0 {
		return g, withHint(fmt.Errorf("%w: none is trusted yet", errNoRepository), "`assay trust add NAME URL --root-sha256 HEX` adds one")
	}
	if err := a.joinFor(c, s, ref.Repo); err != nil {
		return g, err
	}
	defer func() {
		if err != nil {
			err = a.noteRefusal(c.Context, s, s.askedFor([]string{text}), err)
		}
	}()
	selection, err := s.client.Resolve(c.Context, fetch.Request{Ref: ref, Platform: s.config.Platform})
	if err != nil {
		return g, err
	}
	list, _, err := store.Generations(install.Name{Repository: selection.Repository, Product: selection.Product})
	if err != nil {
		return g, err
	}
	i := slices.IndexFunc(list, func(g install.Generation) bool {
		return g.Digests.Agree(selection.Target.Digests()) && g.Version == selection.Version.String() && g.Platform == selection.Platform
	})
	if i >= 0 {
		err := s.client.Judge(c.Context, &selection)
		for _, warning := range selection.Warnings {
			a.out.warn("%s", warning)
		}
		return list[i], err
	}
	return a.unpackToRun(c, s, store, selection, ref.Selector.String())
}

// unpackToRun fetches, proves and unpacks what was found.
func (a *app) unpackToRun(c *cli.Context, s *session, store *install.Store, selection fetch.Selection, request string) (install.Generation, error) {
	log, err := a.auditor(c.Context, s)
	if err != nil {
		return install.Generation{}, err
	}
	held, err := s.client.GetSelected(c.Context, selection)
	if err != nil {
		return install.Generation{}, err
	}
	release, err := s.releaseOf(c.Context, held, request)
	if err != nil {
		return install.Generation{}, err
	}
	meter := a.progress.Start(held.Target.Name()+" (unpacking)", 0)
	g, err := store.Ready(c.Context, release, held.Blob, meter)
	meter.Done(err)
	if err != nil {
		return g, about(install.Name{Repository: release.Repository, Product: release.Product}, err)
	}
	return g, log.noteGet(c.Context, held, "to be run")
}

// programOf is the program of a release that is meant: the one that is named, or
// called like the product, or the only one.
func programOf(g install.Generation, wanted string) (link, path string, err error) {
	names := g.Programs()
	switch {
	case wanted != "" && !slices.Contains(names, wanted):
		return "", "", usagef("--%s: expected one of %s's programs, %s; found %q", flagProgram, g.Product, strings.Join(names, ", "), clip(wanted))
	case wanted != "":
		link = wanted
	case slices.Contains(names, g.Product):
		link = g.Product
	case slices.Contains(names, g.Product+".exe"):
		link = g.Product + ".exe"
	case len(names) == 1:
		link = names[0]
	default:
		return "", "", usagef("%s has several programs, and none that is called like it: expected --%s with one of %s", g.Product, flagProgram, strings.Join(names, ", "))
	}
	path = g.Program(link)
	if _, err := os.Stat(path); err != nil {
		return "", "", damagedProgram(g, fmt.Errorf("%w: %w", errNoProgram, err))
	}
	return link, path, nil
}

// damagedProgram tells how to get a program back that somebody has taken away.
func damagedProgram(g install.Generation, err error) error {
	if g.Loose {
		return err
	}
	return withHint(err, fmt.Sprintf("`assay rollback %s:%s --to %s` unpacks it anew", g.Repository, g.Product, g.Version))
}

// programEnded says that a program has run, where it did not take this process's
// place. Nothing is printed of it.
type programEnded struct{ code int }

func (p *programEnded) Error() string { return fmt.Sprintf("the program has ended with %d", p.code) }

// execCode is the exit code of a line whose command is exec: what is assay's own
// failure must not be taken for the program's. Signals, and a reader that has gone,
// are told as ever.
func execCode(code int) int {
	switch code {
	case 0, notExecutable, noProgram, 130, 141, 143:
		return code
	}
	return execFailed
}
