package main

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// styled is text that was cleaned already, and has colours of ours.
type styled string

const (
	bold   = "1"
	red    = "1;31"
	green  = "32"
	yellow = "33"
	dim    = "2"
)

// style colours text for a writer, if that is wanted there.
func (p *printer) style(w io.Writer, code, text string) styled {
	text = clean(text)
	if !p.colours(w) {
		return styled(text)
	}
	return styled("\x1b[" + code + "m" + text + "\x1b[0m")
}

// good, bad and faint colour text for a line of the result.
func (p *printer) good(text string) styled  { return p.style(p.stdout, green, text) }
func (p *printer) bad(text string) styled   { return p.style(p.stdout, red, text) }
func (p *printer) faint(text string) styled { return p.style(p.stdout, dim, text) }

func (p *printer) colours(w io.Writer) bool {
	switch p.color {
	case "always":
		return true
	case "never":
		return false
	}
	return !p.plain && isTerminal(w)
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width is how many columns stdout has, 0 if it is no terminal.
func (p *printer) width() int { return p.columns(p.stdout) }

// columnsOf is how many columns a terminal has, 0 if w is none.
func columnsOf(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// table prints aligned columns. On a terminal the last one is cut where the
// line would be longer than it; elsewhere nothing is ever cut.
func (p *printer) table(head []string, rows [][]string) {
	widths := widthsOf(append([][]string{head}, rows...))
	p.line("%s", p.style(p.stdout, bold, p.row(widths, head)))
	for _, row := range rows {
		p.line("%s", styled(p.row(widths, row)))
	}
}

// plainTable is a table without a head, whose last column tells where things lie. In a
// row that is too long for the terminal that stands below, whole: half a path is none.
func (p *printer) plainTable(rows [][]string) {
	widths := widthsOf(rows)
	for _, row := range rows {
		last := len(row) - 1
		if width := p.width(); last < 1 || row[last] == "" || width == 0 || lengthOf(widths, row) <= width {
			p.line("%s", styled(p.row(widths, row)))
			continue
		}
		p.line("%s", styled(p.row(widths, row[:last])))
		p.line("  %s", row[last])
	}
}

// lengthOf is how many columns a row takes, uncut.
func lengthOf(widths []int, row []string) int {
	last := len(row) - 1
	length := 2*last + utf8.RuneCountInString(clean(row[last]))
	for _, width := range widths[:last] {
		length += width
	}
	return length
}

func widthsOf(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(clean(cell)))
		}
	}
	return widths
}

func (p *printer) row(widths []int, cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		cell = clean(cell)
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
	}
	text := strings.TrimRight(b.String(), " ")
	if width := p.width(); width > 0 && utf8.RuneCountInString(text) > width {
		text = string([]rune(text)[:width-1]) + "…"
	}
	return text
}
