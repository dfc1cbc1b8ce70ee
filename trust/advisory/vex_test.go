package advisory

import (
	"fmt"
	"strings"
	"testing"

	"assay/trust/sbom"
)

// vexOf makes an OpenVEX document of statements.
func vexOf(statements ...string) string {
	return `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.com/v","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[` +
		strings.Join(statements, ",") + `]}`
}

// says makes a statement about CVE-2022-32149.
func says(products, status, more string) string {
	return fmt.Sprintf(`{"vulnerability":{"name":"CVE-2022-32149"},"products":[%s],"status":%q%s}`, products, status, more)
}

const (
	helloText = `{"@id":"pkg:generic/hello@1.4.2","subcomponents":[{"@id":"pkg:golang/golang.org/x/text@v0.3.7"}]}`
	helloAll  = `{"@id":"pkg:generic/hello"}`
	because   = `,"justification":"vulnerable_code_not_present"`
)

// TestStatementsOverride says when a statement counts against a record that
// calls golang.org/x/text v0.3.7 affected.
func TestStatementsOverride(t *testing.T) {
	for _, c := range []struct {
		name, document string
		want           string // states, with the reason of what is not affected by itself
	}{
		{"none", vexOf(), "affected"},
		{"the example", vexDocument, "not affected: vulnerable_code_not_in_execute_path: hello parses no headers"},
		{"a part", vexOf(says(helloText, "not_affected", because)), "not affected: vulnerable_code_not_present"},
		{"the whole product", vexOf(says(helloAll, "not_affected", because)), "not affected: vulnerable_code_not_present"},
		{"by identifiers", vexOf(says(`{"identifiers":{"purl":"pkg:generic/hello@1.4.2"}}`, "fixed", "")), "fixed"},
		{"the component as a product", vexOf(says(`{"@id":"pkg:golang/golang.org/x/text"}`, "fixed", "")), "fixed"},
		{"the product by name", vexOf(says(`{"@id":"hello@1.4.2"}`, "fixed", "")), "fixed"},
		{"under investigation", vexOf(says(helloText, "under_investigation", "")), "unknown: under investigation"},
		{"affected, too", vexOf(says(helloText, "affected", `,"action_statement":"Upgrade."`)), "affected: Upgrade."},

		{"cleared by an impact statement", vexOf(says(helloText, "not_affected", `,"impact_statement":"x"`)), "not affected: x"},
		{"affected, of another build", vexOf(says(`{"@id":"pkg:golang/golang.org/x/text@v0.3.7?arch=arm64"}`, "affected", "")), "affected"},
		{"a newer one that may be of another build", vexOf(
			says(`{"@id":"pkg:golang/golang.org/x/text@v0.3.7?arch=arm64"}`, "under_investigation", `,"timestamp":"2026-05-01T00:00:00Z"`), says(helloText, "fixed", "")), "fixed"},
		{"another version of the product", vexOf(says(`{"@id":"pkg:generic/hello@1.4.1"}`, "not_affected", because)), "affected"},
		{"another product", vexOf(says(`{"@id":"pkg:generic/other@1.4.2"}`, "not_affected", because)), "affected"},
		{"another kind", vexOf(says(`{"@id":"pkg:npm/hello@1.4.2"}`, "not_affected", because)), "affected"},
		{"another part", vexOf(says(`{"@id":"pkg:generic/hello","subcomponents":[{"@id":"pkg:golang/golang.org/x/net"}]}`, "not_affected", because)), "affected"},
		{"another version of the part", vexOf(says(`{"@id":"pkg:generic/hello","subcomponents":[{"@id":"pkg:golang/golang.org/x/text@v0.3.6"}]}`, "not_affected", because)), "affected"},
		{"a part of another product", vexOf(says(`{"@id":"pkg:generic/other","subcomponents":[{"@id":"pkg:golang/golang.org/x/text@v0.3.7"}]}`, "not_affected", because)), "affected"},
		{"a qualifier that is not ours", vexOf(says(`{"@id":"pkg:generic/hello@1.4.2?arch=arm64"}`, "not_affected", because)), "affected"},
		{"a component as a product with parts", vexOf(says(`{"@id":"pkg:golang/golang.org/x/text","subcomponents":[{"@id":"pkg:golang/golang.org/x/text"}]}`, "fixed", "")), "affected"},
		{"another vulnerability", vexOf(strings.Replace(says(helloText, "not_affected", because), "CVE-2022-32149", "CVE-2022-99999", 1)), "affected; not affected: vulnerable_code_not_present"},
		{"no products", vexOf(says("", "not_affected", because)), "affected"},
		{"by a hash only", vexOf(says(`{"hashes":{"sha-256":"00"}}`, "not_affected", because)), "affected"},

		{"the newer counts", vexOf(
			says(helloText, "not_affected", because+`,"timestamp":"2026-03-01T00:00:00Z"`), says(helloAll, "affected", `,"timestamp":"2026-02-01T00:00:00Z"`)), "not affected: vulnerable_code_not_present"},
		{"the newer counts, turned round", vexOf(
			says(helloAll, "affected", `,"timestamp":"2026-04-01T00:00:00Z"`), says(helloText, "not_affected", because+`,"timestamp":"2026-03-01T00:00:00Z"`)), "affected"},
		{"updated later", vexOf(
			says(helloText, "fixed", `,"timestamp":"2025-01-01T00:00:00Z","last_updated":"2026-06-01T00:00:00Z"`), says(helloText, "affected", "")), "fixed"},
		{"the document's time", vexOf(
			says(helloText, "fixed", `,"timestamp":"2025-01-01T00:00:00Z"`), says(helloText, "under_investigation", "")), "unknown: under investigation"},
		{"at one time the worst", vexOf(says(helloText, "not_affected", because), says(helloText, "affected", ""), says(helloText, "fixed", "")), "affected"},
		{"by an alias", vexOf(`{"vulnerability":{"name":"INTERNAL-1","aliases":["GHSA-69ch-w2m2-3vjp"]},"products":[` + helloText + `],"status":"fixed"}`), "fixed"},
		{"by a record that shares a name", vexOf(strings.Replace(says(helloText, "fixed", ""), "CVE-2022-32149", "GHSA-69ch-w2m2-3vjp", 1)), "fixed"},
	} {
		set := setOf(t, strings.Replace(goRecord, `, "GHSA-69ch-w2m2-3vjp"`, "", 1), ghsaRecord, c.document)
		var states []string
		for _, f := range set.Find(hello, []sbom.Component{goText}) {
			state := string(f.State)
			if f.Why != "" {
				state += ": " + f.Why
			}
			if !strings.Contains(f.Source, "doc") {
				t.Errorf("%s: no source in %+v", c.name, f)
			}
			states = append(states, state)
		}
		if got := strings.Join(states, "; "); got != c.want {
			t.Errorf("%s: found %q, expected %q", c.name, got, c.want)
		}
	}
}

