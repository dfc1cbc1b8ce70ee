package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// judging are the packages that decide on trust. An error of theirs that causes
// does not list would pass for an internal one (1).
var judging = map[string]string{
	"trust": "trust", "provenance": "trust/provenance", "slsa": "trust/provenance/slsa", "detached": "trust/provenance/detached",
	"sbom": "trust/sbom", "advisory": "trust/advisory", "policy": "trust/policy", "proof": "trust/proof",
	"checksums": "artifact/checksums", "release": "artifact/release", "audit": "cache/audit",
	"cache": "cache", "archive": "cache/archive", "fetch": "fetch", "wire": "fetch/wire", "transfer": "fetch/transfer",
	"unpack": "fetch/unpack", "install": "fetch/install", "lockfile": "fetch/lockfile", "pinned": "fetch/pinned", "mirrors": "fetch/mirrors",
	"mirror": "mirror", "storage": "mirror/storage", "admin": "mirror/admin",
	"airgap": "mirror/airgap", "backup": "mirror/backup", "plaintar": "internal/plaintar",
}

// unreachable are sentinels that no command can end with, and why.
var unreachable = map[string]string{
	"release.ErrDuration": "a duration is always part of a document, whose error is its own",
	"cache.ErrInUse":      "no command removes one blob: a mirror leaves what is in use for its next run",
	"wire.ErrSource":      "it is fetch.ErrSource by its other name",
	"wire.ErrRange":       "it always comes with fetch.ErrSource",
	"fetch.ErrOffline":    "it is trust.ErrNotHeld by its other name",
	"mirror.ErrCancelled": "it is context.Canceled",
	"mirrors.ErrDamaged":  "what is remembered of mirrors is forgotten then, with a warning",
	"slsa.ErrSummary":     "explain --vsa writes what the specification allows; anything else is an internal error",
}

// TestEverySentinelHasAnExit reads the sources.
func TestEverySentinelHasAnExit(t *testing.T) {
	listed := map[string]bool{}
	list := func(node ast.Node) bool {
		row, ok := node.(*ast.CompositeLit)
		if !ok || len(row.Elts) == 0 {
			return true
		}
		if selector, ok := row.Elts[0].(*ast.SelectorExpr); ok {
			if pkg, ok := selector.X.(*ast.Ident); ok {
				listed[pkg.Name+"."+selector.Sel.Name] = true
			}
		}
		return true
	}
	ast.Inspect(parseFile(t, "causes.go"), list)
	ast.Inspect(parseFile(t, "causes_gaps.go"), list)
	found := map[string]bool{}
	for name, dir := range judging {
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, sentinel := range sentinels(parseFile(t, path)) {
				full := name + "." + sentinel
				found[full] = true
				if listed[full] == (unreachable[full] != "") {
					t.Errorf("%s (%s): expected it in causes, or else among the unreachable ones", full, filepath.Base(path))
				}
			}
		}
	}
	// What is known to be there, so that the search can't be for nothing.
	for _, name := range []string{"trust.ErrMalformed", "trust.ErrMap", "provenance.ErrLog", "policy.ErrWeaker", "proof.ErrClaims", "release.ErrBinding"} {
		if !found[name] {
			t.Errorf("%s was not found", name)
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
