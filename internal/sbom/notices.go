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
// as most licences ask of whoever hands on the program. The list has lines PATH VERSION.
func notices(list string, licenses licenseReader, goroot string) ([]byte, error) {
	lines, err := readText(list)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	text.WriteString("The licences of what is linked into assay for one system or another.\n")
	if err := notice(&text, "The Go programming language", goroot); err != nil {
		return nil, err
	}
	for line := range strings.Lines(lines) {
		path, version, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			return nil, fmt.Errorf("%s: expected lines PATH VERSION, found %q", list, line)
		}
		if err := notice(&text, path+" "+version, licenses.folder(path, version)); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// notice appends the files of one module.
func notice(text *bytes.Buffer, title, dir string) error {
	files, err := namedFiles(dir, "license", "licence", "copying", "unlicense", "notice")
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	if len(files) == 0 {
		return fmt.Errorf("%s: %w: expected a file LICENSE or the like", title, errNoLicense)
	}
	text.WriteString("\n" + rule + title + "\n" + rule)
	for _, file := range files {
		body, err := readText(file)
		if err != nil {
			return err
		}
		if len(files) > 1 {
			text.WriteString("\n-- " + filepath.Base(file) + "\n")
		}
		text.WriteString("\n" + strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), "\n \t") + "\n")
	}
	return nil
}
