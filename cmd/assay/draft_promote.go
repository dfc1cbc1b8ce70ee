package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/artifact/release"
	"assay/internal/draft"
)

const (
	flagTargetsDir = "dir"
	flagIndexAge   = "max-age"
	flagRollout    = "rollout"
	flagBackport   = "backport"
	flagCatalog    = "catalog"
)

func draftPromoteCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "promote",
		Usage:     "put a release from one channel into another",
		ArgsUsage: "PRODUCT@VERSION FROM TO",
		Description: "Edits channel-TO/PRODUCT.json in a tree of targets: the release becomes current,\n" +
			"and what was current and older is superseded. The index of FROM must have it,\n" +
			"and stays as it is; - in place of FROM is for a release that was in no channel,\n" +
			"whose manifest must lie in the tree then. An index that does not exist yet is\n" +
			"made. catalog.json is brought up to date where it lies there. Fields that assay\n" +
			"does not know stay as they are. A release that a channel in the tree says is\n" +
			"revoked is not promoted (16).\n\n" +
			"With --rollout the release reaches the machines by and by, and the one that it\n" +
			"replaces stays current until the next promotion. While it does, the same steps\n" +
			"again change nothing, and other ones take the place of those left: 100@0h gives\n" +
			"it to every machine. No keys are needed, and no network: to sign and publish the\n" +
			"files is for your TUF tool." +
			examples(
				"assay draft promote hello@1.5.0 - candidate --dir targets --catalog",
				"assay draft promote hello@1.5.0 candidate stable --dir targets",
				"assay draft promote hello@1.5.0 candidate stable --rollout 5@0h,25@48h,100@7d",
				"assay draft promote hello@1.4.3 candidate stable --backport"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagTargetsDir, Usage: "`DIR`, the tree of targets; else the current folder"},
			&cli.StringFlag{Name: flagIndexAge, Usage: "how long the index counts as fresh, an `AGE` like 90d; else as it was"},
			&cli.StringFlag{Name: flagRollout, Usage: "the `STEPS` PERCENT@AFTER,… by which it reaches the machines; else all at once"},
			&cli.BoolFlag{Name: flagBackport, Usage: "add a release that is older than the current one, for exact versions and ranges"},
			&cli.BoolFlag{Name: flagCatalog, Usage: "make catalog.json where there is none"},
		},
		Action: a.draftPromote,
	}
}

type draftPromoteDoc struct {
	Changed    bool               `json:"changed"`
	Product    string             `json:"product"`
	Version    string             `json:"version"`
	Channel    string             `json:"channel"`
	Status     release.Status     `json:"status"`
	Superseded []artifact.Version `json:"superseded"`
	Documents  []editedDoc        `json:"documents"`
	Lint       lintDoc            `json:"lint"`
}

type editedDoc struct {
	Target  string `json:"target"`
	Changed bool   `json:"changed"`
}

func (a *app) draftPromote(c *cli.Context) error {
	p, err := a.promotion(c)
	if err != nil {
		return err
	}
	promoted, err := draft.Promote(p)
	if err != nil {
		return a.documentHint(err)
	}
	doc := draftPromoteDoc{
		Changed: promoted.Changed(), Product: p.Product, Version: p.Version.String(), Channel: p.To, Status: promoted.Status,
		Superseded: promoted.Superseded, Documents: []editedDoc{}, Lint: lintDoc{Documents: []lintedDoc{}},
	}
	if doc.Superseded == nil {
		doc.Superseded = []artifact.Version{}
	}
	var sign []string
	for _, d := range promoted.Documents {
		doc.Documents = append(doc.Documents, editedDoc{d.Place.Path(), d.Changed})
		if d.Changed {
			sign = append(sign, d.Place.Path())
			a.lintDraft(&doc.Lint, d.Place.Path(), release.Lint(d.Place, d.Data, a.now()))
		}
	}
	if doc.Lint.Errors > 0 {
		doc.unwritten()
		if err := a.out.result("draft.promote", doc); err != nil {
			return err
		}
		return a.unwritten(doc.Lint)
	}
	if err := promoted.Write(c.Context); err != nil {
		return err
	}
	a.printPromotion(doc, p, promoted, sign)
	return a.out.result("draft.promote", doc)
}

