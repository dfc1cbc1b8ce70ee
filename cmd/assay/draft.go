package main

import (
	"github.com/urfave/cli/v2"

	"assay/artifact/release"
	"assay/internal/draft"
)

func draftCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:        "draft",
		Usage:       "for publishers: write manifests, channel indexes and the catalog",
		Subcommands: []*cli.Command{draftReleaseCommand(a), draftPromoteCommand(a)},
	}
}

// causesOfDrafts: why a document is not written.
func causesOfDrafts() []cause {
	const hintBuild = "build it again with goreleaser v2, into an empty folder; nothing was written"
	return []cause{
		{draft.ErrRevoked, 16, "a release that is revoked in one channel is revoked in all of them: make a new version"},
		{draft.ErrMismatch, 13, hintBuild},
		{draft.ErrOutside, 15, hintBuild},
		{draft.ErrDist, 15, hintBuild},
		{draft.ErrChanged, 31, "run the command again when nothing else works on these files"},
		{draft.ErrTaken, 2, "published bytes never change: make a new version, or, if nobody has published this one, remove its folder; --replace writes another manifest alone"},
		{draft.ErrNoRelease, 3, "`assay draft release` makes a release; - in place of the channel it comes from puts it into its first one; --dir names the tree of targets"},
		{draft.ErrPromotion, 2, ""},
		{draft.ErrInput, 2, "`assay help draft release` and `assay help draft promote` have examples"},
		{draft.ErrDisk, 40, "check the free space and the permissions of the folder"},
	}
}

// wayDoc says how to give a field that is missing or wrong.
type wayDoc struct {
	Field string `json:"field"`
	Way   string `json:"way"`
}

// lintDraft prints what lint finds in a document that is not written yet, and how to
// give what is missing. Where there are errors, nothing is to be written.
func (a *app) lintDraft(doc *lintDoc, name string, report release.Report) []wayDoc {
	linted := newLintedDoc(report)
	linted.File = name
	doc.add(linted)
	a.printFindings(linted)
	told := map[string]bool{}
	ways := []wayDoc{}
	for _, f := range report.Findings {
		if way := draft.Way(f.Field); way != "" && !told[way] && report.Place.Kind == release.KindRelease {
			told[way] = true
			ways = append(ways, wayDoc{f.Field, way})
			a.out.line("  to give %s: %s", f.Field, way)
		}
	}
	return ways
}
