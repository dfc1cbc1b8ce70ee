package main

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestManualIsWellFormed: every line of every page is text or one of the requests
// that the pages use, in ASCII, with each escape known. Where groff is there it
// must have nothing to say about them.
func TestManualIsWellFormed(t *testing.T) {
	request := regexp.MustCompile(`^\.(TH|SH|SS|TP|PP|IP|nf|fi|nh|ad)( |$)`)
	escape := regexp.MustCompile(`\\(\(rs|\(aq|\(ga|\(ha|\(ti|\(dq|\(bu|-|&|fB|fR|\[u[0-9A-F]{4,6}\])`)
	groff, _ := exec.LookPath("groff")
	for _, p := range manual((&app{}).grow()) {
		for line := range strings.Lines(p.text) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, ".") && !request.MatchString(line) || strings.HasPrefix(line, "'") {
				t.Errorf("%s: not a request: %q", p.name, line)
			}
			if rest := escape.ReplaceAllString(line, ""); strings.ContainsAny(rest, "\\") || strings.Trim(rest, asciiPrint) != "" {
				t.Errorf("%s: an unknown escape, or not ASCII: %q", p.name, line)
			}
		}
		if groff == "" {
			continue
		}
		c := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z")
		c.Stdin = strings.NewReader(p.text)
		if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", p.name, err, out)
		}
	}
}

const asciiPrint = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_{|}^~`abcdefghijklmnopqrstuvwxyz"

// TestManualHasAllCommands: one page for each command, with each of its flags.
func TestManualHasAllCommands(t *testing.T) {
	pages := map[string]string{}
	for _, p := range manual((&app{}).grow()) {
		if pages[p.name] != "" {
			t.Errorf("%s stands twice", p.name)
		}
		pages[p.name] = p.text
	}
	for name, parts := range map[string][]string{
		"assay.1":           {".SH \"EXIT STATUS\"\n", ".TP\n\\fB13\\fR\n", "\\fB\\-\\-offline\\fR\n", "\\fBassay\\-trust\\fR(1)"},
		"assay-trust.1":     {".SH COMMANDS\n.TP\n\\fBadd\\fR\n"},
		"assay-trust-add.1": {"\\-\\-root\\-sha256", ".SH EXAMPLES\n"},
		"assay-get.1":       {".TH \"ASSAY\\-GET\" 1 \"\" ", "\\fBassay get\\fR "},
		"assay-errors.7":    {".SH \"13 MISMATCH\"\n", ".IP \\(bu 2\n"},
	} {
		for _, part := range parts {
			if !strings.Contains(pages[name], part) {
				t.Errorf("%s: expected %q in %.300q", name, part, pages[name])
			}
		}
	}
}

func TestRoffEscapes(t *testing.T) {
	var r roff
	r.line(roffText(`.TH 'x' \n --flag ~/"a" … ^1`))
	r.line(roffText("'begin"))
	r.line(roffProse("see `assay get` and a ` alone"))
	r.line(roffProse("see `assay get`."))
	want := `\&.TH \(aqx\(aq \(rsn \-\-flag \(ti/\(dqa\(dq \[u2026] \(ha1` + "\n" +
		`\&\(aqbegin` + "\n" +
		`see \(gaassay get\(ga and a \(ga alone` + "\n" +
		`see \fBassay get\fR.` + "\n"
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestManPrints(t *testing.T) {
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"man":                    {0, `.TH "ASSAY" 1 `},
		"man trust add":          {0, `.TH "ASSAY\-TRUST\-ADD" 1 `},
		"man errors":             {0, `.TH "ASSAY\-ERRORS" 7 `},
		"man get --json":         {0, `{"schema":"assay.man/v1","changed":false,"name":"assay-get.1","page":".TH`},
		"man nothing":            {2, `assay has no command "nothing"`},
		"man get --dir somewere": {2, "expected no argument with it"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), strings.Fields(args), strings.NewReader(""), &out, &out, nil); code != want.code || !strings.Contains(out.String(), want.text) {
			t.Errorf("assay %s: expected exit %d and %q, found exit %d: %.200s", args, want.code, want.text, code, out.String())
		}
	}
}
