package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/artifact/release"
	"assay/fetch"
	"assay/fetch/install"
)

const flagExitCode = "exit-code"

// errOutdated says that there is something for upgrade to do.
var errOutdated = errors.New("there are upgrades to install, or releases that are revoked")

func outdatedCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "outdated",
		Usage:     "tell which installed products have newer releases",
		ArgsUsage: "[[REPO:]PRODUCT…]",
		Description: "Tells of all installed products, or of those that are named, what their request\n" +
			"would choose today, how many releases lie between, how many days ago the\n" +
			"installed one was published, what its publisher says of it, and when its channel\n" +
			"ends. It installs nothing. With --offline it goes by what is held." +
			examples(
				"assay outdated",
				"assay outdated --exit-code    4 if there is something to upgrade, or revoked",
				"assay outdated --json --offline"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagExitCode, Usage: "exit with 4 if something is to be upgraded, or is revoked"},
		},
		Action: func(c *cli.Context) error { return a.outdated(c) },
	}
}

// outdatedItem tells of one installed product.
type outdatedItem struct {
	Repository string         `json:"repository"`
	Product    string         `json:"product"`
	Version    string         `json:"version"` // that is installed
	Request    string         `json:"request"`
	Held       bool           `json:"held"`
	Newest     string         `json:"newest,omitempty"` // what would be chosen; empty: nothing
	Upgrade    bool           `json:"upgrade"`          // `assay upgrade` would install it
	Behind     int            `json:"behind"`           // releases between the two
	Published  time.Time      `json:"published,omitzero"`
	Days       int            `json:"days"`             // since then, -1: not known
	Status     string         `json:"status,omitempty"` // of what is installed; empty: no channel lists it
	Reason     string         `json:"reason,omitempty"`
	Advisory   string         `json:"advisory,omitempty"`
	Channel    string         `json:"channel,omitempty"` // that is chosen from
	EndOfLife  time.Time      `json:"end_of_life,omitzero"`
	Passed     []fetch.Passed `json:"passed,omitempty"`  // newer ones that may be chosen another day
	Checked    time.Time      `json:"checked,omitzero"`  // when the repository last confirmed all that
	Offline    bool           `json:"offline,omitempty"` // it was not asked just now
	Error      *errorPart     `json:"error,omitempty"`   // why nothing is chosen
}

type outdatedDoc struct {
	Items []outdatedItem `json:"items"`
}

func (a *app) outdated(c *cli.Context) error {
	args, err := operands(c, 0, -1)
	if err != nil {
		return err
	}
	for _, text := range args {
		if strings.Contains(text, "@") {
			return usagef("expected [REPO:]PRODUCT, found %q", clip(text))
		}
	}
	s, err := a.asking(c)
	if err != nil {
		return err
	}
	store, err := a.installer(s)
	if err != nil {
		return err
	}
	steps, err := lookAt(store, args)
	if err != nil {
		return err
	}
	doc := outdatedDoc{Items: make([]outdatedItem, len(steps))}
	var all sync.WaitGroup
	for i, t := range steps {
		all.Go(func() { doc.Items[i] = a.outlookOf(c, s, t) })
	}
	all.Wait()
	a.progress.close()
	if err := context.Cause(c.Context); err != nil {
		return err
	}
	a.tellOutdated(doc)
	if err := a.out.result("outdated", doc); err != nil {
		return err
	}
	for _, t := range steps {
		if t.err != nil {
			return fmt.Errorf("%s: %w", t.name.Product, t.err)
		}
	}
	due := slices.ContainsFunc(doc.Items, func(item outdatedItem) bool { return item.Upgrade || item.Status == string(release.StatusRevoked) })
	if c.Bool(flagExitCode) && due {
		return &reported{errOutdated}
	}
	return nil
}

// outlookOf finds out how a product stands.
func (a *app) outlookOf(c *cli.Context, s *session, t *upgrading) outdatedItem {
	item := outdatedItem{Repository: t.name.Repository, Product: t.name.Product, Version: t.before.Version, Request: t.request, Held: t.frozen, Days: -1}
	if t.err != nil {
		item.Error = partOf(t.err)
		return item
	}
	if item.Published = t.before.Published; !item.Published.IsZero() {
		item.Days = max(0, int(a.now().Sub(item.Published)/(24*time.Hour)))
	}
	t.platform = t.before.Platform
	version, err := artifact.ParseVersion(t.before.Version)
	var o fetch.Outlook
	if err == nil {
		o, err = s.client.Outlook(c.Context, t.fetchRequest(c, s), t.installed(version))
	}
	if err != nil {
		t.err = err
		item.Error = partOf(err)
		return item
	}
	item.Behind, item.Status, item.Reason, item.Advisory = o.Behind, string(o.Status), o.Reason, o.Advisory
	item.Channel, item.EndOfLife, item.Passed, item.Checked, item.Offline = o.Channel, o.EndOfLife, o.Passed, o.Checked, !o.Fresh
	if o.Err != nil {
		item.Error = partOf(o.Err)
		if o.Status != release.StatusRevoked || !errors.Is(o.Err, fetch.ErrRevoked) {
			t.err = o.Err
		} // else that is the answer: it is revoked, and nothing takes its place
		return item
	}
	item.Newest = o.Newest.String()
	order := o.Newest.Compare(version)
	item.Upgrade = !t.frozen && (order > 0 || order < 0 && o.Status == release.StatusRevoked)
	return item
}

