package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// errNoLicense is for a module of which no licence can be handed on: such a release
// may not be given out.
var errNoLicense = errors.New("no licence was found")

const rule = "================================================================================\n"

// notices are the licence and notice files of the modules in a list, word for word,
// as most licences ask of whoever hands on the program; what several modules have alike
// stands there once. The list has lines PATH VERSION.
func notices(list string, licenses licenseReader, goroot string) ([]byte, error) {
	lines, err := readText(list)
	if err != nil {
		return nil, err
	}
	n := gathered{of: map[string][]string{}}
	if err := n.add("The Go programming language", goroot); err != nil {
		return nil, err
	}
	for line := range strings.Lines(lines) {
		path, version, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			return nil, fmt.Errorf("%s: expected lines PATH VERSION, found %q", list, line)
		}
		if err := n.add(path+" "+version, licenses.folder(path, version)); err != nil {
			return nil, err
		}
	}
	return n.text(), nil
}

// gathered are texts, and what each is of.
type gathered struct {
	texts []string // in the order in which they were first seen
	of    map[string][]string
}

// add adds the files of one module.
func (n *gathered) add(title, dir string) error {
	files, err := namedFiles(dir, "license", "licence", "copying", "unlicense", "notice")
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	if len(files) == 0 {
		return fmt.Errorf("%s: %w: expected a file LICENSE or the like", title, errNoLicense)
	}
	for _, file := range files {
		body, err := readText(file)
		if err != nil {
			return err
		}
		body = strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), "\n \t") + "\n"
		if _, seen := n.of[body]; !seen {
			n.texts = append(n.texts, body)
		}
		n.of[body] = append(n.of[body], title+", "+filepath.Base(file))
	}
	return nil
}

func (n *gathered) text() []byte {
	var text bytes.Buffer
	text.WriteString("The licences of what is linked into assay for one system or another.\n")
	for _, body := range n.texts {
		text.WriteString("\n" + rule)
		for _, title := range n.of[body] {
			text.WriteString(title + "\n")
		}
		text.WriteString(rule + "\n" + body)
	}
	return text.Bytes()
}
