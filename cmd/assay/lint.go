package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/artifact/release"
	"assay/fetch"
	"assay/trust"
)

func lintCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "lint",
		Usage:     "find out what a release manifest or another document lacks",
		ArgsUsage: "FILE… | REPO TARGET/PATH",
		Description: "Checks a manifest, a channel index, a catalog or a list of mirrors before it is\n" +
			"published: each line names a field, what is expected there, what was found and\n" +
			"how to mend it. A file may lie anywhere, its schema tells what it is; - is\n" +
			"stdin. The checksums file is compared as well, if it lies beside its manifest.\n" +
			"It takes no network.\n\n" +
			"From a repository all that the document names is looked up: each file must be\n" +
			"promised, with the length and the digests of the manifest.\n\n" +
			"Exit 15 if there are errors; warnings alone are 0. docs/publishing.md explains\n" +
			"each rule." +
			examples(
				"assay lint dist/release.json",
				"assay lint *.json --json",
				"assay lint acme hello/1.4.2/release.json"),
		Action: func(c *cli.Context) error { return a.lint(c) },
	}
}

// lintDoc is the result of lint.
type lintDoc struct {
	Documents []lintedDoc `json:"documents"`
	Errors    int         `json:"errors"`
	Warnings  int         `json:"warnings"`
}

// lintedDoc is what was found out about one document.
type lintedDoc struct {
	File       string            `json:"file,omitempty"`       // as it was named; empty: of a repository
	Repository string            `json:"repository,omitempty"` // empty: a file
	Kind       release.Kind      `json:"kind,omitempty"`       // empty: it does not say
	Target     string            `json:"target,omitempty"`     // the target path that it is meant for
	Checksums  string            `json:"checksums,omitempty"`  // the checksums file that it was compared with
	Errors     int               `json:"errors"`
	Warnings   int               `json:"warnings"`
	Findings   []release.Finding `json:"findings"`
}

// name is how the document stands before its findings.
func (d lintedDoc) name() string {
	if d.File != "" {
		return d.File
	}
	return d.Repository + ":" + d.Target
}

func newLintedDoc(report release.Report) lintedDoc {
	d := lintedDoc{Kind: report.Place.Kind, Target: report.Place.Path(), Findings: report.Findings}
	if d.Findings == nil {
		d.Findings = []release.Finding{}
	}
	d.Errors, d.Warnings = report.Count()
	return d
}

func (a *app) lint(c *cli.Context) error {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	var doc lintDoc
	if place, ok := a.asksRepository(args); ok {
		linted, err := a.lintTarget(c, args[0], place)
		if err != nil {
			return err
		}
		doc.add(linted)
	} else if err := a.lintFiles(args, &doc); err != nil {
		return a.neither(c, args, err)
	}
	a.progress.close()
	for _, d := range doc.Documents {
		a.printFindings(d)
	}
	summary := doc.summary()
	a.out.line("%s", summary)
	if err := a.out.result("lint", doc); err != nil {
		return err
	}
	if doc.Errors == 0 {
		return nil
	}
	// The lines above have said it all; what is left is the exit code.
	return &reported{withHint(mark(trust.ErrManifest, errors.New(summary)), "mend what is listed; docs/publishing.md explains each rule")}
}

func (d *lintDoc) add(linted lintedDoc) {
	d.Documents = append(d.Documents, linted)
	d.Errors += linted.Errors
	d.Warnings += linted.Warnings
}

func (d *lintDoc) summary() string {
	what := d.Documents[0].name()
	if n := len(d.Documents); n > 1 {
		what = counted(n, "document")
	}
	if d.Errors+d.Warnings == 0 {
		return what + ": nothing to mend"
	}
	return what + ": " + counted(d.Errors, "error") + ", " + counted(d.Warnings, "warning")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (a *app) printFindings(d lintedDoc) {
	for _, f := range d.Findings {
		parts := []string{d.name()}
		if f.Field != "" {
			parts = append(parts, f.Field)
		}
		severity := ""
		if f.Severity == release.SeverityWarning {
			severity = "warning: "
		}
		more := ""
		if f.More > 0 {
			more = fmt.Sprintf(" (and %d more)", f.More)
		}
		a.out.line("%s: %s%s [%s]%s", strings.Join(parts, ": "), severity, f.Message, f.Rule, more)
	}
}

// asksRepository tells the two forms of arguments apart: REPO TARGET/PATH is
// meant where the first can be a repository's name and is no file, and the
// second is a path at which a document lies.
func (a *app) asksRepository(args []string) (release.Place, bool) {
	if len(args) != 2 || artifact.ValidRepository(args[0]) != nil {
		return release.Place{}, false
	}
	if info, err := os.Stat(a.path(args[0])); err == nil && info.Mode().IsRegular() {
		return release.Place{}, false
	}
	return release.ParsePlace(args[1])
}

// neither adds to the error of a missing file that there is no repository of the
// name, where one may be meant: neither argument is a file.
func (a *app) neither(c *cli.Context, args []string, missing error) error {
	if len(args) != 2 || !errors.Is(missing, fs.ErrNotExist) || artifact.ValidRepository(args[0]) != nil {
		return missing
	}
	for _, name := range args {
		if _, err := os.Stat(a.path(name)); err == nil {
			return missing
		}
	}
	s, err := a.bareStore(c)
	if err == nil {
		s.repositories, err = s.list(c.Context)
	}
	if err != nil {
		s = &session{} // without a place for state no repository is known
	}
	if _, err := s.find(args[0]); err != nil {
		return withHint(mark(errUsage, fmt.Errorf("%s: neither a file here nor the name of a repository: %w", clip(args[0]), err)),
			"`assay trust list` lists the repositories; a document of one is named by REPO TARGET/PATH, as in `assay lint acme hello/1.4.2/release.json`")
	}
	return withHint(usagef("%s: expected a document's path in the repository %s, as hello/1.4.2/release.json, or a file here", clip(args[1]), args[0]),
		"REPO TARGET/PATH names a document: catalog.json, mirrors.json, channel-CHANNEL/PRODUCT.json and PRODUCT/VERSION/release.json")
}

// lintFiles checks files of this machine. One that can't be read ends it, before
// anything is printed.
func (a *app) lintFiles(names []string, doc *lintDoc) error {
	for _, name := range names {
		data, err := a.readSmall(name, release.MaxDocumentBytes)
		if errors.Is(err, fs.ErrNotExist) && len(names) <= 2 {
			err = withHint(err, "a document of a repository is named by REPO TARGET/PATH, as in `assay lint acme hello/1.4.2/release.json`")
		}
		if err != nil {
			return err
		}
		report := release.LintFile(data, a.now())
		checksums, err := a.lintBeside(name, &report)
		if err != nil {
			return err
		}
		linted := newLintedDoc(report)
		linted.File, linted.Checksums = name, checksums
		doc.add(linted)
	}
	return nil
}

// fileError files the failure to read a file that was named: permission is the
// disk's, anything else is what was typed.
func fileError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w: %w", fetch.ErrInput, err)
}
