package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"assay/artifact"
	"assay/trust"
)

func TestWrap(t *testing.T) {
	const url = "https://git.example/hello/hello/.github/workflows/release.yml@refs/tags/v1.5.0"
	for name, test := range map[string]struct {
		text string
		room int
		want []string
	}{
		"no terminal":  {"one two  three", 0, []string{"one two  three"}},
		"fits":         {"one two", 7, []string{"one two"}},
		"at words":     {"one two three", 9, []string{"one two", "three"}},
		"one word":     {strings.Repeat("a", 64), 20, []string{strings.Repeat("a", 64)}},
		"nothing":      {"", 20, []string{""}},
		"a URL":        {"by " + url, 30, []string{"by", "https://git.example/hello/", "hello/.github/workflows/", "release.yml@refs/tags/v1.5.0"}},
		"no sign":      {"x " + strings.Repeat("é", 25), 20, []string{"x", strings.Repeat("é", 20), strings.Repeat("é", 5)}},
		"letters wide": {"äöü äöü", 3, []string{"äöü", "äöü"}},
	} {
		if got := wrap(test.text, test.room); !slices.Equal(got, test.want) {
			t.Errorf("%s: expected %q, found %q", name, test.want, got)
		}
	}
}

// What is wrapped is no wider than the terminal, and has lost nothing.
func FuzzWrap(f *testing.F) {
	f.Add("not checked signature.subject checksums.txt.sigstore.json: a signature over the bytes alone names nothing", 20)
	f.Add("a "+strings.Repeat("/", 100), 21)
	f.Add("\xff a\u00a0b", 1)
	f.Fuzz(func(t *testing.T, text string, room int) {
		text = clean(text)
		lines := wrap(text, room)
		if squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }; squeeze(strings.Join(lines, " ")) != squeeze(text) {
			t.Errorf("%q at %d: lost something: %q", text, room, lines)
		}
		for _, line := range lines {
			if room > 0 && len(lines) > 1 && utf8.RuneCountInString(line) > room {
				t.Errorf("%q at %d: too wide: %q", text, room, line)
			}
		}
	})
}

// explained is the head and the tree of evidence, on a terminal of some columns.
func explained(e *trust.Evidence, columns int) string {
	var out bytes.Buffer
	a := &app{now: testClock, out: newPrinter(&out, io.Discard, printSettings{})}
	a.out.columns = func(io.Writer) int { return columns }
	a.evidenceFacts(e)
	a.evidenceTree(e)
	return out.String()
}

func TestExplainWrapsOnATerminal(t *testing.T) {
	e := signedEvidence()
	wide := explained(e, 0)
	if lines := strings.Count(wide, "\n"); lines != len(e.Checks)+2+5 {
		t.Errorf("expected a line each where stdout is no terminal, found %d: %s", lines, wide)
	}
	narrow := explained(e, 60)
	for line := range strings.Lines(narrow) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 60 {
			t.Errorf("expected at most 60 columns, found %d: %s", n, line)
		}
	}
	for _, part := range []string{
		"\n  ├─ pass        signature a.sigstore.json: signed by\n  │              https://",
		"\n  └─ pass        policy.require: provenance (policy.1): by\n                 somebody\n",
		"\n            by https://accounts.example, log index 20 and 24\n",
	} {
		if !strings.Contains(narrow, part) {
			t.Errorf("expected %q in:\n%s", part, narrow)
		}
	}
}

// signedEvidence has a signer whom a rule accepts, and one whom nobody knows.
func signedEvidence() *trust.Evidence {
	const right, other = "https://git.example/hello/hello/.github/workflows/release.yml@refs/tags/v1", "https://git.example/other/other/.github/workflows/release.yml@refs/tags/v1"
	e := &trust.Evidence{
		Policy: artifact.DigestOf(artifact.SHA256, nil),
		Signatures: []trust.Signature{
			{Of: "hello/1/a.sigstore.json", Signer: right, Issuer: "https://accounts.example", Logged: []trust.LogEntry{{Index: 20}}},
			{Of: "hello/1/b.sigstore.json", Signer: other},
			{Of: "hello/1/c.sigstore.json", Signer: right, Issuer: "https://accounts.example", Logged: []trust.LogEntry{{Index: 24}}},
		},
	}
	for _, s := range e.Signatures[:2] {
		e.Add(trust.Check{ID: trust.CheckSignature, Result: trust.Pass, Of: s.Of, Found: "signed by " + s.Signer})
	}
	e.Add(trust.Check{ID: trust.CheckIdentity, Result: trust.Pass, Of: "hello/1/a.sigstore.json", Found: right})
	e.Add(trust.Check{ID: trust.CheckIdentity, Result: trust.NotChecked, Of: "hello/1/b.sigstore.json", Why: "no rule names it"})
	e.Add(trust.Check{ID: "policy.require", Result: trust.Pass, Expected: "provenance (policy.1)", Found: "by somebody"})
	return e
}
