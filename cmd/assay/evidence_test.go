package main

import (
	"strings"
	"testing"
	"time"

	"assay/trust"
)

func testClock() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

func TestSignedBy(t *testing.T) {
	e := signedEvidence()
	right, other := e.Signatures[0].Signer, e.Signatures[1].Signer
	e.Signatures[0].Signed = testClock()
	const nobody = "; nobody here says whether that is the right one"
	for name, test := range map[string]struct {
		checks []trust.Check
		signer string
		want   string
	}{
		"by a rule":   {e.Checks, right, right + ", vouched for by https://accounts.example, 2026-03-04, log index 20 and 24"},
		"a stranger":  {e.Checks, other, other + "; no rule here accepts that signer"},
		"no rules":    {e.Checks[3:4], other, other + nobody},
		"none at all": {nil, other, other + nobody},
		"all refused": {[]trust.Check{{ID: trust.CheckIdentity, Result: trust.Fail, Expected: "x", Found: other}}, other, other + "; no rule here accepts that signer"},
		"not reached": {[]trust.Check{{ID: trust.CheckIdentity, Result: trust.NotChecked, Why: "it was refused before"}}, other, other + nobody},
		"of another":  {[]trust.Check{{ID: trust.CheckIdentity, Result: trust.Pass, Of: "hello/1/b.sigstore.json"}}, right, right + ", vouched for by https://accounts.example, 2026-03-04, log index 20 and 24; no rule here accepts that signer"},
	} {
		asked := *e
		asked.Checks = test.checks
		if got := signatureText(&asked, test.signer); got != test.want {
			t.Errorf("%s: expected %q, found %q", name, test.want, got)
		}
	}
}

func TestListed(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "1": {"1"}, "1 and 2": {"1", "2"}, "1, 2 and 3": {"1", "2", "3"}} {
		if got := listed(words); got != want {
			t.Errorf("expected %q, found %q", want, got)
		}
	}
}

func TestKnownFaults(t *testing.T) {
	e := &trust.Evidence{}
	e.Add(trust.Check{ID: trust.CheckAdvisories, Result: trust.NotChecked, Found: "1 in 3 components: GO-2026-1", Why: "they are for policy to judge"})
	if text := explained(e, 0); !strings.Contains(text, "\n  known faults 1 in 3 components: GO-2026-1\n") {
		t.Errorf("expected a line of the known faults, found:\n%s", text)
	}
	for name, check := range map[string]trust.Check{
		"none":             {ID: trust.CheckAdvisories, Result: trust.Pass, Found: "none of 3"},
		"nothing is known": {ID: trust.CheckAdvisories, Result: trust.NotChecked, Why: "no components are known"},
	} {
		if text := explained(&trust.Evidence{Checks: []trust.Check{check}}, 0); strings.Contains(text, "known faults") {
			t.Errorf("%s: expected no line of known faults, found:\n%s", name, text)
		}
	}
}

func TestCheckText(t *testing.T) {
	for want, check := range map[string]trust.Check{
		"policy.require: provenance (policy.1): by it": {ID: "policy.require", Result: trust.Pass, Expected: "provenance (policy.1)", Found: "by it"},
		"bytes.length: 3 bytes":                        {ID: trust.CheckLength, Result: trust.Pass, Expected: "3 bytes", Found: "the same"},
		"signature a: signed":                          {ID: trust.CheckSignature, Result: trust.Pass, Of: "x/a", Expected: "accepted", Found: "signed"},
		"policy.age: expected old (policy.1); found 1": {ID: "policy.age", Result: trust.Fail, Expected: "old (policy.1)", Found: "1"},
		"policy: no rule applies":                      {ID: "policy", Result: trust.NotChecked, Why: "no rule applies"},
	} {
		if got := checkText(check); got != want {
			t.Errorf("expected %q, found %q", want, got)
		}
	}
}
