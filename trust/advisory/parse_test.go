package advisory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"assay/internal/strictjson"
	"assay/trust/sbom"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, data string
		format     Format
		records    int
		modified   string
	}{
		{"one record", goRecord, OSV, 1, "2024-05-20T16:03:47Z"},
		{"an array", " \n[" + goRecord + "," + ghsaRecord + "]", OSV, 2, "2024-05-21T15:12:35Z"},
		{"an answer", `{"vulns":[` + goRecord + `],"next_page_token":"x"}`, OSV, 1, "2024-05-20T16:03:47Z"},
		{"withdrawn", `{"id":"A-1","modified":"2024-01-01T00:00:00Z","withdrawn":"2024-02-01T00:00:00Z"}`, OSV, 1, "2024-01-01T00:00:00Z"},
		{"nulls", `{"id":"A-1","modified":null,"aliases":null,"affected":[{"package":null,"ranges":[null],"versions":[null]},null],"severity":null}`, OSV, 1, ""},
		{"vex", vexDocument, OpenVEX, 1, "2026-01-01T00:00:00Z"},
		{"vex without a version", strings.Replace(vexDocument, "/v0.2.0", "", 1), OpenVEX, 1, "2026-01-01T00:00:00Z"},
		{"vex of nothing", `{"@context":"https://openvex.dev/ns","statements":[]}`, OpenVEX, 0, ""},
	} {
		doc, err := Parse(c.name, []byte(c.data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		modified := ""
		if !doc.Modified.IsZero() {
			modified = doc.Modified.Format(time.RFC3339)
		}
		if doc.Name != c.name || doc.Format != c.format || doc.Records != c.records || modified != c.modified {
			t.Errorf("%s: found %q %s, %d records, modified %s; expected %s, %d, %s", c.name, doc.Name, doc.Format, doc.Records, modified, c.format, c.records, c.modified)
		}
	}
	for _, empty := range []string{`[]`, `{"vulns":[]}`} {
		if doc, err := Parse("empty", []byte(empty)); err != nil || doc.Records != 0 || doc.Format != OSV {
			t.Errorf("%s: found %+v, %v; expected OSV without records", empty, doc, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	affected := func(text string) string {
		return `{"id":"A-1","modified":"2024-01-01T00:00:00Z","affected":` + text + `}`
	}
	for _, c := range []struct {
		name, data string
		want       error
		says       string
	}{
		{"empty", ``, strictjson.ErrSyntax, "object"},
		{"null", `null`, ErrMalformed, "object"},
		{"other JSON", `{"name":"x"}`, ErrFormat, "other JSON"},
		{"only an id", `{"id":"A-1"}`, ErrFormat, "other JSON"},
		{"no id", `{"affected":[]}`, ErrFormat, "other JSON"},
		{"signed envelope", `{"payloadType":"application/vnd.in-toto+json","payload":""}`, ErrFormat, "attestation"},
		{"attestation", `{"predicateType":"https://openvex.dev/ns"}`, ErrFormat, "attestation"},
		{"two arrays", `[] []`, strictjson.ErrSyntax, ""},
		{"closing too early", `[]}`, strictjson.ErrSyntax, ""},
		{"more than an array", `[],"x":1`, ErrMalformed, "after the array"},
		{"duplicate key", `{"id":"A-1","id":"A-2","modified":"x"}`, strictjson.ErrDuplicate, "id"},
		{"deep", `{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, strictjson.ErrTooDeep, "64"},
		{"vulns no array", `{"vulns":{}}`, ErrMalformed, "vulns"},
		{"record no object", `[1]`, ErrMalformed, "vulns[0]: expected an object"},
		{"null record", `[null]`, ErrMalformed, "vulns[0]"},
		{"record without an id", `[{"modified":"2024-01-01T00:00:00Z"}]`, ErrMalformed, "vulns[0].id"},
		{"id in other letters", `[{"ID":"A-1"}]`, ErrMalformed, "vulns[0].id"},
		{"id with escapes", `[{"id":"A\u001b[2J"}]`, ErrMalformed, `"A\x1b[2J"`},
		{"long id", `[{"id":"` + strings.Repeat("a", maxID+1) + `"}]`, ErrMalformed, "256"},
		{"bad alias", `[{"id":"A-1","aliases":["\u202e"]}]`, ErrMalformed, "(A-1).aliases"},
		{"aliases no list", `[{"id":"A-1","aliases":"B"}]`, ErrMalformed, "vulns[0]"},
		{"withdrawn some day", `[{"id":"A-1","withdrawn":"yes"}]`, ErrMalformed, "withdrawn"},
		{"package no object", affected(`[{"package":"p"}]`), ErrMalformed, "record"},
		{"version an object", affected(`[{"versions":[{}]}]`), ErrMalformed, "record"},
		{"unknown range", affected(`[{"ranges":[{"type":"OTHER"}]}]`), ErrMalformed, `"OTHER"`},
		{"no range type", affected(`[{"ranges":[{}]}]`), ErrMalformed, "ranges[0].type"},
		{"two events in one", affected(`[{"ranges":[{"type":"SEMVER","events":[{"introduced":"0","fixed":"1"}]}]}]`), ErrMalformed, "events[0]"},
		{"no event", affected(`[{"ranges":[{"type":"SEMVER","events":[{}]}]}]`), ErrMalformed, "events[0]"},
		{"event no text", affected(`[{"ranges":[{"type":"SEMVER","events":[{"introduced":0}]}]}]`), ErrMalformed, "record"},
		{"versions nested", affected(`[{"versions":[["1"]]}]`), ErrMalformed, "record"},
		{"many versions", affected(`[{"versions":[` + strings.Repeat(`"1",`, maxElements) + `"1"]}]`), ErrTooLarge, "elements"},
		{"many events", affected(`[{"ranges":[{"type":"SEMVER","events":[` + strings.Repeat(`{},`, maxElements) + `{}]}]}]`), ErrTooLarge, "elements"},
		{"many records", "[" + strings.Repeat(`{"id":"A"},`, MaxRecords) + `{"id":"A"}]`, ErrTooLarge, "100000"},

		{"other context", `{"@context":"https://spdx.org/rdf/3.0.1","statements":[]}`, ErrFormat, "spdx"},
		{"context a list", `{"@context":["https://openvex.dev/ns"],"statements":[]}`, ErrFormat, "@context"},
		{"vex 0.0.1", `{"@context":"https://openvex.dev/ns/v0.0.1","statements":[]}`, ErrVersion, "v0.0.1"},
		{"no statements", `{"@context":"https://openvex.dev/ns"}`, ErrMalformed, "statements"},
		{"statements no array", `{"@context":"https://openvex.dev/ns","statements":{}}`, ErrMalformed, "statements"},
		{"bad time", `{"@context":"https://openvex.dev/ns","timestamp":"now","statements":[]}`, ErrMalformed, "timestamp"},
		{"null statement", vexOf("null"), ErrMalformed, "statements[0]"},
		{"bad time of a statement", vexOf(says(helloAll, "fixed", `,"timestamp":1`)), ErrMalformed, "statements[0]"},
		{"no vulnerability", vexOf(`{"products":[],"status":"fixed"}`), ErrMalformed, "vulnerability"},
		{"vulnerability a text", vexOf(`{"vulnerability":"CVE-1","status":"fixed"}`), ErrMalformed, "statements[0]"},
		{"vulnerability with escapes", vexOf(`{"vulnerability":{"name":"\u0007"},"status":"fixed"}`), ErrMalformed, `"\a"`},
		{"no status", vexOf(`{"vulnerability":{"name":"a"}}`), ErrMalformed, "status"},
		{"unknown status", vexOf(says(helloAll, "fine", "")), ErrMalformed, `"fine"`},
		{"status in other letters", vexOf(`{"vulnerability":{"name":"a"},"Status":"fixed"}`), ErrMalformed, "status"},
		{"cleared without a reason", vexOf(says(helloAll, "not_affected", "")), ErrMalformed, "justification"},
		{"cleared for an unknown reason", vexOf(says(helloAll, "not_affected", `,"justification":"trust me"`)), ErrMalformed, "trust me"},
		{"products nested", vexOf(says(`[[]]`, "fixed", "")), ErrMalformed, "statements[0]"},
		{"many statements", vexOf(strings.Repeat(`{"vulnerability":{"name":"a"},"status":"fixed"},`, MaxRecords) + `{"vulnerability":{"name":"a"},"status":"fixed"}`), ErrTooLarge, "100000"},
		{"many products", vexOf(says(strings.Repeat(`{},`, maxElements)+`{}`, "fixed", "")), ErrTooLarge, "elements"},
	} {
		doc, err := Parse("feed", []byte(c.data))
		if doc != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: found %v, %v; expected %v that says %q", c.name, doc != nil, err, c.want, c.says)
			continue
		}
		if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x1b\n\a\u202e") || !strings.Contains(err.Error(), "feed") {
			t.Errorf("%s: the message is not fit to be shown, or does not name the document: %q", c.name, err)
		}
	}
	if _, err := Parse("feed", make([]byte, MaxBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a long document: found %v; expected ErrTooLarge", err)
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	err := guarded("feed", func() error { panic("\x1b[2J") })
	if !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "feed") {
		t.Errorf("found %v; expected ErrMalformed", err)
	}
}

func TestNewSetIsBounded(t *testing.T) {
	doc := &Document{Records: MaxRecords}
	if _, err := NewSet(doc, &Document{Records: 1}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("found %v; expected ErrTooLarge", err)
	}
	set, err := NewSet()
	if err != nil || set.Len() != 0 || set.Find(hello, []sbom.Component{goText}) != nil {
		t.Errorf("no documents: found %v, %v; expected an empty set", set, err)
	}
}

// TestHostileAliases holds the time that records take which all share one alias
// and one package, each with other aliases.
func TestHostileAliases(t *testing.T) {
	var records []string
	for i := range 4_000 {
		records = append(records, fmt.Sprintf(`{"id":"X-%d","aliases":["MANY","Y-%d"],"affected":[{"package":{"name":"p","ecosystem":"PyPI"},"versions":["1"]}]}`, i, i))
	}
	set := setOf(t, "["+strings.Join(records, ",")+"]", vexOf(says(helloAll, "fixed", "")))
	began := time.Now()
	found := set.Find(hello, []sbom.Component{{Name: "p", Version: "1", PURL: "pkg:pypi/p"}})
	if len(found) != 2 || len(found[1].Aliases) != 8_000 {
		t.Fatalf("found %d; expected all joined, and the statement", len(found))
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a\x1b[2J\n  b\u202e", "a [2J b"},
		{strings.Repeat("é", 10), "ééééé…"},
		{strings.Repeat("a", 30), "aaaaaaaaaa…"},
		{"\xff", ""},
		{strings.Repeat(" ", 40) + "a", "…"},
	} {
		if got := plain(c.in, 10); got != c.want {
			t.Errorf("%q: found %q, expected %q", c.in, got, c.want)
		}
	}
}

// FuzzParse holds that what Parse accepts can be asked, that findings come sorted
// and fit to be shown, each vulnerability once for a component, and that the
// order of the records does not matter for what is affected.
func FuzzParse(f *testing.F) {
	for _, s := range []string{goRecord, "[" + ghsaRecord + "," + goRecord + "]", debianRecord, pypiRecord, vexDocument, vexOf(says(helloText, "affected", "")),
		vexOf(says(helloAll, "under_investigation", ""), says(`{"@id":"pkg:golang/golang.org/x/text"}`, "fixed", "")),
		`[{"id":"A","affected":[{"package":{"name":"golang.org/x/text","ecosystem":"Go"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"last_affected":"1"},{"limit":"2"}]}]}]}]`} {
		f.Add([]byte(s))
	}
	components := []sbom.Component{goText, {Name: "openssl", PURL: "pkg:deb/debian/openssl@1.1.1n?distro=debian-11"}, {Name: "requests", Version: "2.30.0"}, {Name: "p", PURL: "pkg:pypi/p"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse("fuzz", data)
		if err != nil {
			if !slices.ContainsFunc([]error{ErrFormat, ErrVersion, ErrMalformed, ErrTooLarge}, func(sentinel error) bool { return errors.Is(err, sentinel) }) {
				t.Fatalf("an error without a sentinel: %v", err)
			}
			return
		}
		found := find(t, doc, components)
		for i, finding := range found {
			if finding.State.weight() == 0 || finding.ID == "" || finding.Source != "fuzz" {
				t.Fatalf("incomplete: %+v", finding)
			}
			for _, text := range append([]string{finding.ID, finding.Summary, finding.Severity, finding.Fixed, finding.Why}, finding.Aliases...) {
				if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
					t.Fatalf("not fit to be shown: %q", text)
				}
			}
			if i > 0 && found[i-1].Component == finding.Component && found[i-1].ID == finding.ID {
				t.Fatalf("twice: %+v", finding)
			}
		}
		slices.Reverse(doc.records)
		again := find(t, doc, components)
		if len(again) != len(found) {
			t.Fatalf("in reverse: %+v and %+v", found, again)
		}
		for i := range found {
			if found[i].ID != again[i].ID || found[i].State != again[i].State {
				t.Fatalf("in reverse: %+v and %+v", found[i], again[i])
			}
		}
	})
}

func find(t *testing.T, doc *Document, components []sbom.Component) []Finding {
	set, err := NewSet(doc)
	if err != nil {
		t.Fatal(err)
	}
	return set.Find(hello, components)
}
