package draft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/internal/durable"
)

// NoChannel stands in place of the channel that a release comes from where it has
// been in none yet.
const NoChannel = "-"

// maxChannels bounds the channel indexes of a product that are looked through; a
// catalog can list 64 of them.
const maxChannels = 1000

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

func (p Promotion) index(channel string) (release.Place, []byte, *release.Channel, error) {
	place := release.Place{Kind: release.KindChannel, Product: p.Product, Channel: channel}
	data, err := p.read(place)
	if err != nil || data == nil {
		return place, nil, nil, err
	}
	index, err := release.DecodeChannel(data, p.Product, channel)
	return place, data, index, err
}

// listed looks for the release in the channels: the one that it comes from must
// have it, and revoked in one is revoked in all.
func (p Promotion) listed() error {
	if p.From != NoChannel {
		place, _, from, err := p.index(p.From)
		if err != nil {
			return err
		}
		if from == nil {
			return fmt.Errorf("%w: expected the channel's index at %s, found none", ErrNoRelease, place.Path())
		}
		entry, ok := from.Lookup(p.Version)
		if !ok {
			return fmt.Errorf("%w: expected %s in the channel %s, found %d others", ErrNoRelease, p.name(), p.From, len(from.Releases))
		}
		if entry.Status == release.StatusDeprecated {
			return fmt.Errorf("%w: %s is deprecated in the channel %s: %s", ErrPromotion, p.name(), p.From, quote(entry.Reason))
		}
	}
	found, err := filepath.Glob(filepath.Join(globQuoted(p.Dir), "channel-*", p.Product+".json"))
	if err != nil || len(found) > maxChannels {
		return fmt.Errorf("%w: expected at most %d channels, found %d (%v)", ErrInput, maxChannels, len(found), err)
	}
	for _, path := range found {
		channel := strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "channel-")
		if artifact.ValidChannel(channel) != nil {
			continue // no client asks for it
		}
		_, _, index, err := p.index(channel)
		if err != nil {
			return err
		}
		if index == nil {
			continue
		}
		if entry, ok := index.Lookup(p.Version); ok && entry.Status == release.StatusRevoked {
			return fmt.Errorf("%s is %w in the channel %s: %s", p.name(), ErrRevoked, channel, quote(entry.Reason))
		}
	}
	return nil
}

// globQuoted is a path that stands for itself in a pattern. Windows has no escapes in
// patterns, and none of these characters but "[" in paths.
func globQuoted(dir string) string {
	if os.PathSeparator == '\\' {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// Changed reports whether there is something to write.
func (p *Promoted) Changed() bool {
	return slices.ContainsFunc(p.Documents, func(d Document) bool { return d.Changed })
}

// Write puts the documents into the tree. The index comes first, so that the
// catalog names no channel that has none. A document that was changed since it was
// read is an ErrChanged.
//
// Crash here: the index is the new one and the catalog the old one; the same
// promotion again finds the index as it should be, and goes on with the catalog.
func (p *Promoted) Write() error {
	for _, d := range p.Documents {
		if !d.Changed {
			continue
		}
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
		if err := durable.WriteFile(path, d.Data, 0o644); err != nil {
			return disk(err)
		}
	}
	return nil
}
