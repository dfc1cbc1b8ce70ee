package main

import (
	"io"
	"strings"
	"testing"
)

// Where a row does not fit, the place stands below it, whole; no line is cut.
func TestPlainTableNarrow(t *testing.T) {
	const place = "~/.local/bin/hello, ~/.local/bin/hello-server"
	rows := [][]string{
		{"hello", "1.4.2 → 1.5.0", "proven by metadata, signature", place},
		{"ferry", "0.9.0, as before"},
		{"other", "1.0.0", "proven by metadata", ""},
	}
	head := "hello  1.4.2 → 1.5.0     proven by metadata, signature"
	for columns, want := range map[int]string{
		0:   head + "  " + place,
		101: head + "  " + place,
		100: head + "\n  " + place,
		80:  head + "\n  " + place,
		60:  head + "\n  " + place,
	} {
		var stdout strings.Builder
		p := newPrinter(&stdout, io.Discard, printSettings{})
		p.columns = func(io.Writer) int { return columns }
		p.plainTable(rows)
		want += "\nferry  0.9.0, as before\nother  1.0.0             proven by metadata\n"
		if stdout.String() != want {
			t.Errorf("%d columns: expected\n%sfound\n%s", columns, want, stdout.String())
		}
	}
}
