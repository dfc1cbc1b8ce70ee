package policy

import (
	"fmt"
	"strings"
	"time"

	"assay/trust"
)

// judgement is one call of Judge.
type judgement struct {
	*Subject
	policy  *Policy
	now     time.Time
	matched []*rule
	told    map[*rule]map[string]outcome // see build
}

// requirement is what a rule may demand under one id of a check.
type requirement struct {
	id string
	// ask gives the outcomes for a rule; none: the rule does not demand it.
	ask func(*judgement, *rule) []outcome
}

// outcome is how a demand ended.
type outcome struct {
	ok              bool
	unchecked       bool // it could not be told, and the rule does not mind
	expected, found string
	why             string
}

// requirements stand in the order in which Judge tells of them.
func requirements() []requirement {
	return []requirement{
		{IDRequire, (*judgement).require},
		{IDSigners, (*judgement).signers},
		{IDBuilder, func(j *judgement, r *rule) []outcome { return j.build(r, IDBuilder) }},
		{IDSource, func(j *judgement, r *rule) []outcome { return j.build(r, IDSource) }},
		{IDRef, func(j *judgement, r *rule) []outcome { return j.build(r, IDRef) }},
		{IDSLSA, func(j *judgement, r *rule) []outcome { return j.build(r, IDSLSA) }},
		{IDRebuilders, (*judgement).rebuilders},
		{IDLicenses, (*judgement).licenses},
		{IDComponents, (*judgement).components},
		{IDAdvisories, (*judgement).advisories},
		{IDAge, (*judgement).ages},
		{IDStatus, (*judgement).status},
	}
}

// Judge makes a check of everything that the rules for a subject demand, each
// rule by itself, at the time now. What no rule demands is not checked, and says
// so; where no rule applies, there is one check, IDPolicy. The error is a Refusal
// with the checks that fail, which are among the others, too.
func (p *Policy) Judge(s Subject, now time.Time) ([]trust.Check, error) {
	j := &judgement{Subject: &s, policy: p, now: now, matched: p.match(s.Repository, s.Product, s.Channel), told: map[*rule]map[string]outcome{}}
	if len(j.matched) == 0 {
		return []trust.Check{{ID: IDPolicy, Result: trust.NotChecked, Why: "no rule applies"}}, nil
	}
	var checks, failing []trust.Check
	for _, requirement := range requirements() {
		asked := false
		for _, r := range j.matched {
			for _, o := range requirement.ask(j, r) {
				check := o.check(requirement.id, r)
				if asked = true; check.Result == trust.Fail {
					failing = append(failing, check)
				}
				checks = append(checks, check)
			}
		}
		if !asked {
			checks = append(checks, trust.Check{ID: requirement.id, Result: trust.NotChecked, Why: "no rule asks for it"})
		}
	}
	if len(failing) > 0 {
		return checks, &Refusal{Checks: failing}
	}
	return checks, nil
}

func (o outcome) check(id string, r *rule) trust.Check {
	result := trust.Fail
	switch {
	case o.unchecked:
		result = trust.NotChecked
	case o.ok:
		result = trust.Pass
	}
	return trust.Check{ID: id, Result: result, Expected: fmt.Sprintf("%s (%s)", o.expected, ruleName(r.index)), Found: o.found, Why: o.why}
}

// require is one outcome for each kind of proof.
func (j *judgement) require(r *rule) []outcome {
	var outcomes []outcome
	for _, kind := range r.Require {
		o := outcome{ok: j.has(kind), expected: string(kind), found: "none"}
		switch {
		case kind == KindAgreement && len(j.Agreed) > 0:
			o.found = "promised by " + several(distinct(j.Agreed))
		case kind == KindSBOM && o.ok:
			o.found = fmt.Sprintf("a bill of materials with %d components", len(j.Components))
		case kind == KindSBOM && len(j.Components) > 0:
			o.found = "components that only the manifest claims"
		case kind == KindSignature && o.ok:
			o.ok, o.found = j.signedBy(r, j.pick(func(*Signature) bool { return true }))
		case kind == KindProvenance && o.ok:
			o.ok, o.found = j.signedBy(r, j.builds())
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

func (j *judgement) status(r *rule) []outcome {
	if r.Statuses == nil {
		return nil
	}
	o := outcome{expected: "status " + strings.Join(r.Statuses, " or "), found: "no status: it is in no channel"}
	if j.Status != "" {
		o.found = quote(j.Status)
	}
	for _, status := range r.Statuses {
		o.ok = o.ok || status == j.Status
	}
	return []outcome{o}
}

// skew is how far ahead of this clock an honest publisher's may be.
const skew = time.Hour

const atLeast, atMost = "at least", "at most"

// IsTooOld reports whether a check failed because too much time has gone by since
// the release was published or built, and not because too little has.
func IsTooOld(c trust.Check) bool {
	return c.ID == IDAge && c.Result == trust.Fail && strings.Contains(c.Expected, " "+atMost+" ")
}

// IsTooYoung reports whether a check failed because too little time has gone by since
// the release was published or signed, so that it may pass another day.
func IsTooYoung(c trust.Check) bool {
	return c.ID == IDAge && c.Result == trust.Fail && strings.Contains(c.Expected, " "+atLeast+" ")
}

func (j *judgement) ages(r *rule) []outcome {
	var outcomes []outcome
	if r.MinAge != nil {
		outcomes = append(outcomes, j.age("published", j.Published, atLeast, *r.MinAge))
		// A publisher may claim any date; whoever signed these bytes had them.
		if !j.Observed.IsZero() {
			outcomes = append(outcomes, j.age("signed", j.Observed, atLeast, *r.MinAge))
		}
	}
	if r.MaxAge != nil {
		outcomes = append(outcomes, j.age("published", j.Published, atMost, *r.MaxAge))
	}
	if r.MaxBuildAge != nil {
		built := j.Built
		if !built.IsZero() && !j.Observed.IsZero() && j.Observed.Before(built) {
			built = j.Observed // what was signed then had been built by then
		}
		outcomes = append(outcomes, j.age("built", built, atMost, *r.MaxBuildAge))
	}
	return outcomes
}

// age judges a date. One in the future would stay young for as long as its
// publisher likes, so it fails.
func (j *judgement) age(what string, at time.Time, bound string, limit Span) outcome {
	o := outcome{expected: fmt.Sprintf("%s %s %s ago", what, bound, limit)}
	age := j.now.Sub(at)
	switch {
	case at.IsZero():
		o.found = "no date"
	case age < -skew:
		o.found = stamp(at) + ", which is in the future"
	case bound == atLeast:
		o.ok = age >= time.Duration(limit)
	default:
		o.ok = age <= time.Duration(limit)
	}
	if o.found == "" {
		o.found = stamp(at) + ", " + agoText(age, !o.ok && bound == atMost)
	}
	return o
}

// agoText cuts a time to whole days from two days on, else to hours, minutes or
// seconds alike. What is too old is more than that, lest it read as if it were
// not.
func agoText(age time.Duration, tooOld bool) string {
	const day = 24 * time.Hour
	unit := time.Second
	for _, larger := range []time.Duration{time.Minute, time.Hour, day} {
		if age >= 2*larger {
			unit = larger
		}
	}
	text := Span(age.Truncate(unit)).String() + " ago"
	switch {
	case age < unit: // or just ahead of this clock
		return "just now"
	case tooOld:
		return "more than " + text
	}
	return text
}
