package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// errSource is wrapped by errors about packages that can't be listed, parsed,
// type-checked or built as they stand, without any mutant.
var errSource = errors.New("the source does not build")

// A sourcePackage is one package of the module, parsed and type-checked
// without its tests.
type sourcePackage struct {
	dir, path, name string
	root            string // of the module
	files           []*sourceFile
	fset            *token.FileSet
	info            *types.Info
}

type sourceFile struct {
	path   string // absolute
	inside string // by slashes, from the module's root
	text   []byte
	syntax *ast.File
}

// listed is what `go list` says about a package.
type listed struct {
	Dir, ImportPath, Name, Export string
	GoFiles                       []string
	DepOnly                       bool
	Module                        *struct{ Dir string }
}

// load reads the packages that the patterns name, seen from dir. The compiled
// forms of what they import come from the Go command's cache.
func load(ctx context.Context, dir string, patterns []string) ([]*sourcePackage, error) {
	args := append([]string{"list", "-export", "-deps", "-json=Dir,ImportPath,Name,Export,GoFiles,DepOnly,Module", "--"}, patterns...)
	output, err := goCommand(ctx, dir, args...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSource, err)
	}
	exports := map[string]string{}
	var wanted []listed
	decoder := json.NewDecoder(bytes.NewReader(output))
	for {
		var one listed
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		exports[one.ImportPath] = one.Export
		if !one.DepOnly {
			wanted = append(wanted, one)
		}
	}
	var packages []*sourcePackage
	for _, one := range wanted {
		pkg, err := check(one, exports)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSource, err)
		}
		packages = append(packages, pkg)
	}
	return packages, nil
}

// check parses and type-checks one package.
func check(one listed, exports map[string]string) (*sourcePackage, error) {
	if one.Module == nil {
		return nil, fmt.Errorf("%s: expected a package of a module, found one of none", one.ImportPath)
	}
	pkg := &sourcePackage{
		dir: one.Dir, path: one.ImportPath, name: one.Name, root: one.Module.Dir,
		fset: token.NewFileSet(),
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}},
	}
	var syntax []*ast.File
	for _, base := range one.GoFiles {
		file, err := pkg.parse(base)
		if err != nil {
			return nil, err
		}
		pkg.files = append(pkg.files, file)
		syntax = append(syntax, file.syntax)
	}
	config := types.Config{Importer: importer.ForCompiler(pkg.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("import %q: expected its compiled form, found none", path)
		}
		return os.Open(exports[path])
	})}
	if _, err := config.Check(one.ImportPath, pkg.fset, syntax, pkg.info); err != nil {
		return nil, err
	}
	return pkg, nil
}

func (p *sourcePackage) parse(base string) (*sourceFile, error) {
	path := filepath.Join(p.dir, base)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	inside, err := filepath.Rel(p.root, path)
	if err != nil {
		return nil, err
	}
	syntax, err := parser.ParseFile(p.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &sourceFile{path: path, inside: filepath.ToSlash(inside), text: text, syntax: syntax}, nil
}

// goCommand returns what the Go command prints to its standard output. The
// error has what it prints beside.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	var output, complaint bytes.Buffer
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir, command.Stdout, command.Stderr = dir, &output, &complaint
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s%s", args[0], err, output.String(), strings.TrimSpace(complaint.String()))
	}
	return output.Bytes(), nil
}