// TestEarlierDocumentOutranks: between documents their order decides, whatever
// times they state; a record's document has no rank.
func TestEarlierDocumentOutranks(t *testing.T) {
	const late = `,"timestamp":"2099-01-01T00:00:00Z"`
	clears := vexOf(says(helloText, "not_affected", because+late))
	const text = `{"@id":"pkg:golang/golang.org/x/text@v0.3.7"}`
	affected := vexOf(says(helloText, "affected", `,"action_statement":"Upgrade."`))
	looked := vexOf(says(text, "under_investigation", ""))
	fixed := vexOf(says(text, "fixed", `,"timestamp":"2020-01-01T00:00:00Z"`))
	loose := vexOf(says(`{"@id":"pkg:golang/golang.org/x/text@v0.3.7?arch=arm64"}`, "affected", ""))
	both := vexOf(says(helloText, "affected", `,"timestamp":"2026-01-02T00:00:00Z"`), says(helloText, "fixed", `,"timestamp":"2026-01-03T00:00:00Z"`))
	other := vexOf(strings.Replace(says(helloText, "affected", ""), "CVE-2022-32149", "CVE-2022-99999", 1))
	for _, c := range []struct {
		name      string
		documents []string
		want      string // state, why, by, source
	}{
		{"records alone", []string{goRecord}, "affected|||doc1"},
		{"cleared, dated ahead", []string{goRecord, clears}, "not affected|vulnerable_code_not_present|doc2|doc1, doc2"},
		{"cleared by the first of all", []string{clears, goRecord}, "not affected|vulnerable_code_not_present|doc1|doc2, doc1"},
		{"affected, then cleared", []string{goRecord, affected, clears}, "affected|Upgrade.|doc2|doc1, doc2"},
		{"cleared, then affected", []string{goRecord, clears, affected}, "not affected|vulnerable_code_not_present|doc2|doc1, doc2"},
		{"fixed long ago, then affected", []string{goRecord, fixed, affected}, "fixed||doc2|doc1, doc2"},
		{"looked into, then cleared", []string{goRecord, looked, clears}, "unknown|under investigation|doc2|doc1, doc2"},
		{"perhaps affected, then cleared", []string{goRecord, loose, clears}, "affected|||doc1"},
		{"changed its mind, then affected", []string{goRecord, both, affected}, "fixed||doc2|doc1, doc2"},
		{"affected, then changed its mind", []string{goRecord, affected, both}, "affected|Upgrade.|doc2|doc1, doc2"},
		{"without a record", []string{affected, clears}, "affected|Upgrade.|doc1|doc1"},
		{"without a record, turned round", []string{clears, affected}, "not affected|vulnerable_code_not_present|doc1|doc1"},
		{"without a record, perhaps", []string{loose, clears}, "unknown|the statement may be about another version or build|doc1|doc1"},
		{"another vulnerability before", []string{goRecord, other, clears}, "not affected|vulnerable_code_not_present|doc3|doc1, doc3; affected||doc2|doc2"},
	} {
		var lines []string
		for _, f := range setOf(t, c.documents...).Find(hello, []sbom.Component{goText}) {
			lines = append(lines, strings.Join([]string{string(f.State), f.Why, f.By, f.Source}, "|"))
			if cleared := f.State == "not affected" || f.State == "fixed"; f.Cleared() != cleared {
				t.Errorf("%s: expected that it is cleared: %v, found %+v", c.name, cleared, f)
			}
		}
		if got := strings.Join(lines, "; "); got != c.want {
			t.Errorf("%s: found %q, expected %q", c.name, got, c.want)
		}
	}
}

