package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/install"
	"assay/trust"
	"assay/trust/proof"
)

// unlinked is the state of an installed release that is good, and whose programs can't
// be called as they should.
const unlinked fetch.State = "unlinked"

// installedStanding is one installed release, judged today, with its files.
type installedStanding struct {
	State      fetch.State      `json:"state"`
	Detail     string           `json:"detail,omitempty"`
	Note       string           `json:"note,omitempty"` // what could not be looked at as well as it should
	Repository string           `json:"repository"`
	Product    string           `json:"product"`
	Version    string           `json:"version,omitempty"`
	Target     string           `json:"target,omitempty"`
	Digests    artifact.Digests `json:"digests,omitempty"`
	Kept       string           `json:"kept"`             // as what: current, kept (to go back to), loose (it was only run)
	Folder     string           `json:"folder,omitempty"` // of the files
	Evidence   *trust.Evidence  `json:"evidence,omitempty"`
}

// installedSum counts what is installed, as heldDoc does what is held.
type installedSum struct {
	Good  int                 `json:"good"`
	Noted int                 `json:"noted"`
	Bad   int                 `json:"bad"`
	List  []installedStanding `json:"releases"`
}

// inspection judges what is installed. held are the standings of what is held, which
// were found before, by repository and target.
type inspection struct {
	session *session
	store   *install.Store
	held    map[[2]string]fetch.Standing
	failed  *heldError
	doc     installedSum
}

// inspection opens what is installed; where no folder for it is known, nothing is.
func (a *app) inspection(s *session, failed *heldError) (*inspection, error) {
	v := &inspection{session: s, held: map[[2]string]fetch.Standing{}, failed: failed, doc: installedSum{List: []installedStanding{}}}
	if s.config.NeedInstallDirs() != nil {
		return v, nil
	}
	var err error
	v.store, err = a.installer(s)
	return v, err
}

// verifyInstalled judges all that is installed: what becomes of it as what is held,
// and its files.
func (v *inspection) verifyInstalled(ctx context.Context) error {
	if v.store == nil {
		return nil
	}
	names, err := v.store.Known()
	if err != nil {
		return err
	}
	_, broken, err := v.store.List()
	if err != nil {
		return err
	}
	for _, b := range broken {
		v.add(installedStanding{Repository: b.Repository, Product: b.Product, Kept: "current"},
			fetch.Standing{Receipt: &proof.Receipt{Repository: b.Repository, Product: b.Product}, State: fetch.Unknown, Err: b.Err, Detail: b.Err.Error()}, true)
	}
	for _, name := range names {
		list, current, err := v.store.Generations(name)
		if err != nil && !errors.Is(err, install.ErrRecord) { // else it is among the broken
			return err
		}
		for _, g := range list {
			if err := v.release(ctx, g, g.Number == current); err != nil {
				return err
			}
		}
	}
	return nil
}

// release judges one that is installed.
func (v *inspection) release(ctx context.Context, g install.Generation, current bool) error {
	as := "kept"
	switch {
	case current:
		as = "current"
	case g.Loose:
		as = "loose"
	}
	item := installedStanding{
		Repository: g.Repository, Product: g.Product, Version: g.Version, Target: g.Target, Digests: g.Digests, Kept: as, Folder: g.Tree(),
	}
	standing, hashed, err := v.judge(ctx, g)
	if err != nil {
		return err
	}
	counted := hashed && standing.Err != nil
	item.Note, err = v.files(ctx, g, standing, hashed)
	switch cause := context.Cause(ctx); {
	case cause != nil:
		return cause
	case err == nil:
	case errors.Is(err, install.ErrDamaged):
		standing.State, standing.Err, standing.Detail, counted = fetch.Changed, err, err.Error(), false
	case standing.Err == nil:
		standing.State, standing.Err, standing.Detail, counted = fetch.Unknown, err, err.Error(), false
	}
	if standing.State == fetch.Good && current {
		if text := v.links(g); text != "" {
			standing.State, standing.Detail = unlinked, text
		}
	}
	v.add(item, standing, !counted)
	return nil
}

