package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/internal/draft/drafttest"
	"assay/internal/testrepo"
)

// distCommand is the script command `dist VERB ARGS…`:
//
//	dist make DIR PROJECT VERSION [-END…]  write what goreleaser leaves, but for files whose names end so;
//	                                       the checksums are signed by a Sigstore of its own
//	dist team FILE                         write the defaults of assay's own releases, packaging/team.toml, with the
//	                                       toolchain, which programs of Go say themselves
//	dist publish NAME DIR                  have the repository NAME promise what lies in a tree of
//	                                       targets, one role for each product and each channel, and publish
func distCommand(ts *testscript.TestScript, neg bool, args []string) {
	least := map[string]int{"make": 4, "team": 2, "publish": 3}
	if neg || len(args) == 0 || len(args) < least[args[0]] {
		ts.Fatalf("usage: dist make DIR PROJECT VERSION | dist team FILE | dist publish NAME DIR")
	}
	switch args[0] {
	case "team":
		data, err := os.ReadFile(filepath.Join("..", "..", "packaging", "team.toml"))
		ts.Check(err)
		text := strings.Replace(string(data), "[build]\n", "[build]\ntoolchain = \"sh\"\n", 1)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
	case "make":
		box, err := testrepo.NewSigstore(nil)
		ts.Check(err)
		d := drafttest.Dist{Project: args[2], Version: args[3], Sign: func(sums []byte) ([]byte, error) {
			return box.Bundle(testrepo.BundleOptions{Data: sums})
		}}
		for _, end := range args[4:] {
			d.Without = append(d.Without, strings.TrimPrefix(end, "-"))
		}
		ts.Check(d.Write(ts.MkAbs(args[1])))
	case "publish":
		publishTree(ts, servedBy(ts).repos[args[1]], ts.MkAbs(args[2]))
	default:
		ts.Fatalf("dist: unknown verb %s", args[0])
	}
}

// publishTree is what a publisher's TUF tool does with a tree of targets.
func publishTree(ts *testscript.TestScript, repo *testrepo.Repo, dir string) {
	ts.Check(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		local, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		target := filepath.ToSlash(local)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		role, rest, nested := strings.Cut(target, "/")
		if !nested {
			return repo.AddTarget(target, data)
		}
		if !slices.Contains(repo.Roles(), role) {
			pattern := role + "/*" + strings.Repeat("/*", strings.Count(rest, "/"))
			if err := repo.Delegate("targets", testrepo.DelegatedRole{Name: role, Paths: []string{pattern}}); err != nil {
				return err
			}
		}
		return repo.AddTarget(target, data, role)
	}))
	ts.Check(repo.Publish())
}
