package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch/install"
)

func whichCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "which",
		Usage:     "tell where an installed program lies, and of which release it is",
		ArgsUsage: "PROGRAM | [REPO:]PRODUCT",
		Description: "Prints the path of the program's file, behind all links, and tells which release\n" +
			"it is of. Of a product it prints the paths of all its programs. Nothing is\n" +
			"judged: `assay verify --held` does that." +
			examples(
				"assay which hello         by the name it is called by, or by its product's",
				"assay which acme:hello    the product of that repository",
				"assay which hello --json"),
		Action: func(c *cli.Context) error { return a.which(c) },
	}
}

// whichDoc tells of an installed release and its programs.
type whichDoc struct {
	Repository string           `json:"repository"`
	Product    string           `json:"product"`
	Version    string           `json:"version"`
	Channel    string           `json:"channel,omitempty"`
	Request    string           `json:"request"`
	Platform   string           `json:"platform"`
	Target     string           `json:"target"`
	Digests    artifact.Digests `json:"digests"`
	Folder     string           `json:"folder"`
	Programs   []whichProgram   `json:"programs"`
}

type whichProgram struct {
	Name string `json:"name"`
	Path string `json:"path"`
	Link string `json:"link,omitempty"`  // that it is called by; empty: there is none
	Else string `json:"other,omitempty"` // what PATH has before it under the name
}

func (a *app) which(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	_, store, err := a.bareInstaller(c)
	if err != nil {
		return err
	}
	g, programs, err := lookUp(store, args[0])
	if err != nil {
		return err
	}
	doc := whichDoc{
		Repository: g.Repository, Product: g.Product, Version: g.Version, Channel: g.Channel, Request: g.Request,
		Platform: g.Platform.String(), Target: g.Target, Digests: g.Digests, Folder: g.Tree(), Programs: []whichProgram{},
	}
	for _, name := range programs {
		p := whichProgram{Name: name, Path: g.Program(name)}
		if _, err := os.Stat(p.Path); err != nil {
			return about(nameOf(g), fmt.Errorf("%w: %s %s: the program %s is not there: %w", install.ErrDamaged, g.Product, g.Version, name, err))
		}
		if link, is := store.Link(g, name); is {
			p.Link = link
		}
		p.Else = a.otherInPath(p)
		doc.Programs = append(doc.Programs, p)
	}
	a.out.talk("%s", titleOf(g))
	for _, p := range doc.Programs {
		a.out.line("%s", p.Path)
		switch {
		case p.Link == "":
			found, mend := lostLink(store, g, p.Name)
			a.out.warn("%s; %s", found, mend)
		case p.Else != "":
			a.out.warn("a shell finds %s first: %s is behind it in PATH", p.Else, p.Link)
		}
	}
	return a.out.result("which", doc)
}

// lookUp finds what is called so: a program by its link, a program without one, or a
// product, whose programs are all meant.
func lookUp(store *install.Store, text string) (install.Generation, []string, error) {
	if artifact.ValidFileName(text) == nil {
		owner, err := store.OwnerOf(text)
		if err != nil {
			return install.Generation{}, nil, err
		}
		if owner != (install.Name{}) {
			g, err := store.Current(owner)
			if err == nil && g.Program(text) != "" {
				return g, []string{text}, nil
			}
			if err != nil && !errors.Is(err, install.ErrMissing) {
				return g, nil, about(owner, err)
			}
		}
	}
	name, err := installedName(store, text)
	if err == nil {
		g, err := store.Current(name)
		return g, g.Programs(), about(name, err)
	}
	list, _, failed := store.List()
	if failed != nil {
		return install.Generation{}, nil, failed
	}
	for _, g := range list {
		if g.Program(text) != "" {
			return g, []string{text}, nil
		}
	}
	// What can be no product may still be a program's name.
	if artifact.ValidFileName(text) == nil && errors.Is(err, artifact.ErrRef) {
		err = fmt.Errorf("%w: %s", install.ErrMissing, clip(text))
	}
	return install.Generation{}, nil, err
}

// otherInPath is what a shell finds under a program's name before its link; empty:
// the link, or nothing.
func (a *app) otherInPath(p whichProgram) string {
	if p.Link == "" {
		return ""
	}
	for _, dir := range filepath.SplitList(getenv(a.env, "PATH")) {
		path := filepath.Join(dir, filepath.Base(p.Link))
		info, err := os.Stat(path)
		switch {
		case dir == "" || err != nil || info.IsDir():
		case path == p.Link || same(dir, filepath.Dir(p.Link)):
			return ""
		case info.Mode()&0o111 != 0:
			return path
		}
	}
	return ""
}
