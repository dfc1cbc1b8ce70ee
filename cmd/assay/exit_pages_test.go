package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// update writes generated documents anew, in place of comparing them.
var update = flag.Bool("update", false, "write generated documents anew")

// TestEveryExitHasAPage: each code has a whole page, and no page is about a code
// that is not in the table, or suggests to leave a check out.
func TestEveryExitHasAPage(t *testing.T) {
	known := map[int]bool{}
	for _, row := range exits() {
		known[row.code] = true
		p := pageOf(row.code)
		if p.text == "" || len(p.comes) == 0 || len(p.next) == 0 {
			t.Errorf("exit %d: the page lacks a part: %+v", row.code, p)
		}
		for _, line := range pageLines(p) {
			if !strings.HasSuffix(line, ".") {
				t.Errorf("exit %d: expected a sentence, found %q", row.code, line)
			}
			for _, word := range []string{"insecure", "skip", "disable", "switch off", "ignore", "state directory aside", "rm -", "--force"} {
				if strings.Contains(line, word) {
					t.Errorf("exit %d: %q suggests what is not safe", row.code, line)
				}
			}
		}
	}
	seen := map[int]bool{}
	for _, part := range [][]page{pagesOfRuns(), pagesOfMetadata(), pagesOfRefusal(), pagesOfMachine()} {
		for _, p := range part {
			if !known[p.code] || seen[p.code] {
				t.Errorf("the page of %d stands twice, or its code is not in the table", p.code)
			}
			seen[p.code] = true
		}
	}
}

func pageLines(p page) []string { return append(append([]string{p.text}, p.comes...), p.next...) }

// TestPagesNameCommands shows that what a page tells to type can be typed: each
// `assay …` in it is a command, with flags that it has.
func TestPagesNameCommands(t *testing.T) {
	tree := (&app{}).grow()
	for _, row := range exits() {
		for _, line := range pageLines(pageOf(row.code)) {
			for _, quoted := range regexp.MustCompile("`assay [^`]*`").FindAllString(line, -1) {
				command := strings.Trim(quoted, "`")
				parsed, err := parseLine(tree, strings.Fields(command)[1:])
				if err != nil || len(parsed.path) == 1 && !parsed.help && len(parsed.args) > 0 {
					t.Errorf("exit %d: %s: %v", row.code, command, err)
				}
			}
		}
	}
}

// TestErrorsDocument: docs/errors.md is what the pages make of it.
func TestErrorsDocument(t *testing.T) {
	wantDocument(t, filepath.Join("..", "..", "docs", "errors.md"), errorsDocument())
}

// wantDocument compares a generated document, or writes it anew with -update.
func wantDocument(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	found, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(found) != want {
		t.Errorf("%s is not what the program makes of it: `go generate ./cmd/assay` writes it anew", path)
	}
}

// errorsDocument is the page of every exit code, in Markdown.
func errorsDocument() string {
	var b strings.Builder
	b.WriteString("# Exit codes, and what to do\n\n<!-- Made by `go generate ./cmd/assay` from exit_pages.go. -->\n\n" +
		"`assay help errors CODE` prints the same. With `--json` a command that fails prints a document\n" +
		"with `error.code` and `error.name`; these and the codes do not change their meaning.\n\n" +
		"| code | name | meaning |\n|---|---|---|\n")
	for _, row := range exits() {
		fmt.Fprintf(&b, "| [%d](#%d) | %s | %s |\n", row.code, row.code, row.name, row.meaning)
	}
	for _, row := range exits() {
		doc := exitHelp(row)
		fmt.Fprintf(&b, "\n## %d\n\n**%s**: %s. %s\n\nHow it comes about:\n\n", doc.Code, doc.Name, doc.Meaning, doc.Text)
		for _, line := range doc.Comes {
			b.WriteString("- " + line + "\n")
		}
		b.WriteString("\nWhat to do next:\n\n")
		for _, line := range doc.Next {
			b.WriteString("- " + line + "\n")
		}
	}
	return b.String()
}

// TestErrorHelpFits shows that each page is printed in 80 columns, by code and by name.
func TestErrorHelpFits(t *testing.T) {
	for _, row := range exits() {
		var out [2]bytes.Buffer
		for i, word := range []string{fmt.Sprint(row.code), row.name} {
			if code := run(t.Context(), []string{"help", "errors", word}, strings.NewReader(""), &out[i], &out[i], nil); code != 0 {
				t.Errorf("%s: exit %d", word, code)
			}
		}
		text := out[0].String()
		if text != out[1].String() || !strings.Contains(text, "WHAT TO DO NEXT\n  - ") {
			t.Errorf("exit %d: by code and by name:\n%s\n%s", row.code, text, out[1].String())
		}
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > helpColumns+1 {
				t.Errorf("exit %d: more than %d columns: %q", row.code, helpColumns, line)
			}
		}
	}
}
