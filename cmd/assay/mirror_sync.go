package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/mirror"
)

// mostFaults is how many faults of a run are told, but in JSON.
const mostFaults = 10

// errPartial is how a run ends that has left something out, for a reason unknown.
var errPartial = errors.New("some targets are not served")

// errRunFailed is how a run ends that has published nothing, likewise.
var errRunFailed = errors.New("nothing new was published")

func mirrorSyncCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "bring the mirror up to date once",
		ArgsUsage: "[REPO…]",
		Description: "Fetches and proves what all upstreams have published, or those named, then\n" +
			"publishes it. For cron; a daemon that is at work on the same folder does it in\n" +
			"place of this process. The exit code is 0 only if each run was complete; else\n" +
			"it is that of the first fault." +
			examples("assay mirror sync --config mirror.toml", "assay mirror sync acme --dry-run --config mirror.toml"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagDryRun, Usage: "tell what would be fetched, by product and channel"},
			adminTokenFlag(),
		},
		Action: a.mirrorSync,
	}
}

// mirrorRunDoc tells of one run.
type mirrorRunDoc struct {
	mirror.Run
	Error *errorPart `json:"error,omitempty"`
}

func (a *app) mirrorSync(c *cli.Context) (err error) {
	args, err := operands(c, 0, -1)
	if err != nil {
		return err
	}
	cfg, names, err := a.mirrorChosen(c, args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		names = overNetwork(cfg, names)
	}
	switch {
	case len(cfg.Daemon.Upstreams) == 0:
		a.out.talk("no upstream is configured yet; add a table [mirror.upstreams.NAME]")
	case len(names) == 0:
		a.out.talk("no upstream can be asked: all come by `assay mirror import` alone")
	}
	hand, done, err := a.mirrorHand(c, cfg)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, done()) }()
	if c.Bool(flagDryRun) {
		return a.mirrorPlans(c.Context, hand, names)
	}
	docs, changed := []mirrorRunDoc{}, false
	var first error
	for _, name := range names {
		if c.Context.Err() != nil {
			break // the others were not asked for any more
		}
		doc, err := a.mirrorRun(c.Context, hand, name)
		docs, changed = append(docs, doc), changed || doc.Changed
		if first == nil {
			first = err
		}
	}
	err = a.out.result("mirror.sync", struct {
		Changed      bool           `json:"changed"`
		Repositories []mirrorRunDoc `json:"repositories"`
	}{changed, docs})
	if first != nil {
		return &reported{first}
	}
	return err
}

// closing is an error with that of what had to be given back; alone it stays what it
// is, so that what was printed already is not printed again.
func closing(err, after error) error {
	if after == nil {
		return err
	}
	return errors.Join(err, after)
}

// mirrorRun runs a sync and prints what came of it, failure too.
func (a *app) mirrorRun(ctx context.Context, hand mirrorHand, name string) (mirrorRunDoc, error) {
	run, err := hand.Sync(ctx, name)
	if err != nil {
		run.Repository, run.Outcome, run.Reason = name, mirror.Failed, err.Error()
	} else {
		err = runError(run)
	}
	doc := mirrorRunDoc{Run: run}
	a.tellRun(run)
	if err != nil {
		message, row, hint := describe(err)
		doc.Error = &errorPart{row.code, row.name, failedCheck(err), message, hint}
		a.out.fail(naming(name, err))
	}
	return doc, err
}

// naming has an error begin with the repository's name, where it does not yet.
func naming(name string, err error) error {
	if strings.HasPrefix(err.Error(), name+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// runError is why a run is not done; nil if it is. Its exit code is that of the
// first fault, or 20 if nothing is known of that.
func runError(run mirror.Run) error {
	switch {
	case run.Outcome == mirror.Done:
		return nil
	case run.Err != nil:
		return run.Err
	case run.Outcome == mirror.Partial:
		return errPartial
	}
	return errRunFailed
}

func (a *app) tellRun(run mirror.Run) {
	took := run.Took.Round(time.Millisecond).String()
	switch {
	case run.Outcome == mirror.Failed || run.Outcome == mirror.Cancelled:
		a.out.line("%s: %s after %s; what was served before still is", run.Repository, string(run.Outcome), took)
	case !run.Changed && run.Fetched > 0:
		a.out.line("%s: %s, nothing new; %d fetched again (%s) in %s", run.Repository, string(run.Outcome), run.Fetched, bytesText(run.Bytes), took)
	case !run.Changed:
		a.out.line("%s: %s, nothing new", run.Repository, string(run.Outcome))
	default:
		a.out.line("%s: %s, generation %d: %d fetched (%s) in %s", run.Repository, string(run.Outcome), run.Generation, run.Fetched, bytesText(run.Bytes), took)
	}
	if t := run.Targets; t.Carried > 0 && run.Outcome != mirror.Done {
		a.out.line("  %d of %d targets held, %d in quarantine, %d missing", t.Held, t.Carried, t.Quarantined, t.Missing)
	}
	for i, fault := range run.Faults {
		if i == mostFaults {
			a.out.line("  and %d more faults; --json lists them", len(run.Faults)-i)
			break
		}
		what := "is tried again"
		if fault.Quarantined {
			what = "is in quarantine"
		}
		a.out.line("  %s %s: %s", fault.Path, what, fault.Reason)
	}
}

// mirrorPlans prints what runs would fetch.
func (a *app) mirrorPlans(ctx context.Context, hand mirrorHand, names []string) error {
	plans, total := []mirror.Plan{}, int64(0)
	rows := [][]string{}
	for _, name := range names {
		plan, err := hand.Plan(ctx, name)
		if err != nil {
			return naming(name, err)
		}
		if plan.Fetch == nil {
			plan.Fetch = []mirror.PlanGroup{}
		}
		for _, group := range plan.Fetch {
			rows = append(rows, []string{name, orDash(group.Product), orDash(group.Channel), strconv.Itoa(group.Targets), bytesText(group.Bytes)})
		}
		plans, total = append(plans, plan), total+plan.Bytes
	}
	if len(rows) > 0 {
		a.out.table([]string{"REPOSITORY", "PRODUCT", "CHANNEL", "TARGETS", "SIZE"}, rows)
	}
	for _, plan := range plans {
		room := ""
		if plan.Free >= 0 {
			room = "; there is room for " + bytesText(plan.Free)
		}
		if plan.Changed || plan.Targets > 0 {
			a.out.line("%s: %d targets, %s to fetch%s", plan.Repository, plan.Targets, bytesText(plan.Bytes), room)
		} else {
			a.out.line("%s: nothing new%s", plan.Repository, room)
		}
	}
	return a.out.result("mirror.plan", struct {
		Bytes        int64         `json:"bytes"`
		Repositories []mirror.Plan `json:"repositories"`
	}{total, plans})
}
