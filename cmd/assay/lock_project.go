package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/lockfile"
	"assay/internal/config"
)

// project is where a project's tools stand, and what was locked of them.
type project struct {
	file  string // of the lock
	dir   string
	tools []*lockTool
	old   lockfile.File
	there bool // the file is
}

// lockTool is one of the tools, and what becomes of it.
type lockTool struct {
	config.Tool
	ref   artifact.Ref
	old   *lockfile.Product // nil: it is not locked yet
	picks []*lockPick
	found fetch.Chosen
}

// lockPick is an artifact to be locked.
type lockPick struct {
	platform  artifact.Platform
	release   fetch.Exact
	part      fetch.Part // by which it was selected
	selection fetch.Selection
	locked    lockfile.Artifact
	same      bool // as in the lock that is there
	moved     int64
}

// project reads what is asked for, and what is locked. No request is made.
func (a *app) project(cfg *config.Config) (*project, error) {
	if cfg.Project == "" {
		return nil, withHint(usagef("no project is here: expected an assay.toml in this folder or one above it, found none"),
			"write one that names the tools: `[tools]`, and below it lines like `hello = \"^1.4\"`")
	}
	p := &project{dir: filepath.Dir(cfg.Project)}
	p.file = filepath.Join(p.dir, lockfile.Name)
	var err error
	if p.old, err = lockfile.Read(p.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p.there = err == nil
	names := map[string]string{}
	for _, tool := range cfg.Tools {
		t := &lockTool{Tool: tool}
		if t.ref, err = artifact.ParseRef(tool.Name + "@" + tool.Selector); err != nil {
			return nil, err
		}
		if other, twice := names[t.ref.Product]; twice {
			return nil, usagef("%s: %s and %s are of one product: expected it once", tool.Origin, clip(other), clip(tool.Name))
		}
		names[t.ref.Product] = tool.Name
		for i, locked := range p.old.Products {
			if locked.Name == t.ref.Product && (t.ref.Repo == "" || t.ref.Repo == locked.Repository) {
				if t.old != nil {
					return nil, withHint(fmt.Errorf("%w: %s: expected %s once, found it of %s and of %s", errLock, p.file, t.ref.Product, t.old.Repository, locked.Repository), hintLock)
				}
				t.old = &p.old.Products[i]
			}
		}
		p.tools = append(p.tools, t)
	}
	return p, nil
}

func (t *lockTool) named(name string) bool { return name == t.Name || name == t.ref.Product }

func (p *project) names() []string {
	var names []string
	for _, t := range p.tools {
		names = append(names, t.Name)
	}
	return names
}
