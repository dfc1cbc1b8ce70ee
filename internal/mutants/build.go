package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// switchFile is the name under which the switch joins the package.
const switchFile = "zz_mutants_switch.go"

// maxAttempts bounds the builds that find mutants which do not compile; the
// compiler names ten errors at a time.
const maxAttempts = 20

// A slot is one place where a mutant can run: a folder with its own test binary
// and orders.
type slot struct {
	dir    string // holds the files below, and the folder for temporary ones
	binary string
	pkgDir string
}

// build compiles the test binary of a package once for each slot, with all the
// mutants in it. It returns those that do not compile. A package without tests
// gives no slots.
func build(ctx context.Context, pkg *sourcePackage, mutants []*mutant, work string, jobs int) ([]*slot, []*mutant, error) {
	var slots []*slot
	var invalid []*mutant
	for i := range jobs {
		s := &slot{dir: filepath.Join(work, strconv.Itoa(i)), pkgDir: pkg.dir}
		s.binary = filepath.Join(s.dir, "package.test.exe") // an .exe runs everywhere
		if err := os.MkdirAll(filepath.Join(s.dir, "tmp"), 0o700); err != nil {
			return nil, nil, err
		}
		for attempt := 1; ; attempt++ {
			err := s.compile(ctx, pkg, mutants)
			if err == nil {
				break
			}
			broken := blamed(err.Error(), mutants)
			if len(broken) == 0 || attempt == maxAttempts || ctx.Err() != nil {
				return nil, nil, fmt.Errorf("%w: %w", errSource, err)
			}
			invalid = append(invalid, broken...)
			mutants = slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return slices.Contains(broken, m) })
		}
		if _, err := os.Stat(s.binary); errors.Is(err, fs.ErrNotExist) {
			return nil, invalid, nil
		}
		slots = append(slots, s)
	}
	return slots, invalid, nil
}

// compile writes the overlay and builds the test binary.
func (s *slot) compile(ctx context.Context, pkg *sourcePackage, mutants []*mutant) error {
	total := 0
	byFile := map[string][]*mutant{}
	for _, m := range mutants {
		byFile[m.File] = append(byFile[m.File], m)
		total = max(total, m.number)
	}
	replace := map[string]string{}
	add := func(path string, text []byte) error {
		replace[path] = filepath.Join(s.dir, filepath.Base(path))
		return os.WriteFile(replace[path], text, 0o600)
	}
	for _, file := range pkg.files {
		if err := add(file.path, instrument(file.text, byFile[file.inside])); err != nil {
			return err
		}
	}
	if err := add(filepath.Join(pkg.dir, switchFile), switchSource(pkg.name, s.dir, total)); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return err
	}
	_, err = goCommand(ctx, pkg.dir, "test", "-c", "-vet=off", "-overlay", path, "-o", s.binary, ".")
	return err
}

// complaint finds FILE:LINE: in what the compiler says.
var complaint = regexp.MustCompile(`(?m)([^\s:/\\]+\.go):(\d+):(?:\d+:)? `)

// blamed lists the mutants on the lines of which the compiler complains.
func blamed(output string, mutants []*mutant) []*mutant {
	lines := map[string][]int{}
	for _, match := range complaint.FindAllStringSubmatch(output, -1) {
		if line, err := strconv.Atoi(match[2]); err == nil {
			lines[match[1]] = append(lines[match[1]], line)
		}
	}
	var broken []*mutant
	for _, m := range mutants {
		within := func(line int) bool { return m.Line <= line && line <= m.last }
		if slices.ContainsFunc(lines[m.base()], within) {
			broken = append(broken, m)
		}
	}
	return broken
}
