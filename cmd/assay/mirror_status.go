package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/mirror"
	"assay/mirror/counters"
)

// flagReady makes status end with an error if the mirror is not ready.
const flagReady = "ready"

func mirrorStatusCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show how the mirror that is at work stands",
		Description: "Asks the daemon of the configuration. With --ready the exit code is 0 only if\n" +
			"its storage can be read and at least one repository is served." +
			examples("assay mirror status --config mirror.toml", "assay mirror status --ready --quiet --config mirror.toml"),
		Flags:  []cli.Flag{&cli.BoolFlag{Name: flagReady, Usage: "fail if the mirror is not ready"}, adminTokenFlag()},
		Action: a.mirrorStatus,
	}
}

type mirrorStatusDoc struct {
	Ready        bool                  `json:"ready"`
	Reason       string                `json:"reason,omitempty"` // why it is not
	Storage      mirror.StorageStatus  `json:"storage"`
	Repositories []mirror.Status       `json:"repositories"`
	NextExpiries []mirror.Expiry       `json:"next_expiries"`
	Distribution counters.Distribution `json:"distribution"`
}

func (a *app) mirrorStatus(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	cfg, err := a.mirrorConfig(c)
	if err != nil {
		return err
	}
	client, err := mirrorClient(c, cfg)
	if err != nil {
		return err
	}
	doc := mirrorStatusDoc{Ready: true}
	if doc.Repositories, err = client.Statuses(c.Context); err != nil {
		return err
	}
	doc.NextExpiries = mirror.NextExpiries(doc.Repositories)
	if doc.Distribution, err = client.Distribution(c.Context); err != nil {
		return err
	}
	if doc.Storage, err = client.Storage(c.Context); err != nil {
		return err
	}
	ready := client.Ready(c.Context)
	if ready != nil {
		doc.Ready, doc.Reason = false, ready.Error()
	}
	a.tellStatus(doc)
	if err := a.out.result("mirror.status", doc); err != nil || !c.Bool(flagReady) {
		return err
	}
	return ready
}

// tellStatus fits into 80 columns, unless names are long.
func (a *app) tellStatus(doc mirrorStatusDoc) {
	rows := [][]string{}
	for _, s := range doc.Repositories {
		last := "-"
		if s.LastRun != nil {
			last = string(s.LastRun.Outcome)
		}
		state := string(s.State)
		if !s.Serving {
			state += ", not served"
		}
		rows = append(rows, []string{
			s.Repository, string(s.Mode), state, strconv.FormatInt(s.Generation, 10),
			fmt.Sprintf("%d/%d", s.Targets.Held, s.Targets.Carried), bytesText(s.Targets.Bytes), strconv.Itoa(s.Targets.Quarantined), last,
		})
	}
	a.out.table([]string{"REPOSITORY", "MODE", "STATE", "GENERATION", "HELD", "SIZE", "QUARANTINE", "LAST RUN"}, rows)
	if len(doc.NextExpiries) > 0 {
		next := doc.NextExpiries[0]
		a.out.line("next to expire: %s, the %s, %s", next.Repository, next.Role, a.moment(next.Expires))
	}
	for _, e := range doc.NextExpiries {
		if now := a.now(); e.ExpiresSoon(now) && e.Expires.After(now) {
			a.out.line("%s: the %s expires soon, %s", e.Repository, e.Role, a.moment(e.Expires))
		}
	}
	for _, s := range doc.Repositories {
		if !s.Expires.IsZero() {
			a.out.line("%s: metadata expires %s", s.Repository, a.moment(s.Expires))
		}
		if !s.Since.IsZero() {
			a.out.line("%s: %s since %s", s.Repository, goodText(s.Good), a.moment(s.Since))
		}
		if !s.Confirmed.IsZero() {
			a.out.line("%s: confirmed %s", s.Repository, a.moment(s.Confirmed))
		}
		if s.LastRun != nil && s.LastRun.Reason != "" {
			under := "  "
			a.out.line("%s: last run:", s.Repository)
			a.out.hang(styled(under), under, s.LastRun.Reason)
		}
	}
	a.tellDistribution(doc.Distribution)
	text := fmt.Sprintf("storage: %s in %d objects", bytesText(doc.Storage.Used), doc.Storage.Objects)
	if doc.Storage.Quota > 0 {
		text += " of " + bytesText(doc.Storage.Quota)
	}
	if doc.Storage.Free >= 0 {
		text += ", room for " + bytesText(doc.Storage.Free)
	}
	a.out.line("%s", text)
	scrub := doc.Storage.Scrub
	a.out.line("scrub: last ended %s", a.moment(scrub.Ended))
	a.out.line("scrub: %d objects checked, %d damaged, %d of them fetched again", scrub.Checked, scrub.Damaged, scrub.Healed)
	if !doc.Ready {
		a.out.line("not ready: %s", doc.Reason)
	}
}

// mostReleases is how many products and channels are told of, but in JSON: those that
// were asked for most.
const mostReleases = 10

// tellDistribution prints what readers have got, if they have asked for anything.
func (a *app) tellDistribution(d counters.Distribution) {
	releases := slices.DeleteFunc(slices.Clone(d.Releases), func(f counters.Figures) bool { return f.Requests == 0 })
	slices.SortStableFunc(releases, func(x, y counters.Figures) int { return cmp.Compare(y.Requests, x.Requests) })
	rows := [][]string{}
	for _, f := range d.Repositories {
		if f.Requests > 0 {
			rows = append(rows, figuresRow(cmp.Or(f.Repository, "(none)"), f))
		}
	}
	for _, f := range releases[:min(mostReleases, len(releases))] {
		rows = append(rows, figuresRow("  "+f.Repository+" "+strings.TrimSpace(f.Product+" "+f.Channel), f))
	}
	if len(rows) == 0 {
		return
	}
	a.out.table([]string{"READERS GOT", "REQUESTS", "BYTES", "P50", "P90", "P99", "ERRORS"}, rows)
	if more := len(releases) - mostReleases; more > 0 {
		a.out.line("and %d more products and channels; --json has them", more)
	}
}

func figuresRow(what string, f counters.Figures) []string {
	var errs []string
	for _, kind := range []string{"error", "cut", "unavailable", "not_found", "refused", "unauthorized", "limited"} {
		if n := f.Results[kind]; n > 0 {
			errs = append(errs, fmt.Sprintf("%d %s", n, strings.ReplaceAll(kind, "_", " ")))
		}
	}
	return []string{
		what, strconv.FormatInt(f.Requests, 10), bytesText(f.Bytes), secondsText(f.Latency.P50), secondsText(f.Latency.P90), secondsText(f.Latency.P99),
		orDash(strings.Join(errs, ", ")),
	}
}

// secondsText is a latency to a tenth of a millisecond.
func secondsText(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Microsecond).String()
}

func goodText(good bool) string {
	if good {
		return "good"
	}
	return "not good"
}
