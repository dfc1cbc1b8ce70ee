package main

import (
	"fmt"
	"strconv"

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
			fmt.Sprintf("%d/%d", s.Targets.Held, s.Targets.Carried), bytesText(s.Targets.Bytes), strconv.Itoa(s.Targets.Quarantined), last, a.moment(s.Confirmed),
		})
	}
	a.out.table([]string{"REPOSITORY", "MODE", "STATE", "GENERATION", "HELD", "SIZE", "QUARANTINE", "LAST RUN", "CONFIRMED"}, rows)
	if len(doc.NextExpiries) > 0 {
		next := doc.NextExpiries[0]
		a.out.line("next to expire: %s, the %s, %s", next.Repository, next.Role, a.moment(next.Expires))
	}
	for _, s := range doc.Repositories {
		if !s.Expires.IsZero() {
			a.out.line("%s: metadata expires %s", s.Repository, a.moment(s.Expires))
		}
		if !s.Since.IsZero() {
			a.out.line("%s: %s since %s", s.Repository, goodText(s.Good), a.moment(s.Since))
		}
		if s.LastRun != nil && s.LastRun.Reason != "" {
			a.out.line("%s: last run: %s", s.Repository, s.LastRun.Reason)
		}
	}
	text := fmt.Sprintf("storage: %s in %d objects", bytesText(doc.Storage.Used), doc.Storage.Objects)
	if doc.Storage.Quota > 0 {
		text += " of " + bytesText(doc.Storage.Quota)
	}
	if doc.Storage.Free >= 0 {
		text += ", room for " + bytesText(doc.Storage.Free)
	}
	a.out.line("%s", text)
	scrub := doc.Storage.Scrub
	a.out.line("scrub: last ended %s, %d objects checked, %d damaged, %d of them fetched again", a.moment(scrub.Ended), scrub.Checked, scrub.Damaged, scrub.Healed)
	if !doc.Ready {
		a.out.line("not ready: %s", doc.Reason)
	}
}

func goodText(good bool) string {
	if good {
		return "good"
	}
	return "not good"
}
