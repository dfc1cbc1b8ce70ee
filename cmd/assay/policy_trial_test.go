package main

import (
	"fmt"
	"slices"
	"testing"

	"assay/fetch"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// What refuses an artifact is told from what keeps it from being judged.
func TestNewRuling(t *testing.T) {
	rule := trust.Check{ID: policy.IDAge, Result: trust.Fail}
	bundle := trust.Check{ID: trust.CheckSignature, Result: trust.Fail}
	evidence := &trust.Evidence{Checks: []trust.Check{{ID: trust.CheckPromise, Result: trust.Pass}, bundle}}
	for name, test := range map[string]struct {
		err    error
		want   verdict
		checks []trust.Check
	}{
		"nothing":      {nil, accepted, nil},
		"rules":        {&proof.Refusal{Evidence: evidence, Err: &policy.Refusal{Checks: []trust.Check{rule, rule}}}, refused, []trust.Check{rule, rule}},
		"a signature":  {&proof.Refusal{Evidence: evidence, Err: proof.ErrIdentity}, refused, []trust.Check{bundle}},
		"no check":     {&proof.Refusal{Evidence: &trust.Evidence{}, Err: proof.ErrDocument}, refused, nil},
		"revoked":      {fmt.Errorf("x: %w", fetch.ErrRevoked), refused, nil},
		"not approved": {fmt.Errorf("x: %w", trust.ErrNotApproved), refused, nil},
		"disagreed":    {fmt.Errorf("x: %w", trust.ErrDisagree), refused, nil},
		"not held":     {fmt.Errorf("x: %w", trust.ErrNotHeld), unjudged, nil},
		"withdrawn":    {fmt.Errorf("x: %w", trust.ErrNoTarget), unjudged, nil},
		"no profile":   {fmt.Errorf("x: %w", proof.ErrConfig), unjudged, nil},
	} {
		got := newRuling(test.err)
		if got.Verdict != test.want || !slices.Equal(got.Checks, test.checks) || (test.err != nil) != (got.Reason != "") {
			t.Errorf("%s: expected %s and %v, found %+v", name, test.want, test.checks, got)
		}
	}
}

// What a change changes is counted apart from what is so already.
func TestTrialCounts(t *testing.T) {
	var doc trialDoc
	for _, today := range []verdict{accepted, refused, unjudged} {
		for _, tried := range []verdict{accepted, refused, unjudged} {
			doc.add(trial{Today: ruling{Verdict: today}, Tried: &ruling{Verdict: tried}})
		}
	}
	if doc.Accepted != 3 || doc.Refused != 3 || doc.Unknown != 3 || doc.NewlyRefused != 1 || doc.NewlyAccepted != 1 || len(doc.List) != 9 {
		t.Errorf("found %+v", doc)
	}
}
