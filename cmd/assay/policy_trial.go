package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

func policyTestCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "judge what is held by the policy, or by a change to it",
		ArgsUsage: "[FILE]",
		Description: "Judges all that was proven and is still in the cache, by the rules of the\n" +
			"configuration and by what the repositories said when they were last asked. No\n" +
			"request is made, and nothing is remembered.\n\n" +
			"With a FILE of [[policy]] and [[builders]] tables it also judges as if those\n" +
			"stood in the configuration, too, and tells what that would change. A FILE called\n" +
			"assay.toml is judged as a project's: it may have rules, and [tools] that do not\n" +
			"matter here, but no builders, and its rules let no further profile judge.\n\n" +
			"It ends with 18 if anything would be refused. What could not be judged, as a\n" +
			"document is not held, is told and does not count." +
			examples("assay policy test", "assay policy test stricter.toml", "assay policy test stricter.toml --json"),
		Action: a.policyTest,
	}
}

// verdict is how an artifact is judged in a trial.
type verdict string

const (
	accepted verdict = "accepted"
	refused  verdict = "refused"
	unjudged verdict = "unknown" // it could not be judged
)

// ruling is a verdict, and why.
type ruling struct {
	Verdict verdict       `json:"verdict"`
	Reason  string        `json:"reason,omitempty"`
	Checks  []trust.Check `json:"checks,omitempty"` // that fail
}

// trialDoc is the result of policy test.
type trialDoc struct {
	File    string    `json:"file,omitempty"` // of the change that is tried; empty: none is
	Judged  time.Time `json:"judged"`
	NotHeld int       `json:"not_held"` // proven once, and no longer in the cache
	// What becomes of what is held; with a File, by the change.
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
	Unknown  int `json:"unknown"`
	// Of these, what the change changes.
	NewlyRefused  int       `json:"newly_refused"`
	NewlyAccepted int       `json:"newly_accepted"`
	Rules         []ruleDoc `json:"rules"`
	List          []trial   `json:"artifacts"`
}

// trial is one artifact that is held.
type trial struct {
	Repository string           `json:"repository"`
	Target     string           `json:"target"`
	Product    string           `json:"product,omitempty"`
	Version    string           `json:"version,omitempty"`
	Digests    artifact.Digests `json:"digests"`
	Today      ruling           `json:"today"`           // by the configuration
	Tried      *ruling          `json:"tried,omitempty"` // by the change
}

// last is the ruling that counts.
func (t *trial) last() ruling {
	if t.Tried != nil {
		return *t.Tried
	}
	return t.Today
}

func (a *app) policyTest(c *cli.Context) error {
	args, err := operands(c, 0, 1)
	if err != nil {
		return err
	}
	today, err := a.store(c)
	if err != nil {
		return err
	}
	today.config.Offline = true // whatever the flags say
	changed := *today
	doc := trialDoc{Judged: a.now().UTC(), Rules: []ruleDoc{}, List: []trial{}}
	if len(args) > 0 {
		doc.File = args[0]
		if changed.config, err = today.config.WithPolicyFile(a.path(args[0])); err != nil {
			return err
		}
		if len(changed.config.Rules)+len(changed.config.Builders) == len(today.config.Rules)+len(today.config.Builders) {
			a.out.warn("%s has no rules: it changes nothing", args[0])
		}
	}
	for i := range changed.config.Rules {
		doc.Rules = append(doc.Rules, newRuleDoc(changed.config, i))
	}
	if err := a.joinTrial(c, today, &changed, doc.File != ""); err != nil {
		return err
	}
	if err := doc.tryAll(c.Context, today, &changed); err != nil {
		return err
	}
	a.progress.close()
	a.showTrial(&doc)
	if err := a.out.result("policy.test", doc); err != nil || doc.Refused == 0 {
		return err
	}
	err = mark(policy.ErrRefused, fmt.Errorf("%d of %d held artifacts would be refused", doc.Refused, len(doc.List)))
	return withHint(err, "`assay policy show` lists the rules and where they stand; `assay verify --held` judges by what the repositories say today")
}

// joinTrial gives both sessions their clients.
func (a *app) joinTrial(c *cli.Context, today, changed *session, both bool) error {
	agree, err := today.agreement()
	if err != nil {
		return err
	}
	if err := a.join(c, today, agree, nil); err != nil || !both {
		return err
	}
	return a.join(c, changed, agree, nil)
}

