package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestEverySentinelOfTrustHasAnExit reads the sources, as a sentinel that causes
// does not list would pass for an internal error (1).
func TestEverySentinelOfTrustHasAnExit(t *testing.T) {
	listed := map[string]bool{}
	ast.Inspect(parseFile(t, "exit.go"), func(node ast.Node) bool {
		row, ok := node.(*ast.CompositeLit)
		if !ok || len(row.Elts) == 0 {
			return true
		}
		if selector, ok := row.Elts[0].(*ast.SelectorExpr); ok {
			if pkg, ok := selector.X.(*ast.Ident); ok && pkg.Name == "trust" {
				listed[selector.Sel.Name] = true
			}
		}
		return true
	})
	files, err := filepath.Glob(filepath.Join("..", "..", "trust", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, name := range sentinels(parseFile(t, path)) {
			found[name] = true
			if !listed[name] {
				t.Errorf("trust.%s (%s): expected it in causes", name, filepath.Base(path))
			}
		}
	}
	// What is known to be there, so that the search can't be for nothing.
	for _, name := range []string{"ErrMalformed", "ErrLimits", "ErrMap", "ErrState"} {
		if !found[name] {
			t.Errorf("trust.%s was not found", name)
		}
	}
}

func parseFile(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// sentinels are the variables of a file whose names begin with Err.
func sentinels(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if strings.HasPrefix(name.Name, "Err") {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}
