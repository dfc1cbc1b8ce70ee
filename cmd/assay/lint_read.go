package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/artifact/release"
	"assay/fetch"
	"assay/trust"
)

// readSmall reads a regular file, or stdin for "-": at most one byte more than
// limit, so that whoever parses it sees that it is too long.
func (a *app) readSmall(name string, limit int64) ([]byte, error) {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(a.stdin, limit+1))
		if err != nil {
			return nil, fileError(fmt.Errorf("standard input: %w", err))
		}
		return data, nil
	}
	file, err := openRegular(a.path(name))
	if err != nil {
		return nil, fileError(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fileError(err)
	}
	return data, nil
}

// lintBeside compares a manifest with the checksums file in its own folder, if
// there is one, and returns that one's name.
func (a *app) lintBeside(name string, report *release.Report) (string, error) {
	if name == "-" || report.Release == nil || report.Release.Checksums == nil {
		return "", nil
	}
	beside := filepath.Join(filepath.Dir(name), path.Base(report.Release.Checksums.Target))
	if info, err := os.Stat(a.path(beside)); err != nil || !info.Mode().IsRegular() {
		return "", nil
	}
	data, err := a.readSmall(beside, checksums.MaxBytes)
	if err != nil {
		return "", err
	}
	lintSums(report, data)
	return beside, nil
}

// lintSums compares a manifest with the content of its checksums file.
func lintSums(report *release.Report, data []byte) {
	list, err := checksums.Parse(data)
	if err != nil {
		report.Add(release.UnreadableChecksums(err)...)
		return
	}
	listed := map[string]artifact.Digests{}
	beneath := map[string]bool{} // names that are listed in a directory
	for _, entry := range list.Entries() {
		base := path.Base(entry.Name)
		if base != entry.Name {
			beneath[base] = true
			continue
		}
		if listed[base], err = artifact.NewDigests(append(listed[base], entry.Digest)...); err != nil {
			report.Add(release.UnreadableChecksums(err)...)
			return
		}
	}
	for _, a := range report.Release.Artifacts {
		name := a.Name()
		if listed[name] != nil || !beneath[name] {
			continue
		}
		digests, err := list.Lookup(name)
		if errors.Is(err, checksums.ErrNotListed) {
			continue
		}
		if err != nil {
			report.Add(release.UnreadableChecksums(err)...)
			return
		}
		listed[name] = digests
	}
	report.Add(release.LintChecksums(report.Release, listed)...)
}

// lintTarget checks a document as a repository promises it, and all that the
// document names.
func (a *app) lintTarget(c *cli.Context, repository string, place release.Place) (lintedDoc, error) {
	s, err := a.session(c, repository)
	if err != nil {
		return lintedDoc{}, err
	}
	view, err := s.client.View(c.Context, repository)
	if err != nil {
		return lintedDoc{}, err
	}
	lookup := func() (trust.Target, error) { return view.Target(c.Context, place.Path()) }
	if place.Kind == release.KindCatalog || place.Kind == release.KindMirrors {
		lookup = func() (trust.Target, error) { return view.TopLevelTarget(place.Path()) }
	}
	target, err := lookup()
	if err != nil {
		return lintedDoc{}, err
	}
	data, err := readTarget(c, s.client, target, place.Limit())
	if err != nil {
		return lintedDoc{}, err
	}
	report := release.Lint(place, data, a.now())
	sums, err := a.lintPromises(c, s.client, view, &report)
	if err != nil {
		return lintedDoc{}, err
	}
	linted := newLintedDoc(report)
	linted.Repository, linted.Checksums = repository, sums
	return linted, nil
}

// lintPromises looks up what a document names, and compares a manifest with its
// checksums file, whose path it returns.
func (a *app) lintPromises(c *cli.Context, client *fetch.Client, view *trust.View, report *release.Report) (string, error) {
	var sums trust.Target
	findings, err := release.LintPromises(*report, func(path string) (release.Promised, bool, error) {
		target, err := view.Target(c.Context, path)
		if errors.Is(err, trust.ErrNoTarget) {
			return release.Promised{}, false, nil
		}
		if err != nil {
			return release.Promised{}, false, err
		}
		if r := report.Release; r != nil && r.Checksums != nil && path == r.Checksums.Target {
			sums = target
		}
		return release.Promised{Length: target.Length(), Digests: target.Digests()}, true, nil
	})
	if err != nil {
		return "", err
	}
	report.Add(findings...)
	if sums.IsZero() {
		return "", nil
	}
	data, err := readTarget(c, client, sums, checksums.MaxBytes)
	if err != nil {
		return "", err
	}
	lintSums(report, data)
	return sums.Path(), nil
}

// readTarget fetches a small target and reads it whole.
func readTarget(c *cli.Context, client *fetch.Client, target trust.Target, limit int64) ([]byte, error) {
	if target.Length() > limit {
		return nil, fmt.Errorf("%s: %w: expected at most %d bytes, %d are promised", target.Path(), release.ErrMalformed, limit, target.Length())
	}
	fetched, err := client.Fetch(c.Context, target)
	if err != nil {
		return nil, err
	}
	reader, err := fetched.Blob.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}