// tryAll judges all that is held.
func (d *trialDoc) tryAll(ctx context.Context, today, changed *session) error {
	return eachProven(ctx, today.prover, func(r *proof.Receipt, damaged error) error {
		_, err := today.cache.Get(r.Digests.Primary())
		if errors.Is(err, cache.ErrMissing) {
			d.NotHeld++
			return nil
		}
		if err != nil {
			return err
		}
		t := trial{Repository: r.Repository, Target: r.Target, Product: r.Product, Version: r.Version, Digests: r.Digests}
		if damaged != nil {
			t.Today = newRuling(damaged)
			d.add(t)
			return nil
		}
		if t.Today, err = judgeTrial(ctx, today.client, r); err != nil {
			return err
		}
		if d.File != "" {
			tried, err := judgeTrial(ctx, changed.client, r)
			if err != nil {
				return err
			}
			t.Tried = &tried
		}
		d.add(t)
		return nil
	})
}

func (d *trialDoc) add(t trial) {
	switch before := t.Today.Verdict; t.last().Verdict {
	case accepted:
		d.Accepted++
		if before == refused {
			d.NewlyAccepted++
		}
	case refused:
		d.Refused++
		if before == accepted {
			d.NewlyRefused++
		}
	default:
		d.Unknown++
	}
	d.List = append(d.List, t)
}

// judgeTrial judges an artifact as it would be judged if it were got now, and
// remembers nothing. The error is that the caller gave up.
func judgeTrial(ctx context.Context, client *fetch.Client, r *proof.Receipt) (ruling, error) {
	selection, err := client.SelectTarget(ctx, r.Repository, r.Target)
	if err == nil && !selection.Target.Digests().Agree(r.Digests) {
		return ruling{Verdict: unjudged, Reason: fmt.Sprintf("other bytes are promised under its path now: expected %s, found %s", r.Digests.Primary(), selection.Target.Digests().Primary())}, nil
	}
	if err == nil {
		err = client.Judge(ctx, &selection)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return ruling{}, cause
	}
	return newRuling(err), nil
}

// newRuling tells what an error makes of an artifact.
func newRuling(err error) ruling {
	if err == nil {
		return ruling{Verdict: accepted}
	}
	found := ruling{Verdict: unjudged, Reason: err.Error()}
	for _, kind := range []error{fetch.ErrRevoked, trust.ErrNotApproved, trust.ErrDisagree} {
		if errors.Is(err, kind) {
			found.Verdict = refused
		}
	}
	var refusal *proof.Refusal
	if !errors.As(err, &refusal) {
		return found
	}
	found.Verdict = refused
	var rules *policy.Refusal
	if errors.As(err, &rules) {
		found.Checks = rules.Checks
	} else if check, ok := refusal.Evidence.Failed(); ok {
		found.Checks = []trust.Check{check}
	}
	return found
}

// showTrial lists what is not accepted, or would not be before, and counts.
func (a *app) showTrial(doc *trialDoc) {
	if len(doc.List) == 0 {
		a.out.line("nothing is held: there is nothing to judge")
		return
	}
	named := map[string]bool{} // the rules that refuse
	for _, t := range doc.List {
		last := t.last()
		if last.Verdict == accepted && t.Today.Verdict != refused {
			continue
		}
		what := t.Target
		if t.Product != "" {
			what = t.Product + " " + t.Version + ", " + t.Target
		}
		a.out.line("%s  %s of %s", a.trialMark(&t), what, t.Repository)
		for _, check := range last.Checks {
			a.out.line("  %s", checkText(check))
			if i := strings.LastIndexByte(check.Expected, '('); i >= 0 {
				named[strings.TrimSuffix(check.Expected[i+1:], ")")] = true
			}
		}
		if len(last.Checks) == 0 && last.Reason != "" {
			a.out.line("  %s", last.Reason)
		}
	}
	for _, rule := range doc.Rules {
		if named[rule.Name] {
			a.out.line("%s stands at %s", rule.Name, rule.Origin)
		}
	}
	if doc.File == "" {
		a.out.line("%d held: %d accepted, %d refused, %d could not be judged", len(doc.List), doc.Accepted, doc.Refused, doc.Unknown)
		return
	}
	a.out.line("%d held: %d would be refused that are accepted now, %d are refused already, %d could not be judged, %d stay accepted",
		len(doc.List), doc.NewlyRefused, doc.Refused-doc.NewlyRefused, doc.Unknown, doc.Accepted-doc.NewlyAccepted)
	if doc.NewlyAccepted > 0 {
		a.out.line("%d would be accepted that are refused now: its builders vouch for more", doc.NewlyAccepted)
	}
}

// trialMark says in a word or two what becomes of an artifact.
func (a *app) trialMark(t *trial) styled {
	switch before, last := t.Today.Verdict, t.last().Verdict; {
	case last == unjudged:
		return a.out.style(a.out.stdout, yellow, "could not be judged")
	case last == accepted:
		return a.out.style(a.out.stdout, yellow, "would be accepted")
	case t.Tried == nil:
		return a.out.bad("refused")
	case before == refused:
		return a.out.style(a.out.stdout, yellow, "refused already")
	}
	return a.out.bad("would be refused")
}
