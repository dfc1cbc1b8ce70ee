package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact/release"
	"assay/fetch/unpack"
	"assay/internal/config"
	"assay/internal/draft"
	"assay/internal/stricttoml"
	"assay/trust"
)

const (
	flagGoreleaser = "goreleaser"
	flagDefaults   = "defaults"
	flagTagObject  = "tag-object"
	flagBuildLog   = "log"
	flagFinished   = "finished"
	flagPublished  = "published"
	flagPieces     = "pieces"
	flagReplace    = "replace"
)

func draftReleaseCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "release",
		Usage: "write the manifest of a release from what goreleaser built",
		Description: "Reads goreleaser's artifacts.json and metadata.json, computes the digest of each\n" +
			"file, compares it with the checksums file, looks into each archive for its\n" +
			"programs, and writes PRODUCT/VERSION/release.json with all files beside it, as\n" +
			"targets for a TUF tool. What goreleaser can't know (team, support, where the\n" +
			"source lies) is in the defaults, a TOML file.\n\n" +
			"The manifest is checked as `assay lint` does, and nothing is written while it\n" +
			"lacks something: each line says what, and how to give it (15). So an empty file\n" +
			"of defaults is enough to begin with. No keys are needed, and no network.\n" +
			"docs/publishing.md explains the defaults." +
			examples(
				"assay draft release --goreleaser dist --defaults team.toml",
				"assay draft release --goreleaser dist --defaults team.toml --output targets \\",
				`    --tag-object "$(git rev-parse v1.4.2)"`),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagGoreleaser, Usage: "`DIST`, the folder that goreleaser wrote"},
			&cli.StringFlag{Name: flagDefaults, Usage: "`FILE` with what goreleaser can't know"},
			&cli.StringFlag{Name: flagProduct, Usage: "the product's `NAME`; else that of the defaults, or goreleaser's name of the project"},
			&cli.StringFlag{Name: flagOutput, Usage: "`DIR`, the tree of targets to write into; else the current folder"},
			&cli.StringFlag{Name: flagTagObject, Usage: "the id `HEX` of the signed tag itself, as `git rev-parse TAG` prints it"},
			&cli.StringFlag{Name: flagBuildLog, Usage: "`URL` of the log of the build"},
			&cli.StringFlag{Name: flagFinished, Usage: "when the build was finished, a `TIME` like 2026-09-14T11:02:40Z; else that of goreleaser's youngest file"},
			&cli.StringFlag{Name: flagPublished, Usage: "the `TIME` of the publication; else as in a draft before, or now"},
			&cli.StringFlag{Name: flagPieces, Usage: "list the digests of pieces of `SIZE`, like 4MiB, of each artifact"},
			&cli.BoolFlag{Name: flagReplace, Usage: "replace another manifest of a release that nobody has published yet"},
		},
		Action: a.draftRelease,
	}
}

type draftReleaseDoc struct {
	Changed bool            `json:"changed"`
	Product string          `json:"product"`
	Version string          `json:"version"`
	Targets []draft.Written `json:"targets"` // the manifest last; none where nothing was written
	Doubts  []string        `json:"doubts"`
	LeftOut []draft.LeftOut `json:"left_out"`
	Lint    lintDoc         `json:"lint"`
	Ways    []wayDoc        `json:"ways"`
}

func (a *app) draftRelease(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	options, err := a.draftOptions(c)
	if err != nil {
		return err
	}
	drafted, err := draft.New(c.Context, options)
	if err != nil {
		return archiveHint(err)
	}
	doc := draftReleaseDoc{
		Product: drafted.Place.Product, Version: drafted.Place.Version.String(), Targets: []draft.Written{},
		Doubts: append([]string{}, drafted.Doubts...), LeftOut: append([]draft.LeftOut{}, drafted.LeftOut...),
	}
	for _, doubt := range doc.Doubts {
		a.out.warn("%s", doubt)
	}
	for _, left := range doc.LeftOut {
		a.out.warn("%s (%s) is left out: %s", left.Name, left.Type, left.Why)
	}
	report := release.Lint(drafted.Place, drafted.Manifest, a.now())
	if drafted.Checksums != nil && report.Release != nil {
		lintSums(&report, drafted.Checksums)
	}
	doc.Ways = a.lintDraft(&doc.Lint, drafted.Place.Path(), report)
	if doc.Lint.Errors == 0 {
		if err := a.writeDraft(c.Context, drafted, c.Bool(flagReplace), &doc); err != nil {
			return err
		}
	}
	if err := a.out.result("draft.release", doc); err != nil || doc.Lint.Errors == 0 {
		return err
	}
	return a.unwritten(doc.Lint)
}

// archiveHint is for archives that can't be unpacked, whose publisher runs this.
func archiveHint(err error) error {
	for _, kind := range []error{unpack.ErrUnsafe, unpack.ErrLimit, unpack.ErrMalformed, unpack.ErrUnsupported} {
		if errors.Is(err, kind) {
			return withHint(err, "assay would refuse to install it for the same reason: have goreleaser make another archive; nothing was written")
		}
	}
	return err
}

// unwritten says that nothing was written, after the lines that say why.
func (a *app) unwritten(lint lintDoc) error {
	summary := lint.summary() + "; nothing was written"
	a.out.line("%s", summary)
	return &reported{withHint(mark(trust.ErrManifest, errors.New(summary)), "mend what is listed; docs/publishing.md explains each rule")}
}

func (a *app) writeDraft(ctx context.Context, drafted *draft.Release, replace bool, doc *draftReleaseDoc) (err error) {
	if doc.Targets, err = drafted.Write(ctx, replace); err != nil {
		return err
	}
	for _, w := range doc.Targets {
		doc.Changed = doc.Changed || w.Changed
		how := "written"
		if !w.Changed {
			how = "there already"
		}
		a.out.line("%s  %s, %s", w.Target, bytesText(w.Length), how)
	}
	a.out.line("%s", doc.Lint.summary())
	a.out.talk("next: assay draft promote %s@%s FROM TO, where FROM is - for its first channel; then sign and publish with your TUF tool", doc.Product, doc.Version)
	return nil
}

// draftOptions reads the flags and the defaults.
func (a *app) draftOptions(c *cli.Context) (draft.Options, error) {
	for _, needed := range []string{flagGoreleaser, flagDefaults} {
		if c.String(needed) == "" {
			return draft.Options{}, usagef("expected --%s: assay draft release --goreleaser DIST --defaults FILE", needed)
		}
	}
	o := draft.Options{
		Dist: a.path(c.String(flagGoreleaser)), Output: a.path(c.String(flagOutput)), Product: c.String(flagProduct),
		TagObject: c.String(flagTagObject), Log: c.String(flagBuildLog), Now: a.now(),
	}
	name := c.String(flagDefaults)
	data, err := a.readSmall(name, stricttoml.MaxSize)
	if err == nil {
		o.Defaults, err = draft.ReadDefaults(name, data)
	}
	if err != nil {
		return o, err
	}
	for flag, into := range map[string]*time.Time{flagFinished: &o.Finished, flagPublished: &o.Published} {
		if text := c.String(flag); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return o, usagef("--%s: expected a time like 2026-09-14T11:02:40Z, found %q", flag, clip(text))
			}
		}
	}
	if text := c.String(flagPieces); text != "" {
		size, ok := config.ParseSize(text)
		if !ok || size < 1 {
			return o, usagef("--%s: expected a size like 4MiB, found %q", flagPieces, clip(text))
		}
		o.PieceBytes = size
	}
	return o, nil
}