// TestByOfJoinedFindings: who decided is told of findings that are joined, too.
func TestByOfJoinedFindings(t *testing.T) {
	for _, c := range []struct {
		a, b Finding
		want string
	}{
		{Finding{State: Fixed, By: "x"}, Finding{State: NotAffected, By: "y"}, "x"},
		{Finding{State: Fixed, By: "x"}, Finding{State: Affected}, ""},
		{Finding{State: Fixed, By: "x"}, Finding{State: Fixed, By: "y"}, "x, y"},
		{Finding{State: Affected}, Finding{State: Affected, By: "y"}, "y"},
	} {
		for _, pair := range [][2]Finding{{c.a, c.b}, {c.b, c.a}} {
			if got := mergeTwo(pair[0], pair[1], &goText).By; got != c.want && got != "y, x" {
				t.Errorf("%v: found by %q, expected %q", pair, got, c.want)
			}
		}
	}
}

// TestLooseMatches shows that a statement which may be about another build clears
// nothing, and does not go unheard where it warns.
func TestLooseMatches(t *testing.T) {
	unversioned := sbom.Component{Name: "golang.org/x/text", PURL: "pkg:golang/golang.org/x/text"}
	for _, c := range []struct{ status, more, want string }{
		{"not_affected", because, ""},
		{"fixed", "", ""},
		{"affected", "", "CVE-2022-32149 unknown "},
		{"under_investigation", "", "CVE-2022-32149 unknown "},
	} {
		set := setOf(t, vexOf(says(`{"@id":"pkg:golang/golang.org/x/text@v0.3.7"}`, c.status, c.more)))
		if got := brief(set.Find(hello, []sbom.Component{unversioned})); got != c.want {
			t.Errorf("%s: found %q, expected %q", c.status, got, c.want)
		}
	}
	// An older statement that fits counts before a newer one that may not.
	set := setOf(t, vexOf(
		says(`{"@id":"pkg:golang/golang.org/x/text"}`, "fixed", `,"timestamp":"2025-01-01T00:00:00Z"`),
		says(`{"@id":"pkg:golang/golang.org/x/text@v0.3.7"}`, "affected", "")))
	if got := brief(set.Find(hello, []sbom.Component{unversioned})); got != "CVE-2022-32149 fixed " {
		t.Errorf("found %q, expected the one that fits", got)
	}
}

