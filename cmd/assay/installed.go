package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch/install"
)

// joinFor gives a session its client for the repositories of what is installed, and
// those that these must agree with.
func (a *app) joinFor(c *cli.Context, s *session, repositories ...string) error {
	agree, err := s.agreement()
	if err != nil {
		return err
	}
	return a.join(c, s, agree, repositories)
}

// knownName is installedName for what may be there in part only: a product that was
// only run, or whose uninstall was cut short.
func knownName(store *install.Store, text string) (install.Name, error) {
	name, err := installedName(store, text)
	if !errors.Is(err, install.ErrMissing) {
		return name, err
	}
	ref, err := artifact.ParseRef(text)
	if err != nil {
		return name, err
	}
	names, err := store.Known()
	if err != nil {
		return name, err
	}
	return pickName(names, ref, text)
}

// titleOf names an installed release, in a line.
func titleOf(g install.Generation) string {
	channel := ""
	if g.Channel != "" {
		channel = " (" + g.Channel + ")"
	}
	return fmt.Sprintf("%s %s%s for %s, of %s", g.Product, g.Version, channel, g.Platform, g.Repository)
}

// lostLink tells what is in the place of a program's link, and how to mend that. What is
// somebody else's is never replaced: it has to go first.
func lostLink(store *install.Store, g install.Generation, program string) (found, mend string) {
	path, _ := store.Link(g, program)
	mend = fmt.Sprintf("`assay rollback %s --to %s` links it anew", nameOf(g), g.Version)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return path + " is gone", mend
	}
	return path + " leads elsewhere, or is somebody else's", "once it is moved away, " + mend
}
