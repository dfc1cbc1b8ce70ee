package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// manPage is one page: the name of its file, and its text in the man macros of
// roff, in ASCII.
type manPage struct {
	name string
	text string
}

// manual makes all pages: of the program, of each command, of the exit codes.
func manual(tree *cli.Command) []manPage {
	var pages []manPage
	var visit func(path []*cli.Command)
	visit = func(path []*cli.Command) {
		pages = append(pages, commandPage(path))
		for _, sub := range path[len(path)-1].Subcommands {
			visit(append(path[:len(path):len(path)], sub))
		}
	}
	visit([]*cli.Command{tree})
	return append(pages, errorsPage())
}

// roff writes one page.
type roff struct{ strings.Builder }

// head begins a page. It has no date, so that the same program always makes the
// same page.
func (r *roff) head(name, section, summary string) {
	fmt.Fprintf(r, ".TH \"%s\" %s \"\" \"%s\" \"assay manual\"\n.nh\n.ad l\n", roffText(strings.ToUpper(name)), section, roffText("assay "+buildVersion().Version))
	r.section("NAME")
	r.line(roffText(name) + ` \- ` + roffText(summary))
}

func (r *roff) section(title string) { r.WriteString(".SH " + title + "\n") }

// line writes a line of text that is escaped already: a dot or a quote at its
// beginning would make a request of it.
func (r *roff) line(text string) {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, `\(aq`) {
		text = `\&` + text
	}
	r.WriteString(text + "\n")
}

// item is a term, in bold, and what it is.
func (r *roff) item(term, text string) {
	r.WriteString(".TP\n")
	r.line(`\fB` + roffText(term) + `\fR`)
	r.line(roffProse(text))
}

func (r *roff) items(rows [][2]string) {
	for _, row := range rows {
		r.item(row[0], row[1])
	}
}

// block is text as it stands.
func (r *roff) block(lines []string) {
	r.WriteString(".PP\n.nf\n")
	for _, line := range lines {
		r.line(roffText(line))
	}
	r.WriteString(".fi\n")
}

// prose writes a description: its paragraphs are filled, and what is indented in
// it stands as it is.
func (r *roff) prose(text string) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(strings.Trim(paragraph, "\n"), "\n")
		if strings.Contains("\n"+paragraph, "\n  ") {
			r.block(lines)
			continue
		}
		r.WriteString(".PP\n")
		r.line(roffProse(strings.Join(lines, " ")))
	}
}

// commandPage is the page of the command at the end of path.
func commandPage(path []*cli.Command) manPage {
	c := path[len(path)-1]
	name := strings.ReplaceAll(pathName(path), " ", "-")
	var r roff
	r.head(name, "1", c.Usage)
	r.section("SYNOPSIS")
	operands := c.ArgsUsage
	if len(c.Subcommands) > 0 {
		operands = "COMMAND"
	}
	r.line(strings.TrimSpace(`\fB` + roffText(pathName(path)) + `\fR ` + roffText(operands)))
	description, shown, _ := strings.Cut(c.Description, examples(""))
	if description != "" {
		r.section("DESCRIPTION")
		r.prose(description)
	}
	if len(c.Subcommands) > 0 {
		r.section("COMMANDS")
		for _, sub := range c.Subcommands {
			r.item(sub.Name, sub.Usage)
		}
	}
	if len(path) > 1 && len(c.Flags) > 0 {
		r.section("FLAGS")
		r.items(flagRows(c.Flags))
	}
	if len(path) == 1 || len(c.Subcommands) == 0 {
		r.section(`"FLAGS OF EVERY COMMAND"`)
		r.items(flagRows(path[0].Flags))
	}
	if shown != "" {
		r.section("EXAMPLES")
		var lines []string
		for line := range strings.SplitSeq(shown, "\n") {
			lines = append(lines, strings.TrimPrefix(line, "  "))
		}
		r.block(lines)
	}
	if len(path) == 1 {
		r.section(`"EXIT STATUS"`)
		for _, row := range exits() {
			r.item(strconv.Itoa(row.code), row.meaning)
		}
	}
	r.section(`"SEE ALSO"`)
	r.line(seeAlso(path))
	return manPage{name + ".1", r.String()}
}

// seeAlso names the page above, those below, and that of the exit codes.
func seeAlso(path []*cli.Command) string {
	var names []string
	if len(path) > 1 {
		names = append(names, pathName(path[:len(path)-1]))
	}
	for _, sub := range path[len(path)-1].Subcommands {
		names = append(names, pathName(path)+" "+sub.Name)
	}
	text := ""
	for _, name := range names {
		text += `\fB` + roffText(strings.ReplaceAll(name, " ", "-")) + `\fR(1), `
	}
	return text + `\fBassay\-errors\fR(7)`
}

// errorsPage is the page of the exit codes.
func errorsPage() manPage {
	var r roff
	r.head("assay-errors", "7", "exit codes of assay, and what to do")
	for _, row := range exits() {
		doc := exitHelp(row)
		r.section(fmt.Sprintf(`"%d %s"`, doc.Code, strings.ToUpper(doc.Name)))
		r.line(roffProse(doc.Meaning + ". " + doc.Text))
		for _, part := range []struct {
			title string
			lines []string
		}{{"How it comes about", doc.Comes}, {"What to do next", doc.Next}} {
			r.WriteString(".SS \"" + part.title + "\"\n")
			for _, line := range part.lines {
				r.WriteString(".IP \\(bu 2\n")
				r.line(roffProse(line))
			}
		}
	}
	r.section(`"SEE ALSO"`)
	r.line(`\fBassay\fR(1)`)
	return manPage{"assay-errors.7", r.String()}
}

// roffText escapes text, so that each letter is printed as it is: a hyphen stays
// one that can be copied, and what is not ASCII is named by its number.
func roffText(text string) string {
	var b strings.Builder
	for _, letter := range text {
		switch {
		case strings.ContainsRune("\\-'`^~\"", letter):
			b.WriteString(map[rune]string{'\\': `\(rs`, '-': `\-`, '\'': `\(aq`, '`': `\(ga`, '^': `\(ha`, '~': `\(ti`, '"': `\(dq`}[letter])
		case letter > 0x7e:
			fmt.Fprintf(&b, `\[u%04X]`, letter)
		default:
			b.WriteRune(letter)
		}
	}
	return b.String()
}

// roffProse is roffText with what stands in back quotes in bold.
func roffProse(text string) string {
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 {
		return roffText(text) // one of them has no partner
	}
	for i := range parts {
		parts[i] = roffText(parts[i])
		if i%2 == 1 {
			parts[i] = `\fB` + parts[i] + `\fR`
		}
	}
	return strings.Join(parts, "")
}
