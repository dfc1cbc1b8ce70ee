package proof_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
)

// vexFor is a VEX document with a statement about the component of osv for each
// vulnerability.
func vexFor(status, at, purl string, names ...string) string {
	var statements []string
	for _, name := range names {
		statements = append(statements, fmt.Sprintf(`{"vulnerability":{"name":%q},"products":[{"@id":%q}],"status":%q,"impact_statement":"nothing is parsed"}`, name, purl, status))
	}
	return `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.com/v","author":"a","timestamp":"` + at + `","version":1,"statements":[` + strings.Join(statements, ",") + `]}`
}

// TestClearedAdvisories: what a VEX statement clears is told, with whose word that
// is; and a publisher's clears nothing that the user's own speaks against.
func TestClearedAdvisories(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	b.rules = []policy.Rule{{Advisories: policy.Deny}}
	advise := func(documents ...string) {
		var docs []*advisory.Document
		for i, text := range documents {
			doc, err := advisory.Parse([]string{"osv.json", "first.json", "second.json"}[i], []byte(text))
			must(t, err)
			docs = append(docs, doc)
		}
		set, err := advisory.NewSet(docs...)
		must(t, err)
		b.config.Advisories = func(context.Context) (*advisory.Set, error) { return set, nil }
	}
	const text = "pkg:golang/golang.org/x/text@v0.30.0"
	told := func(documents ...string) trust.Check {
		t.Helper()
		advise(documents...)
		found, err := b.prove(b.item("hello", "1.4.2"))
		must(t, err)
		return checksOf(found.Evidence, trust.CheckAdvisories)[0]
	}
	cleared := vexFor("not_affected", "2099-01-01T00:00:00Z", text, "GO-2026-1")
	const says = "; cleared: GO-2026-1 in golang.org/x/text v0.30.0, not affected by the word of first.json: nothing is parsed"

	if c := told(osv, cleared); c.Result != trust.Pass || !strings.HasSuffix(c.Found, says) {
		t.Errorf("expected a pass that tells what is cleared, found %+v", c)
	}
	fixed := strings.Replace(vexFor("fixed", "2026-01-01T00:00:00Z", text, "GO-2026-1"), `,"impact_statement":"nothing is parsed"`, "", 1)
	if c := told(osv, fixed); !strings.HasSuffix(c.Found, "v0.30.0, fixed by the word of first.json") {
		t.Errorf("expected no reason where none is given, found %+v", c)
	}
	if c := told(osv, vexFor("fixed", "2026-01-01T00:00:00Z", text, "GO-2026-1", "X-1", "X-2", "X-3", "X-4", "X-5", "X-6")); !strings.HasSuffix(c.Found, "; and 2 more") || strings.Contains(c.Found, "X-5") {
		t.Errorf("expected a few, and the number of the others, found %+v", c)
	}
	if c := told(osv, strings.Replace(cleared, "nothing is parsed", strings.Repeat("x", 300), 1)); len(c.Found) > 300 {
		t.Errorf("expected a long reason to be cut, found %d bytes", len(c.Found))
	}

	advise(osv, vexFor("affected", "2026-01-01T00:00:00Z", text, "GO-2026-1", "X-1"), vexFor("not_affected", "2099-01-01T00:00:00Z", text, "GO-2026-1", "X-2"))
	refusal := b.wantRefusal(b.item("hello", "1.4.2"), policy.IDAdvisories, policy.ErrRefused)
	if c := checksOf(refusal.Evidence, trust.CheckAdvisories)[0]; c.Result != trust.NotChecked || !strings.Contains(c.Found, "GO-2026-1, X-1") ||
		!strings.HasSuffix(c.Found, "; cleared: X-2 in golang.org/x/text v0.30.0, not affected by the word of second.json: nothing is parsed") {
		t.Errorf("expected both, what is affected and what is cleared, found %+v", c)
	}
}
