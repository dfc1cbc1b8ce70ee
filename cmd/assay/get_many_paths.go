package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/artifact"
	"assay/fetch"
)

const flagPathsFrom = "paths-from"

// The most that --paths-from takes.
const (
	maxPaths      = 100_000
	maxPathsBytes = 32 << 20
	maxTargetPath = 4096 // as package trust has it
)

// checkFlags refuses what says nothing of several targets.
func (g *manyGet) checkFlags(args []string) error {
	c := g.c
	switch what, output := c.String(flagPrint), c.String(flagOutput); {
	case c.IsSet(flagPathsFrom) && len(args) > 1:
		return usagef("--%s names the paths: expected only REPO beside it, found %q", flagPathsFrom, clip(args[1]))
	case strings.Contains(args[0], "://") || strings.Contains(args[0], "::"):
		return usagef("a URL is got by itself: expected REPO TARGET/PATH…, found %q", clip(args[0]))
	case c.IsSet(flagPrint) && what != "path" && what != "digest":
		return usagef("--print: of several targets expected path or digest, found %q", clip(what))
	case c.IsSet(flagPrint) && c.IsSet(flagOutput):
		return usagef("--print leaves the targets in the cache, -o writes them: expected one of them")
	case c.Bool(flagDryRun):
		return usagef("--dry-run is for one target: expected none with several")
	case c.IsSet(flagFormat):
		return usagef("--format chooses among the artifacts of a product: expected none with REPO TARGET/PATH")
	case output == "-":
		return usagef("-o - is for one target: expected a folder for several")
	}
	return refuseURLFlags(c)
}

// readPaths are the target paths that are asked for, each once, in the order in
// which they were first named.
func (g *manyGet) readPaths(args []string) ([]string, error) {
	var list []string
	seen := map[string]bool{}
	add := func(name string) error {
		if err := checkPath(name); err != nil {
			return err
		}
		if !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
		return nil
	}
	for _, arg := range args {
		if err := add(arg); err != nil {
			return nil, usagef("%v", err)
		}
	}
	if !g.c.IsSet(flagPathsFrom) {
		return list, nil
	}
	from := g.c.String(flagPathsFrom)
	text, err := g.app.readList(g.c.Context, from)
	if err != nil {
		return nil, err
	}
	where, number := "--"+flagPathsFrom+" "+clip(from), 0
	for line := range bytes.Lines(text) {
		number++
		name := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		if strings.TrimSpace(name) == "" {
			continue
		}
		if err := add(name); err != nil {
			return nil, usagef("%s: line %d: %v", where, number, err)
		}
		if len(list) > maxPaths {
			return nil, usagef("%s: line %d: expected at most %d paths, found more", where, number, maxPaths)
		}
	}
	if len(list) == 0 {
		return nil, usagef("%s: expected a target path a line, found none", where)
	}
	return list, nil
}

// checkPath refuses what can be no target's path.
func checkPath(name string) error {
	wrong := len(name) > maxTargetPath || !utf8.ValidString(name) || strings.ContainsRune(name, '\\') || strings.ContainsFunc(name, unicode.IsControl)
	for segment := range strings.SplitSeq(name, "/") {
		wrong = wrong || segment == "" || segment == "." || segment == ".."
	}
	if wrong {
		return fmt.Errorf("expected a target path like dir/file, found %q", clip(name))
	}
	return nil
}

// readList reads a file, or stdin for "-", of at most maxPathsBytes. Whoever gives
// the command up does not wait for what a pipe may bring.
func (a *app) readList(ctx context.Context, name string) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := a.readAll(name)
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case got := <-done:
		return got.text, got.err
	}
}

func (a *app) readAll(name string) ([]byte, error) {
	from := a.stdin
	if name != "-" {
		file, err := os.Open(a.path(name))
		if err != nil {
			return nil, fmt.Errorf("%w: --%s: %w", fetch.ErrInput, flagPathsFrom, err)
		}
		defer file.Close()
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, maxPathsBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: --%s: %w", fetch.ErrInput, flagPathsFrom, err)
	}
	if len(text) > maxPathsBytes {
		return nil, usagef("--%s %s: expected at most %d bytes, found more", flagPathsFrom, clip(name), maxPathsBytes)
	}
	return text, nil
}

// checkFiles looks at where the files are to be: in an existing folder, each under
// a name of its own that no folder has. Whether a file that is there already has
// the right bytes is found out when it is its turn.
func (g *manyGet) checkFiles() error {
	if g.c.IsSet(flagPrint) {
		return nil
	}
	g.folder = withSeparator(".")
	if to := g.c.String(flagOutput); to != "" {
		info, err := os.Stat(g.app.path(to))
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir():
			return withHint(usagef("-o: for several targets expected an existing folder, found none: %s", clip(to)), "make the folder, then run the command again")
		case err != nil:
			return fmt.Errorf("%w: %w", fetch.ErrOutput, err)
		}
		g.folder = withSeparator(to)
	}
	named := map[string]string{}
	for _, target := range g.paths {
		name := path.Base(target)
		if err := artifact.ValidFileName(name); err != nil {
			return withHint(usagef("%s: the target's name is not fit for a file here: %v", clip(target), err), "--print path leaves it in the cache; alone it can be named with -o FILE")
		}
		if other, twice := named[name]; twice {
			return withHint(usagef("%s and %s would both be written to %s%s: expected a name of its own for each", clip(other), clip(target), g.folder, clip(name)),
				"--print path leaves them in the cache; or get them one after the other, each into a folder of its own")
		}
		named[name] = target
		if info, err := os.Lstat(g.app.path(filepath.Join(g.folder, name))); err == nil && info.IsDir() {
			return fmt.Errorf("%w: %s%s %w", fetch.ErrExists, g.folder, name, fetch.ErrFolder)
		}
	}
	return nil
}
