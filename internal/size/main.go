// Command size tells what a program is made of, by module: the table of
// docs/benchmarks.md. It reads an ELF binary of Go with its symbols, and needs
// nothing else: which modules there are stands in the binary itself.
//
//	size PROGRAM        see `make size`
//
// A symbol belongs to the module of its package. The table of lines, with which a
// crash is told, is shared out by the size of the code. What has no owner, types and strings
// above all, stands for itself: the linker merges it.
package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: size PROGRAM")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

// errNoSymbols: the program was stripped.
var errNoSymbols = errors.New("expected a program with symbols, found one without: build it without -s")

// run writes the table of a program.
func run(path string, out io.Writer) error {
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return fmt.Errorf("%s: expected a program of Go: %w", path, err)
	}
	var modules []string
	for _, dep := range info.Deps {
		modules = append(modules, dep.Path)
	}
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return fmt.Errorf("%s: expected an ELF binary: %w", path, err)
	}
	parts, err := measure(file, newOwners(info.Main.Path, modules))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return report(out, parts)
}