// TestStatementsAlone are statements that no record goes with.
func TestStatementsAlone(t *testing.T) {
	other := sbom.Component{Name: "other", Version: "1"}
	for _, c := range []struct {
		name, document string
		components     []sbom.Component
		want           string // component, id, state
	}{
		{"of a part", vexOf(says(helloText, "affected", "")), []sbom.Component{goText, other}, "golang.org/x/text CVE-2022-32149 affected"},
		{"of a part that is not listed", vexOf(says(helloText, "affected", "")), []sbom.Component{other}, "hello CVE-2022-32149 affected"},
		{"of a part that is not listed, cleared", vexOf(says(helloText, "fixed", "")), []sbom.Component{other}, ""},
		{"of a part of another version", vexOf(says(`{"@id":"pkg:generic/hello@1.4.1","subcomponents":[{"@id":"pkg:generic/zlib"}]}`, "affected", "")), []sbom.Component{goText}, ""},
		{"of the whole", vexOf(says(helloAll, "fixed", "")), []sbom.Component{goText}, "hello CVE-2022-32149 fixed"},
		{"of a component", vexOf(says(`{"@id":"other"}`, "affected", "")), []sbom.Component{other}, "other CVE-2022-32149 affected"},
		{"of two parts", vexOf(says(`{"@id":"pkg:generic/hello","subcomponents":[{"@id":"other@1"},{"@id":"pkg:golang/golang.org/x/text"}]}`, "affected", "")),
			[]sbom.Component{goText, other}, "golang.org/x/text CVE-2022-32149 affected; other CVE-2022-32149 affected"},
		{"two of one", vexOf(says(helloAll, "affected", ""), says(helloAll, "fixed", `,"timestamp":"2026-02-01T00:00:00Z"`)), nil, "hello CVE-2022-32149 fixed"},
	} {
		var lines []string
		for _, f := range setOf(t, c.document).Find(hello, c.components) {
			lines = append(lines, fmt.Sprintf("%s %s %s", f.Component.Name, f.ID, f.State))
		}
		if got := strings.Join(lines, "; "); got != c.want {
			t.Errorf("%s: found %q, expected %q", c.name, got, c.want)
		}
	}
}

// TestNameOfManyRecordsLinksNone: a name that very many records share is no name
// of one vulnerability, and a statement about one of them clears no other.
func TestNameOfManyRecordsLinksNone(t *testing.T) {
	var records []string
	for i := range maxNamesakes + 1 {
		records = append(records, fmt.Sprintf(`{"id":"X-%d","modified":"2026-01-01T00:00:00Z","aliases":["MANY"],"affected":[{"package":{"name":"p","ecosystem":"PyPI"},"versions":["%d"]}]}`, i, i))
	}
	clear := vexOf(`{"vulnerability":{"name":"X-0"},"products":[` + helloAll + `],"status":"fixed"}`)
	p := []sbom.Component{{Name: "p", Version: "1", PURL: "pkg:pypi/p"}}
	if found := setOf(t, "["+strings.Join(records, ",")+"]", clear).Find(hello, p); found[len(found)-1].State != Affected {
		t.Errorf("found %+v; expected X-1 affected still", found)
	}
	if found := setOf(t, "["+strings.Join(records[:2], ",")+"]", clear).Find(hello, p); len(found) != 1 || found[0].State != Fixed {
		t.Errorf("found %+v; expected X-1 fixed, as two records share its name", found)
	}
}
