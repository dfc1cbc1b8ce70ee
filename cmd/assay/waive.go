package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache/audit"
	"assay/trust/policy"
	"assay/trust/proof"
)

const (
	flagReason = "reason"
	flagList   = "list"
)

func waiveCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "waive",
		Usage:     "accept one artifact in spite of weaker proof",
		ArgsUsage: "sha256:HEX | FILE | --list",
		Description: "A newer version that lacks a kind of proof which an older one had is refused\n" +
			"(19). A waiver lets one artifact pass all the same, by its digest, until a date\n" +
			"at most 90 days ahead. It helps against nothing else: signatures, digests,\n" +
			"revocation and the rules of the policy go on counting, and so does what the next\n" +
			"version lacks. Another waiver for the digest replaces it. It is written into the\n" +
			"audit log, with who and why.\n\n" +
			"A DATE is like 2026-03-04 or 2026-03-04T05:06:07Z, in UTC, and leaves that\n" +
			"moment out; or it is how long from now, like 12h or 30d." +
			examples(
				"assay waive sha256:HEX --reason 'signing was down, see #12' --until 7d",
				"assay waive ./hello.tgz --reason 'asked the publisher' --until 2026-03-04",
				"assay waive --list"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagReason, Usage: "why, in one line of `TEXT`"},
			&cli.StringFlag{Name: flagUntil, Usage: "when it ends: a `DATE`, or a duration from now"},
			&cli.BoolFlag{Name: flagList, Usage: "list all waivers, those that have ended too"},
		},
		Action: a.waive,
	}
}

type waiveDoc struct {
	Changed bool `json:"changed"`
	waiverDoc
}

type waiversDoc struct {
	Waivers []waiverDoc `json:"waivers"`
}

type waiverDoc struct {
	policy.Waiver
	Ended bool `json:"ended"`
	// Of are the artifacts that were judged here and have the digest.
	Of []waivedDoc `json:"of"`
}

type waivedDoc struct {
	Repository string `json:"repository"`
	Target     string `json:"target"`
}

func (a *app) waive(c *cli.Context) error {
	if c.Bool(flagList) {
		if _, err := operands(c, 0, 0); err != nil {
			return err
		}
		if c.IsSet(flagReason) || c.IsSet(flagUntil) {
			return usagef("--list waives nothing: expected it without --%s and --%s", flagReason, flagUntil)
		}
		return a.waiveList(c)
	}
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	now := a.now().UTC()
	reason := strings.TrimSpace(c.String(flagReason))
	if reason == "" {
		return usagef("--%s: expected why this artifact is accepted, found nothing", flagReason)
	}
	until, err := parseUntil(c.String(flagUntil), now)
	if err != nil {
		return err
	}
	s, err := a.bareStore(c)
	if err != nil {
		return err
	}
	prover, err := a.prover(s)
	if err != nil {
		return err
	}
	names, err := prover.ReceiptNames(c.Context)
	if err != nil {
		return err
	}
	digest, err := a.waivedDigest(c.Context, args[0], names)
	if err != nil {
		return err
	}
	writer, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	waiver, err := policy.NewMemory(s.state.Proofs()).Waive(c.Context, digest, reason, until, userName(), now)
	if err != nil {
		return err
	}
	entry := audit.Entry{
		Action: audit.Waive, Outcome: audit.Done, Subject: audit.Subject{Digest: digest},
		Detail: fmt.Sprintf("until %s: %s", waiver.Until.Format(time.RFC3339), waiver.Reason),
	}
	doc := waiveDoc{Changed: true, waiverDoc: newWaiverDoc(waiver, names, now)}
	if len(doc.Of) == 1 {
		entry.Subject.Repository, entry.Subject.Target = doc.Of[0].Repository, doc.Of[0].Target
	}
	noted := writer.note(c.Context, entry)
	a.tellWaived(&doc)
	return errors.Join(noted, a.out.result("waive", doc))
}

func (a *app) tellWaived(doc *waiveDoc) {
	if len(doc.Of) == 0 {
		a.out.warn("%s: nothing with this digest was judged on this machine; compare it with what was refused", doc.Digest)
	}
	a.out.line("%s: waived until %s", doc.Digest, a.moment(doc.Until))
	for _, of := range doc.Of {
		a.out.line("  %s of %s", of.Target, of.Repository)
	}
	a.out.talk("this helps against \"weaker proof than before\" (19) for this one artifact, and against nothing else")
}

// parseUntil reads when a waiver ends: a duration from now, or a date.
func parseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, usagef("--%s: expected when the waiver ends, a date like 2026-03-04 or a duration like 30d, found nothing", flagUntil)
	}
	until, err := parseDate(text)
	if span, no := policy.ParseSpan(text); no == nil {
		until, err = now.Add(time.Duration(span)), nil
	}
	if err != nil {
		return time.Time{}, usagef("--%s: expected a date like 2026-03-04 or 2026-03-04T05:06:07Z, or a duration like 30d, found %q", flagUntil, clip(text))
	}
	if !until.After(now) {
		return time.Time{}, usagef("--%s: expected a time after %s, which is now, found %s", flagUntil, now.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	return until, nil
}

// waivedDigest is the digest that an argument names, or that of its file. A file
// has one by each algorithm: the one that it was judged by is taken, else sha256.
func (a *app) waivedDigest(ctx context.Context, arg string, judged []proof.ReceiptName) (artifact.Digest, error) {
	if digest, err := artifact.ParseDigest(arg); err == nil {
		return digest, nil
	} else if strings.HasPrefix(arg, "sha256:") || strings.HasPrefix(arg, "sha512:") {
		return artifact.Digest{}, err
	}
	_, digests, err := hashWhole(ctx, a.path(arg))
	if err != nil {
		return artifact.Digest{}, err
	}
	for _, digest := range digests {
		if slices.ContainsFunc(judged, func(n proof.ReceiptName) bool { return n.Digest == digest }) {
			return digest, nil
		}
	}
	return digests.Primary(), nil
}

func newWaiverDoc(w policy.Waiver, judged []proof.ReceiptName, now time.Time) waiverDoc {
	doc := waiverDoc{Waiver: w, Ended: w.Ended(now), Of: []waivedDoc{}}
	for _, n := range judged {
		if n.Digest == w.Digest {
			doc.Of = append(doc.Of, waivedDoc{n.Repository, n.Target})
		}
	}
	return doc
}

func (a *app) waiveList(c *cli.Context) error {
	s, err := a.bareStore(c)
	if err != nil {
		return err
	}
	prover, err := a.prover(s)
	if err != nil {
		return err
	}
	names, err := prover.ReceiptNames(c.Context)
	if err != nil {
		return err
	}
	waivers, err := policy.NewMemory(s.state.Proofs()).Waivers(c.Context)
	if err != nil {
		return err
	}
	doc, rows := waiversDoc{Waivers: []waiverDoc{}}, [][]string{}
	for _, w := range waivers {
		each := newWaiverDoc(w, names, a.now())
		doc.Waivers = append(doc.Waivers, each)
		state := "in force"
		if each.Ended {
			state = "ended"
		}
		rows = append(rows, []string{w.Digest.String(), state, w.Until.Format("2006-01-02 15:04:05Z"), w.By, w.Reason})
	}
	if len(rows) == 0 {
		a.out.talk("nothing was waived")
	} else {
		a.out.table([]string{"DIGEST", "STATE", "UNTIL", "BY", "REASON"}, rows)
	}
	return a.out.result("waive.list", doc)
}
