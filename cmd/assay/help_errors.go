package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// topicErrors is what `assay help` tells of besides commands: exit codes.
const topicErrors = "errors"

// isErrorTopic reports whether a word behind `assay help` is about exit codes:
// "errors", or a number.
func isErrorTopic(word string) bool {
	_, err := strconv.ParseUint(word, 10, 16)
	return word == topicErrors || err == nil
}

// exitHelpDoc is what --json tells of one exit code.
type exitHelpDoc struct {
	Code    int      `json:"code"`
	Name    string   `json:"name"`
	Meaning string   `json:"meaning"`
	Text    string   `json:"text"`
	Comes   []string `json:"how_it_comes_about"`
	Next    []string `json:"what_to_do_next"`
}

func exitHelp(row exit) exitHelpDoc {
	p := pageOf(row.code)
	return exitHelpDoc{row.code, row.name, row.meaning, p.text, p.comes, p.next}
}

// errorHelp prints what `assay help errors`, `assay help errors 13` or
// `assay help 13` asks for, on stdout. A code may be called by its name, too.
func (p *printer) errorHelp(topic []string) error {
	if topic[0] == topicErrors {
		topic = topic[1:]
	}
	if len(topic) > 1 {
		return usagef("expected no further argument, found %q: assay help errors [CODE]", clip(topic[1]))
	}
	rows := exits()
	if len(topic) == 1 {
		one := slices.IndexFunc(rows, func(row exit) bool { return row.name == topic[0] || strconv.Itoa(row.code) == topic[0] })
		if one < 0 {
			return withHint(usagef("assay has no exit code %q", clip(topic[0])), "`assay help errors` lists them")
		}
		p.raw(exitText(exitHelp(rows[one])))
		rows = rows[one : one+1]
	} else {
		p.raw(exitList(rows))
	}
	docs := []exitHelpDoc{}
	for _, row := range rows {
		docs = append(docs, exitHelp(row))
	}
	return p.result("help.errors", struct {
		Errors []exitHelpDoc `json:"errors"`
	}{docs})
}

// exitList is the table of all exit codes.
func exitList(rows []exit) string {
	var b strings.Builder
	b.WriteString("assay help errors - what the exit codes mean\n\nEXIT CODES\n")
	var cells [][2]string
	for _, row := range rows {
		cells = append(cells, [2]string{fmt.Sprintf("%3d  %s", row.code, row.name), row.meaning})
	}
	writeRows(&b, cells)
	b.WriteString("\n`assay help errors CODE` tells how one comes about, and what to do next. The\nname is what `--json` has beside the code.\n")
	return b.String()
}

// exitText is the page of one exit code.
func exitText(doc exitHelpDoc) string {
	var b strings.Builder
	for i, text := range []string{fmt.Sprintf("exit %d, %s - %s", doc.Code, doc.Name, doc.Meaning), doc.Text} {
		b.WriteString(strings.Repeat("\n", i) + strings.Join(wrap(text, helpColumns), "\n") + "\n")
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{"HOW IT COMES ABOUT", doc.Comes}, {"WHAT TO DO NEXT", doc.Next}} {
		b.WriteString("\n" + part.title + "\n")
		for _, line := range part.lines {
			b.WriteString("  - " + strings.Join(wrap(line, helpColumns-4), "\n    ") + "\n")
		}
	}
	return b.String()
}
