package main

import (
	"fmt"
	"go/token"
	"path"
	"slices"
	"strings"
)

// A kind says what sort of check a mutant switches off; see the package comment.
type kind string

const (
	kindCheck       kind = "check"
	kindPropagation kind = "propagation"
	kindSkip        kind = "skip"
	kindOutside     kind = "outside"
	kindBoundary    kind = "boundary"
)

var (
	allKinds     = []kind{kindCheck, kindPropagation, kindSkip, kindOutside, kindBoundary}
	defaultKinds = []kind{kindCheck, kindPropagation, kindSkip}
)

// parseKinds reads a list like "check,boundary".
func parseKinds(list string) ([]kind, error) {
	var kinds []kind
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(allKinds, kind(name)) {
			return nil, fmt.Errorf("-kind: expected some of %s, found %q", joinKinds(allKinds), name)
		}
		kinds = append(kinds, kind(name))
	}
	return kinds, nil
}

func joinKinds(kinds []kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ",")
}

// A mutant is one check and the way to switch it off.
type mutant struct {
	// ID is FILE:FUNC: SOURCE, the file by its path in the module. It holds no
	// line and no running number, so it stays when other code moves; only where
	// one function has the same source twice do the later ones end in " #2".
	ID   string `json:"id"`
	Kind kind   `json:"kind"`
	File string `json:"file"`
	Line int    `json:"line"`
	Func string `json:"func"`
	// Source is the condition, or what is done to it, on one line.
	Source string `json:"source"`

	last   int // line of its expression
	pos    token.Pos
	number int  // names it at the switch: from 1, unique in its package
	span   span // where the switch goes
}

// base is the name of its file alone.
func (m *mutant) base() string { return path.Base(m.File) }

// A span is the text of one expression, in bytes from the file's beginning, and
// the call of the switch that goes around it.
type span struct {
	start, end int
	call       string // as mutantOff
	operator   int    // where a comma replaces a comparison's operator; 0: nowhere
	length     int    // of that operator
}

// maxSource clips the source text of a mutant. Two that become equal by it are
// told apart by their number.
const maxSource = 200

// oneLine puts source text on one line and clips it.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxSource {
		return string(runes[:maxSource]) + "…"
	}
	return text
}

// name gives the mutants of a package, in the order of the files and lines,
// their numbers and ids.
func name(mutants []*mutant) {
	seen := map[string]int{}
	for i, m := range mutants {
		m.number = i + 1
		m.ID = m.File + ":" + m.Func + ": " + m.Source
		if seen[m.ID]++; seen[m.ID] > 1 {
			m.ID = fmt.Sprintf("%s #%d", m.ID, seen[m.ID])
		}
	}
}
