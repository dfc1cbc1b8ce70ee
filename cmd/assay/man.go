package main

import (
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/internal/durable"
)

const flagDir = "dir"

func manCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "man",
		Usage:     "print the manual page of a command, or write all of them",
		ArgsUsage: "[COMMAND…]",
		Description: "The pages are made from the commands themselves. With --dir all of them are\n" +
			"written into a folder, as packages need them: assay.1, one for each command, and\n" +
			"assay-errors.7 about the exit codes. One assay always writes the same bytes." +
			examples(
				"assay man | man -l -",
				"assay man trust add",
				"assay man errors",
				"assay man --dir ~/.local/share/man",
			),
		Flags:  []cli.Flag{&cli.StringFlag{Name: flagDir, Usage: "write all pages into man1 and man7 in `FOLDER`"}},
		Action: a.man,
	}
}

// manDoc has the text of one page, or the files of all.
type manDoc struct {
	Changed bool     `json:"changed"`
	Name    string   `json:"name,omitempty"` // as assay-trust-add.1
	Page    string   `json:"page,omitempty"`
	Files   []string `json:"files,omitempty"`
}

func (a *app) man(c *cli.Context) error {
	words, err := operands(c, 0, -1)
	if err != nil {
		return err
	}
	if dir := c.String(flagDir); dir != "" {
		if len(words) > 0 {
			return usagef("--%s writes all pages: expected no argument with it, found %q", flagDir, clip(words[0]))
		}
		return a.writeManual(a.path(dir))
	}
	want := strings.Join(append([]string{"assay"}, words...), "-")
	for _, p := range manual(a.tree) {
		if base, _, _ := strings.Cut(p.name, "."); base == want {
			a.out.raw(p.text)
			return a.out.result("man", manDoc{Name: p.name, Page: p.text})
		}
	}
	return withHint(usagef("assay has no command %q", clip(strings.Join(words, " "))), "`assay help` lists the commands")
}

// writeManual writes every page to where man looks for it in a folder. A crash
// leaves some of them: the next run writes all.
func (a *app) writeManual(dir string) error {
	doc := manDoc{Changed: true}
	for _, p := range manual(a.tree) {
		section := filepath.Join(dir, "man"+p.name[strings.LastIndexByte(p.name, '.')+1:])
		if err := durable.MkdirAll(section, 0o755); err != nil {
			return outputError(err)
		}
		path := filepath.Join(section, p.name)
		if err := durable.WriteFile(path, []byte(p.text), 0o644); err != nil {
			return outputError(err)
		}
		doc.Files = append(doc.Files, path)
		a.out.line("%s", path)
	}
	return a.out.result("man", doc)
}