// judge tells how a release stands today: as the artifact that is held, where that was
// judged, and its bytes hashed, just now.
func (v *inspection) judge(ctx context.Context, g install.Generation) (s fetch.Standing, hashed bool, err error) {
	s, known := v.held[[2]string{g.Repository, g.Target}]
	if known && s.Receipt.Digests.Agree(g.Digests) {
		return s, true, nil
	}
	s, err = v.session.client.JudgeInstalled(ctx, g.Repository, g.Target, g.Digests)
	return s, false, err
}

// files compares a release's files with those of its artifact, or, where that is not
// held any more, with the record; the note says so.
func (v *inspection) files(ctx context.Context, g install.Generation, s fetch.Standing, hashed bool) (note string, err error) {
	blob, err := v.session.cache.Get(g.Digests.Primary())
	if err == nil && !hashed {
		err = rehash(blob)
	}
	if errors.Is(err, cache.ErrMissing) {
		note = "its artifact is not held any more: its files were compared with what was written down when it was installed"
		return note, v.store.Check(ctx, g)
	}
	if err != nil {
		return "", err
	}
	if len(s.Listed.Executables) > 0 {
		g.Executables, g.Format = s.Listed.Executables, s.Listed.Format // whatever the record says
	}
	return "", v.store.Verify(ctx, g, blob)
}

// rehash reads a blob, which compares what it reads with the digest.
func rehash(blob cache.Blob) error {
	reader, err := blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	_, err = io.Copy(io.Discard, reader)
	return err
}

// links tells which programs can't be called by their links.
func (v *inspection) links(g install.Generation) string {
	var texts []string
	for _, program := range g.Programs() {
		if _, is := v.store.Link(g, program); !is {
			found, mend := lostLink(v.store, g, program)
			texts = append(texts, found+"; "+mend)
		}
	}
	return strings.Join(texts, ", ")
}

// add counts a release. What was counted among the held artifacts fails once.
func (v *inspection) add(item installedStanding, s fetch.Standing, fails bool) {
	item.State, item.Detail, item.Evidence = s.State, s.Detail, s.Evidence
	switch {
	case s.State == fetch.Good:
		v.doc.Good++
	case s.Err == nil:
		v.doc.Noted++
	default:
		v.doc.Bad++
		if fails {
			v.failed.note(s)
		}
	}
	v.doc.List = append(v.doc.List, item)
}

// what names the release, as far as it is known.
func (s installedStanding) what() string { return strings.TrimSpace(s.Product + " " + s.Version) }

// showInstalled lists what is not good, and counts the rest; nothing where nothing is
// installed.
func (a *app) showInstalled(doc *installedSum) {
	if len(doc.List) == 0 {
		return
	}
	for _, s := range doc.List {
		where := map[string]string{"current": "installed", "kept": "kept to go back to", "loose": "kept to be run"}[s.Kept]
		if s.State != fetch.Good {
			a.out.line("%s  %s of %s, %s: %s", a.stateMark(s.State), s.what(), s.Repository, where, s.Detail)
		}
		if s.Note != "" {
			a.out.line("%s  %s of %s, %s: %s", a.stateMark(fetch.Unknown), s.what(), s.Repository, where, s.Note)
		}
	}
	a.out.line("%d installed or kept: %d good, %d with a warning, %d not good", len(doc.List), doc.Good, doc.Noted, doc.Bad)
}

// mend is the command that mends files that were changed; empty: they are not what is
// worst.
func (d *installedSum) mend(worst fetch.State) string {
	i := slices.IndexFunc(d.List, func(s installedStanding) bool { return s.State == fetch.Changed && s.Kept == "current" })
	switch {
	case worst != fetch.Changed || !slices.ContainsFunc(d.List, func(s installedStanding) bool { return s.State == fetch.Changed }):
		return ""
	case i < 0:
		return "what runs is whole; the files are unpacked anew, from what is proven then, when it is gone back to"
	}
	s := d.List[i]
	return fmt.Sprintf("do not run it: `assay rollback %s:%s --to %s` unpacks it anew from what was proven; then find out who changed it", s.Repository, s.Product, s.Version)
}
