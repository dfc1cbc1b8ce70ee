package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"assay/cache"
	"assay/trust/policy"
)

const (
	flagOlder   = "older"
	flagMaxSize = "max-size"
)

func cachePruneCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "prune",
		Usage: "remove blobs that were not used for long, or are too many",
		Description: "Removes the least recently used blobs first. What is pinned, installed, locked\n" +
			"or mirrored stays, and counts towards the size; so does what was used within\n" +
			"the last 10 minutes or is being fetched: it is safe beside other runs of assay.\n" +
			"What is removed is fetched again when it is next asked for.\n" +
			"It also clears up: what `assay cache verify` set aside longer ago than --older,\n" +
			"or else 30 days, what runs that died left, and free pages of the indexes." +
			examples(
				"assay cache prune --older 30d --dry-run    what would go, and what would stay",
				"assay cache prune --max-size 10GiB",
				"assay cache prune --older 90d --max-size 50GiB"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagOlder, Usage: "remove what was last used longer ago than `AGE`, like 30d or 12h"},
			&cli.StringFlag{Name: flagMaxSize, Usage: "remove until the rest fits into `SIZE`, like 10GiB or 500MB"},
			&cli.BoolFlag{Name: flagDryRun, Usage: "tell what would be removed, and remove nothing"},
		},
		Action: a.cachePrune,
	}
}

type keptDoc struct {
	blobDoc
	InUse bool `json:"in_use"`
}

type cachePruneDoc struct {
	Changed      bool           `json:"changed"`
	DryRun       bool           `json:"dry_run"`
	Freed        int64          `json:"freed"` // bytes of removed blobs
	Held         int64          `json:"held"`  // bytes of the blobs that stay
	Removed      []blobDoc      `json:"removed"`
	Kept         []keptDoc      `json:"kept"` // that were to go, and stay
	Stale        []referenceDoc `json:"stale"`
	Damaged      int            `json:"damaged"`       // files that had been set aside
	DamagedBytes int64          `json:"damaged_bytes"` // and their bytes
	Partial      int            `json:"partial"`       // partial files of transfers that were cut
	PartialBytes int64          `json:"partial_bytes"` // and their bytes
	Compacted    int64          `json:"compacted"`     // bytes that the indexes lost
}

// pruneOptions reads the flags.
func pruneOptions(c *cli.Context) (opts cache.PruneOptions, err error) {
	opts.DryRun = c.Bool(flagDryRun)
	if opts.MaxSize, err = sizeFlag(c, flagMaxSize); err != nil {
		return opts, err
	}
	if c.IsSet(flagOlder) {
		span, err := policy.ParseSpan(c.String(flagOlder))
		if err != nil {
			return opts, usagef("--%s: expected an age like 30d, 2w or 12h, found %q", flagOlder, clip(c.String(flagOlder)))
		}
		opts.Older = new(time.Duration(span))
	}
	if opts.Older == nil && opts.MaxSize == nil {
		return opts, withHint(usagef("expected --%s, --%s or both, found neither", flagOlder, flagMaxSize),
			"`assay cache prune --older 30d --dry-run` shows what was not used for a month; `assay cache list` shows what there is")
	}
	return opts, nil
}

func (a *app) cachePrune(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	opts, err := pruneOptions(c)
	if err != nil {
		return err
	}
	s, err := a.bareStore(c)
	if err != nil {
		return err
	}
	a.keepInstalled(c)
	report, err := s.cache.Prune(c.Context, opts)
	// What was removed is told, whatever came then.
	a.tellPruned(report, opts)
	if failed := a.out.result("cache.prune", pruneDoc(report, opts)); err == nil {
		err = failed
	}
	return err
}

func pruneDoc(r cache.PruneReport, opts cache.PruneOptions) cachePruneDoc {
	doc := cachePruneDoc{
		Changed: !opts.DryRun && len(r.Removed)+len(r.Stale)+r.Damaged+r.Partial > 0 || r.Compacted > 0, DryRun: opts.DryRun,
		Freed: r.Freed, Held: r.Held, Removed: []blobDoc{}, Kept: []keptDoc{}, Stale: referenceDocs(r.Stale),
		Damaged: r.Damaged, DamagedBytes: r.DamagedBytes, Partial: r.Partial, PartialBytes: r.PartialBytes, Compacted: r.Compacted,
	}
	for _, e := range r.Removed {
		doc.Removed = append(doc.Removed, newBlobDoc(e, nil))
	}
	for _, k := range r.Kept {
		doc.Kept = append(doc.Kept, keptDoc{newBlobDoc(k.Entry, k.References), k.InUse})
	}
	return doc
}

func (a *app) tellPruned(r cache.PruneReport, opts cache.PruneOptions) {
	removed := "removed"
	if opts.DryRun {
		removed = "would remove"
	}
	for _, e := range r.Removed {
		a.out.line("%s  %s, last used %s", removed, blobLine(e), e.Used().UTC().Format("2006-01-02"))
	}
	for _, k := range r.Kept {
		why := "in use: it was asked for within the last 10 minutes, or is being fetched"
		if !k.InUse {
			why = "kept by " + referencesText(k.References)
		}
		a.out.line("stays  %s: %s", blobLine(k.Entry), why)
	}
	for _, ref := range r.Stale {
		a.out.line("%s  the reference %s/%s: %s is gone", removed, string(ref.Kind), ref.Name, ref.Origin)
	}
	if r.Damaged > 0 {
		a.out.line("%s  %d that had been set aside as damaged, %s", removed, r.Damaged, bytesText(r.DamagedBytes))
	}
	if r.Partial > 0 {
		a.out.line("%s  %d partial files of transfers that were cut, %s", removed, r.Partial, bytesText(r.PartialBytes))
	}
	if r.Compacted > 0 {
		a.out.line("compacted  the indexes by %s", bytesText(r.Compacted))
	}
	freed := "freed"
	if opts.DryRun {
		freed = "would be freed"
	}
	a.out.line("%s: %s %s, %s held", blobsText(len(r.Removed)), bytesText(r.Freed), freed, bytesText(r.Held))
	if opts.MaxSize != nil && r.Held > *opts.MaxSize {
		a.out.talk("that is more than --%s still: what stays is needed", flagMaxSize)
	}
}
