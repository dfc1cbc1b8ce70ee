package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// switchTemplate is the file that is compiled into the package beside its own:
// it decides, in the running test, which mutant is on.
//
//go:embed switch.go.txt
var switchTemplate string

// switchSource fills the template in. control is the folder in which the test
// binary looks for its orders; it is compiled in, so that a process which the
// test starts, with whatever environment, has the same mutant on.
func switchSource(packageName, control string, mutants int) []byte {
	return []byte(strings.NewReplacer(
		"PACKAGE", packageName,
		`"CONTROL"`, strconv.Quote(control),
		"1 /* MUTANTS */", strconv.Itoa(mutants+1),
		"1 /* HEAP */", strconv.Itoa(maxHeap),
	).Replace(switchTemplate))
}

// An edit replaces skip bytes of a text at an offset.
type edit struct {
	at, skip int
	insert   string
	order    [3]int // among the edits at one offset
}

// instrument puts the calls of the switch around the spans of the mutants. No
// line is added or removed, so the compiler's complaints keep their lines.
func instrument(text []byte, mutants []*mutant) []byte {
	var edits []edit
	for _, m := range mutants {
		s := m.span
		// Of two spans the longer is the outer one; of two equal ones the first.
		edits = append(edits,
			edit{at: s.start, insert: fmt.Sprintf("%s(%d, ", s.call, m.number), order: [3]int{2, -s.end, m.number}},
			edit{at: s.end, insert: ")", order: [3]int{0, -s.start, -m.number}})
		if s.operator > 0 {
			edits = append(edits, edit{at: s.operator, skip: s.length, insert: ",", order: [3]int{1}})
		}
	}
	slices.SortFunc(edits, func(a, b edit) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return slices.Compare(a.order[:], b.order[:])
	})
	var out bytes.Buffer
	from := 0
	for _, e := range edits {
		out.Write(text[from:e.at])
		out.WriteString(e.insert)
		from = e.at + e.skip
	}
	out.Write(text[from:])
	return out.Bytes()
}
