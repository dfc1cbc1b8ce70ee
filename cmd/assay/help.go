package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// help prints the help of the command at the end of path, on stdout.
func (p *printer) help(path []*cli.Command) error {
	text := helpText(path)
	if p.json {
		return p.result("help", helpDoc{pathName(path), text})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(text)
	return nil
}

type helpDoc struct {
	Command string `json:"command"`
	Help    string `json:"help"`
}

func helpText(path []*cli.Command) string {
	c := path[len(path)-1]
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\nUSAGE\n", pathName(path), c.Usage)
	if len(c.Subcommands) > 0 {
		fmt.Fprintf(&b, "  %s COMMAND\n\nCOMMANDS\n", pathName(path))
		var rows [][2]string
		for _, sub := range c.Subcommands {
			rows = append(rows, [2]string{sub.Name, sub.Usage})
		}
		writeRows(&b, rows)
	} else {
		b.WriteString("  " + strings.TrimSpace(pathName(path)+" "+strings.TrimSpace(c.ArgsUsage)) + "\n")
	}
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.Description))
	}
	if len(path) > 1 && len(c.Flags) > 0 {
		b.WriteString("\nFLAGS\n")
		writeRows(&b, flagRows(c.Flags))
	}
	if len(path) == 1 || len(c.Subcommands) == 0 {
		b.WriteString("\nFLAGS OF EVERY COMMAND\n")
		writeRows(&b, flagRows(path[0].Flags))
	}
	if len(path) == 1 {
		b.WriteString("\nEXIT CODES\n")
		var rows [][2]string
		for _, row := range exits() {
			rows = append(rows, [2]string{strconv.Itoa(row.code), row.meaning})
		}
		writeRows(&b, rows)
		b.WriteString("\n`assay help COMMAND` tells more of a command, `assay help errors CODE` of an\nexit code. Flags may stand before or after arguments; behind -- nothing is one.\n")
	}
	return b.String()
}

// flagRows are flags as they are typed, with what they do.
func flagRows(flags []cli.Flag) [][2]string {
	var rows [][2]string
	for _, f := range flags {
		var names []string
		for _, name := range f.Names() {
			names = append(names, dashed(name))
		}
		left := strings.Join(names, ", ")
		usage := ""
		if documented, ok := f.(cli.DocGenerationFlag); ok {
			usage = documented.GetUsage()
		}
		// In a usage text `FILE` names the value, as with package flag.
		if before, rest, ok := strings.Cut(usage, "`"); ok {
			if value, after, ok := strings.Cut(rest, "`"); ok {
				left, usage = left+" "+value, before+value+after
			}
		}
		rows = append(rows, [2]string{left, usage})
	}
	return rows
}

// helpColumns is how wide a help text is.
const helpColumns = 80

func writeRows(b *strings.Builder, rows [][2]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	for _, row := range rows {
		text := fmt.Sprintf("  %-*s ", width, row[0])
		columns := utf8.RuneCountInString(text)
		for word := range strings.FieldsSeq(row[1]) {
			if columns+1+utf8.RuneCountInString(word) > helpColumns {
				text += "\n" + strings.Repeat(" ", width+3)
				columns = width + 3
			}
			text += " " + word
			columns += 1 + utf8.RuneCountInString(word)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
}

// examples is the last part of a command's Description.
func examples(lines ...string) string {
	return "\n\nEXAMPLES\n  " + strings.Join(lines, "\n  ")
}