// tellOutdated prints the table, and what does not fit into it.
func (a *app) tellOutdated(doc outdatedDoc) {
	var rows [][]string
	told := map[string]bool{}
	var names []install.Name
	for _, item := range doc.Items {
		names = append(names, install.Name{Repository: item.Repository, Product: item.Product})
	}
	for i, item := range doc.Items {
		rows = append(rows, []string{
			titleAmong(names, names[i]), orDash(item.Version), orDash(item.Newest), behindText(item), daysText(item.Days), statusText(item), dateOr(item.EndOfLife, "-"), outdatedNote(item),
		})
		if item.Offline && !item.Checked.IsZero() && !told[item.Repository] {
			told[item.Repository] = true
			a.out.talk("%s was not asked: this is what it said at %s", item.Repository, item.Checked.UTC().Format(time.RFC3339))
		}
		if item.Status == string(release.StatusRevoked) {
			a.out.warn("%s", strings.TrimSuffix(fmt.Sprintf("%s %s is revoked: %s", item.Product, item.Version, item.Reason), ": "))
		}
	}
	if len(rows) == 0 {
		a.out.talk("nothing is installed")
		return
	}
	below := a.notesBelow(outdatedHead, rows)
	a.out.table(outdatedHead, rows)
	for _, line := range below {
		a.out.line("  %s", line)
	}
}

var outdatedHead = []string{"PRODUCT", "INSTALLED", "NEWEST", "BEHIND", "DAYS", "STATUS", "ENDS", "NOTE"}

// notesBelow takes the notes, which stand last in each row, out of a table that is
// wider by them than the terminal, lest they be cut.
func (a *app) notesBelow(head []string, rows [][]string) (below []string) {
	total := -2
	for _, width := range widthsOf(append([][]string{head}, rows...)) {
		total += width + 2
	}
	if width := a.out.width(); width == 0 || total <= width {
		return nil
	}
	for _, row := range rows {
		last := len(row) - 1
		if row[last] != "" {
			below = append(below, row[0]+": "+row[last])
			row[last] = ""
		}
	}
	return below
}

// statusText makes what must be seen stand out.
func statusText(item outdatedItem) string {
	switch {
	case item.Status == "" && item.Error != nil:
		return "-" // nobody could be asked, or the record is damaged
	case item.Status == "":
		return "not listed"
	case item.Status == string(release.StatusRevoked):
		return "revoked!"
	}
	return item.Status
}

func behindText(item outdatedItem) string {
	if item.Newest == "" {
		return "-"
	}
	return strconv.Itoa(item.Behind)
}

func daysText(days int) string {
	if days < 0 {
		return "-"
	}
	return strconv.Itoa(days)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// outdatedNote says what else there is to know of a product, in few words.
func outdatedNote(item outdatedItem) string {
	var notes []string
	if item.Held {
		notes = append(notes, "held")
	}
	for _, passed := range item.Passed {
		notes = append(notes, passedNote(passed))
	}
	switch {
	case item.Error != nil && item.Error.Name == item.Status:
		notes = append(notes, "nothing takes its place")
	case item.Error != nil:
		notes = append(notes, item.Error.Name)
	}
	return strings.Join(notes, "; ")
}

// passedNote says why a newer release is not chosen today.
func passedNote(passed fetch.Passed) string {
	switch passed.Kind {
	case fetch.PassedRollout:
		when := ""
		if !passed.Reaches.IsZero() {
			when = "; this machine " + passed.Reaches.UTC().Format(time.DateOnly)
		}
		return fmt.Sprintf("%s waiting for rollout (%d%% reached%s)", passed.Version, passed.Percent, when)
	case fetch.PassedApproval:
		return passed.Version.String() + " not approved yet"
	}
	return passed.Version.String() + " too young by policy (min_age)"
}
