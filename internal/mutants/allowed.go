package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// errAllowed is wrapped by errors in the list of allowed survivors.
var errAllowed = errors.New("list of allowed survivors")

// An allowance lets one mutant survive, for a reason.
type allowance struct {
	line   int
	id     string
	reason string
}

// parseAllowed reads the list: the id of a mutant on a line of its own, and the
// reason on indented lines below it. Empty lines and lines that begin with # are
// left out.
func parseAllowed(name, text string) ([]*allowance, error) {
	var list []*allowance
	seen := map[string]bool{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.TrimSpace(line)
		switch {
		case words == "" || words[0] == '#':
		case line[0] != ' ' && line[0] != '\t':
			if seen[words] {
				return nil, fmt.Errorf("%w: %s:%d: expected each id once, found %q again", errAllowed, name, number, words)
			}
			seen[words] = true
			list = append(list, &allowance{line: number, id: words})
		case len(list) == 0:
			return nil, fmt.Errorf("%w: %s:%d: expected an id before its reason, found %q", errAllowed, name, number, words)
		default:
			last := list[len(list)-1]
			last.reason = strings.TrimSpace(last.reason + " " + words)
		}
	}
	for _, one := range list {
		if one.reason == "" {
			return nil, fmt.Errorf("%w: %s:%d: expected a reason on an indented line below, found none", errAllowed, name, one.line)
		}
	}
	return list, nil
}

// readAllowed reads the list in a file. A list that nobody asked for by name
// may be missing.
func readAllowed(path string, mustExist bool) ([]*allowance, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !mustExist {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAllowed, err)
	}
	return parseAllowed(path, string(text))
}

// allow marks the survivors that the list names, and returns what is wrong with
// the list: an entry without its mutant, or with one that does not survive.
// known has the mutants of all kinds in the packages of this run, chosen or not.
func allow(list []*allowance, root string, known []*mutant, verdicts []*verdict) []string {
	ids, folders := map[string]bool{}, map[string]bool{}
	for _, m := range known {
		ids[m.ID] = true
		folders[filepath.Dir(m.File)] = true
	}
	var wrong []string
	for _, one := range list {
		file, _, _ := strings.Cut(one.id, ":")
		at := slices.IndexFunc(verdicts, func(v *verdict) bool { return v.ID == one.id })
		switch {
		case at >= 0 && verdicts[at].alive():
			verdicts[at].Allowed = one.reason
		case at >= 0:
			wrong = append(wrong, fmt.Sprintf("line %d: expected a survivor, found one that is %s: %s", one.line, verdicts[at].Status, one.id))
		case ids[one.id]:
			// This run does not ask for it.
		case folders[filepath.Dir(filepath.FromSlash(file))] || !exists(filepath.Join(root, filepath.FromSlash(file))):
			wrong = append(wrong, fmt.Sprintf("line %d: expected the id of a mutant, found none like it: %s", one.line, one.id))
		}
	}
	return wrong
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
