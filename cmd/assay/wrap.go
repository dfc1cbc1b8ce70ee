package main

import (
	"strings"
	"unicode/utf8"
)

// leastRoom is the fewest columns that text is wrapped into.
const leastRoom = 20

// hang prints text after a head. On a terminal it is wrapped at words, and each
// further line begins with under, which is as wide as the head; elsewhere it is
// one line, as programs like it.
func (p *printer) hang(head styled, under, text string) {
	room := 0
	if width := p.width(); width > 0 {
		room = max(width-utf8.RuneCountInString(under), leastRoom)
	}
	for i, line := range wrap(clean(text), room) {
		if i == 0 {
			p.line("%s%s", head, styled(line))
			continue
		}
		p.line("%s%s", styled(under), styled(line))
	}
}

// wrap breaks text at its spaces into lines of at most room columns; 0: one line.
// A word that is longer, as the URL of a workflow, is broken after a sign within
// it. Text of one word, as a digest, is left whole, to be copied.
func wrap(text string, room int) []string {
	words := strings.Fields(text)
	if room <= 0 || len(words) < 2 {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range words {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= room:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
		for utf8.RuneCountInString(line) > room {
			head := breakAt(line, room)
			lines, line = append(lines, line[:head]), line[head:]
		}
	}
	return append(lines, line)
}

// breakAt is where, in bytes, a line without a space to break at is broken: after
// the last sign that joins parts of a name, if the line does not get much shorter
// by it.
func breakAt(line string, room int) int {
	end, columns := 0, 0
	for i := range line {
		if columns == room {
			end = i
			break
		}
		columns++
	}
	if sign := strings.LastIndexAny(line[:end], "/@:-_.,"); sign >= end/2 {
		return sign + 1
	}
	return end
}