// unwritten notes that nothing was changed.
func (d *draftPromoteDoc) unwritten() {
	d.Changed = false
	for i := range d.Documents {
		d.Documents[i].Changed = false
	}
}

func (a *app) printPromotion(doc draftPromoteDoc, p draft.Promotion, promoted *draft.Promoted, sign []string) {
	for _, d := range doc.Documents {
		how := "edited"
		if !d.Changed {
			how = "as it should be"
		}
		a.out.line("%s  %s", d.Target, how)
	}
	a.out.line("%s %s is %s in %s", doc.Product, doc.Version, doc.Status, doc.Channel)
	for _, v := range doc.Superseded {
		a.out.line("%s %s is superseded", doc.Product, v)
	}
	if promoted.NoManifest {
		a.out.warn("%s does not lie in the tree, so it was not looked at", release.ManifestPath(p.Product, p.Version))
	}
	if promoted.NoCatalog {
		a.out.warn("there is no %s in the tree: see that yours lists %s with the channel %s, or make one with --%s", release.CatalogPath, p.Product, p.To, flagCatalog)
	}
	if len(sign) == 0 {
		a.out.talk("next: nothing has to be signed anew")
		return
	}
	a.out.talk("next: sign %s with your TUF tool, and publish", strings.Join(sign, " and "))
}

// documentHint is for documents of the tree, which are whose who runs this.
func (a *app) documentHint(err error) error {
	var field *release.FieldError
	if errors.As(err, &field) {
		return withHint(err, "`assay lint FILE` tells all that is wrong with it; nothing was written")
	}
	return err
}

// promotion reads the arguments and flags.
func (a *app) promotion(c *cli.Context) (draft.Promotion, error) {
	args, err := operands(c, 3, 3)
	if err != nil {
		return draft.Promotion{}, err
	}
	product, text, found := strings.Cut(args[0], "@")
	if !found {
		return draft.Promotion{}, usagef("expected PRODUCT@VERSION, like hello@1.5.0, found %q", clip(args[0]))
	}
	p := draft.Promotion{
		Dir: a.path(c.String(flagTargetsDir)), Product: product, From: args[1], To: args[2], Now: a.now(),
		Backport: c.Bool(flagBackport), Catalog: c.Bool(flagCatalog),
	}
	if p.Version, err = artifact.ParseVersion(text); err != nil {
		return p, err
	}
	if age := c.String(flagIndexAge); age != "" {
		if p.MaxAge, err = release.ParseDuration(age); err != nil {
			return p, usagef("--%s: %v", flagIndexAge, err)
		}
	}
	if steps := c.String(flagRollout); steps != "" {
		p.Rollout, err = parseSteps(steps)
	}
	return p, err
}

// parseSteps reads steps like 5@0h,25@48h,100@7d: a share in percent and how long
// after the promotion it is reached.
func parseSteps(text string) ([]draft.Step, error) {
	var steps []draft.Step
	for part := range strings.SplitSeq(text, ",") {
		share, after, _ := strings.Cut(part, "@")
		percent, err := strconv.Atoi(strings.TrimSuffix(share, "%"))
		var span release.Duration
		if err == nil && (after == "h" || strings.Trim(after, "0") != "h") { // a duration is never nothing
			span, err = release.ParseDuration(after)
		}
		if err != nil {
			return nil, usagef("--%s: expected steps like 5@0h,25@48h,100@7d, found %q", flagRollout, clip(part))
		}
		steps = append(steps, draft.Step{Percent: percent, After: time.Duration(span)})
	}
	return steps, nil
}
