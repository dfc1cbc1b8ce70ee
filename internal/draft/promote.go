package draft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/internal/durable"
)

// NoChannel stands in place of the channel that a release comes from where it has
// been in none yet.
const NoChannel = "-"

// Promotion says which release is to go where.
type Promotion struct {
	Dir     string // the tree of targets
	Product string
	Version artifact.Version
	From    string // a channel that has the release, or NoChannel
	To      string // the channel that will have it; its index need not exist yet
	Now     time.Time

	MaxAge  release.Duration // of the index; 0: as it is
	Rollout []Step           // how the release reaches the machines; nil: all at once
	// Backport adds a release that is older than what is current, for exact versions
	// and ranges.
	Backport bool
	// Catalog makes catalog.json where there is none.
	Catalog bool
}

// Step is a share of the machines and when, from the promotion on, they are reached.
type Step struct {
	Percent int
	After   time.Duration
}

// Document is a document of the tree of targets that was edited.
type Document struct {
	Place   release.Place
	Data    []byte // as it will be written
	Changed bool   // the file is another one

	old []byte // as it was read; nil: there is none
}

// Promoted is a promotion that was worked out, and not written yet.
type Promoted struct {
	Status     release.Status // what the channel will say of the release
	Documents  []Document     // the index, then the catalog where there is one
	Superseded []artifact.Version
	// NoCatalog: there is no catalog.json, so that nobody finds the product by it.
	NoCatalog bool
	// NoManifest: the manifest does not lie in the tree, and was not looked at.
	NoManifest bool

	dir string
}

// Promote works out what changes in a tree of targets when a release goes from one
// channel to another. The channel that it comes from stays as it is: whoever holds
// one channel's key alone can promote to it. In the other one the release becomes
// current, and what was current and older is superseded; with a rollout the release
// that it replaces stays current until the next promotion, for the machines that
// are not reached yet.
//
// Errors wrap ErrNoRelease, ErrRevoked, ErrPromotion or ErrInput, or one of package
// release's where a document of the tree can't be read.
func Promote(p Promotion) (*Promoted, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	out := &Promoted{dir: p.Dir}
	manifest, err := p.manifest(out)
	if err != nil {
		return nil, err
	}
	if err := p.listed(); err != nil {
		return nil, err
	}
	if err := p.promoteIndex(out); err != nil {
		return nil, err
	}
	return out, p.enterCatalog(out, manifest)
}

// check refuses what can't be meant.
func (p Promotion) check() error {
	if err := artifact.ValidProduct(p.Product); err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	for _, channel := range []string{p.From, p.To} {
		if err := artifact.ValidChannel(channel); err != nil && (channel != NoChannel || channel == p.To) {
			return fmt.Errorf("%w: %w", ErrInput, err)
		}
	}
	switch {
	case p.From == p.To:
		return fmt.Errorf("%w: expected two channels, found %s twice", ErrInput, quote(p.To))
	case p.To == "deprecated":
		return fmt.Errorf("%w: expected a channel to promote to, found deprecated: a release is deprecated with a reason, which people write", ErrInput)
	case p.Backport && p.Rollout != nil:
		return fmt.Errorf("%w: expected no rollout of a release that is not current, found one", ErrInput)
	}
	return checkSteps(p.Rollout)
}

// manifest reads the release's manifest. It has to be there for a release that no
// channel has had; else the channel's index vouches for it.
func (p Promotion) manifest(out *Promoted) (*release.Release, error) {
	place := release.Place{Kind: release.KindRelease, Product: p.Product, Version: p.Version}
	data, err := p.read(place)
	switch {
	case err != nil:
		return nil, err
	case data == nil && p.From == NoChannel:
		return nil, fmt.Errorf("%w: %s: expected a manifest at %s, found none", ErrNoRelease, p.name(), place.Path())
	case data == nil:
		out.NoManifest = true
		return nil, nil
	}
	return release.DecodeRelease(data, p.Product, p.Version)
}

func (p Promotion) name() string { return p.Product + " " + p.Version.String() }

// read reads a document of the tree; nil where there is none.
func (p Promotion) read(place release.Place) ([]byte, error) {
	data, err := readSmall(filepath.Join(p.Dir, filepath.FromSlash(place.Path())), place.Limit())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil && !errors.Is(err, ErrInput):
		return nil, disk(err)
	}
	return data, err
}

// Changed reports whether there is something to write.
func (p *Promoted) Changed() bool {
	return slices.ContainsFunc(p.Documents, func(d Document) bool { return d.Changed })
}

// Write puts the documents into the tree. The index comes first, so that the
// catalog names no channel that has none. A document that was changed since it was
// read is an ErrChanged; two processes write one after the other.
//
// Crash here: the index is the new one and the catalog the old one; the same
// promotion again finds the index as it should be, and goes on with the catalog. A
// hidden file that a crash left beside a document goes with the next one written.
func (p *Promoted) Write(ctx context.Context) error {
	held, err := lockTree(ctx, p.dir)
	if err != nil {
		return err
	}
	defer held.release()
	for _, d := range p.Documents {
		if !d.Changed {
			continue
		}
		if err := p.write(d, held); err != nil {
			return err
		}
	}
	return nil
}

func (p *Promoted) write(d Document, held treeLock) error {
	path := filepath.Join(p.dir, filepath.FromSlash(d.Place.Path()))
	now, err := readSmall(path, d.Place.Limit())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return disk(err)
	}
	if string(now) != string(d.old) {
		return fmt.Errorf("%w: %s", ErrChanged, d.Place.Path())
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return disk(err)
	}
	if err := held.sweep(filepath.Dir(path), filepath.Base(path)); err != nil {
		return err
	}
	return disk(durable.WriteFile(path, d.Data, 0o644))
}
