package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
)

// Exact names a release that was chosen before, by a lock for one, and where it was
// found.
type Exact struct {
	Repository string
	Product    string
	Version    artifact.Version
	Channel    string // looked in first; then in all others of the product
}

// Chosen is the release that a Ref means, whatever the platform.
type Chosen struct {
	Exact
	Why      string
	Passed   []Passed // newer ones that were not chosen
	Warnings []string
	// Platforms are those that it has artifacts for, each once, sorted by name; of a
	// release that was named by a digest that of the artifact alone.
	Platforms []artifact.Platform
	Target    string // of the artifact that was named by its digest; else empty
}

// Choose finds out which release a Ref means, as Resolve does, but for the platform.
// Expired metadata chooses nothing, whatever the selector. Where others must approve,
// they are asked about the manifest; about each artifact by SelectExact.
func (c *Client) Choose(ctx context.Context, ref artifact.Ref) (Chosen, error) {
	if ref.Selector.Kind == artifact.ByDigest {
		return c.chooseDigest(ctx, ref)
	}
	shelf, chooser, err := c.chooser(ctx, ref, false)
	if err != nil {
		return Chosen{}, err
	}
	ch, err := chooser.choose(ref.Selector)
	if err != nil {
		return Chosen{}, err
	}
	return shelf.chosen(ctx, ch)
}

// ChooseAgain finds a release that was chosen before, for its platforms. Expired
// metadata finds nothing. The errors are those of SelectExact.
func (c *Client) ChooseAgain(ctx context.Context, exact Exact) (Chosen, error) {
	shelf, ch, err := c.again(ctx, exact, false)
	if err != nil {
		return Chosen{}, err
	}
	return shelf.chosen(ctx, ch)
}

func (s *shelf) chosen(ctx context.Context, ch choice) (Chosen, error) {
	m, err := s.manifest(ctx, ch.entry.Manifest)
	if err != nil {
		return Chosen{}, err
	}
	return Chosen{
		Exact: Exact{s.view.Repository(), m.Product, m.Version, ch.channel},
		Why:   ch.why, Passed: ch.passed, Warnings: ch.warnings, Platforms: platformsOf(m.Release),
	}, nil
}

func (c *Client) chooseDigest(ctx context.Context, ref artifact.Ref) (Chosen, error) {
	selection, err := c.Resolve(ctx, Request{Ref: ref})
	if err != nil {
		return Chosen{}, err
	}
	return Chosen{
		Exact:     Exact{selection.Repository, selection.Product, selection.Version, selection.Channel},
		Why:       selection.Why,
		Warnings:  selection.Warnings,
		Platforms: []artifact.Platform{selection.Platform}, Target: selection.Target.Path(),
	}, nil
}

// platformsOf are the platforms that a release has artifacts for.
func platformsOf(doc *release.Release) []artifact.Platform {
	var list []artifact.Platform
	for _, a := range doc.Artifacts {
		if !slices.Contains(list, a.Platform()) {
			list = append(list, a.Platform())
		}
	}
	slices.SortFunc(list, func(a, b artifact.Platform) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// Part says which artifact of a release is meant.
type Part struct {
	Platform artifact.Platform // that it must suit
	Target   string            // its path; empty: whichever suits the platform best
	Format   string            // needed, without a path, where a platform has several that fit
	// Held: it is also found in metadata that has expired, see trust.View.HeldTarget.
	Held bool
}

// SelectExact finds an artifact of a release that was chosen before. A release that
// is revoked by now is ErrRevoked. One that no channel lists any more, or whose files
// are not promised any more, is ErrWithdrawn; one that lists no such artifact is
// ErrUnknown.
func (c *Client) SelectExact(ctx context.Context, exact Exact, part Part) (Selection, error) {
	shelf, ch, err := c.again(ctx, exact, part.Held)
	if err != nil {
		return Selection{}, err
	}
	selection, err := shelf.selectPart(ctx, exact, ch, part)
	if errors.Is(err, trust.ErrNoTarget) {
		err = fmt.Errorf("%w: %w", ErrWithdrawn, err)
	}
	return selection, err
}

// SelectDelisted finds an artifact of a release that no channel lists any more, by its
// manifest, which is promised still, and what that says is judged. It was asked for by
// no channel and has no status, so that the rules for every channel are for it. Where
// the manifest or the artifact is not promised any more it is ErrWithdrawn; bytes that
// are revoked under any name, or were found so once, are ErrRevoked.
func (c *Client) SelectDelisted(ctx context.Context, exact Exact, part Part) (Selection, error) {
	shelf, err := c.shelf(ctx, exact.Repository, part.Held)
	if err != nil {
		return Selection{}, err
	}
	says, err := shelf.says(ctx, exact.Product)
	if err == nil {
		err = says.refuseRevoked(exact.Version)
	}
	if err != nil {
		return Selection{}, err
	}
	ch := choice{why: "named exactly", entry: release.ChannelEntry{Version: exact.Version, Manifest: release.ManifestPath(exact.Product, exact.Version)}}
	selection, err := shelf.selectPart(ctx, exact, ch, part)
	if errors.Is(err, trust.ErrNoTarget) {
		err = fmt.Errorf("%w: %w", ErrWithdrawn, err)
	}
	return selection, err
}

func (c *Client) again(ctx context.Context, exact Exact, held bool) (*shelf, choice, error) {
	shelf, err := c.shelf(ctx, exact.Repository, held)
	if err != nil {
		return nil, choice{}, err
	}
	says, err := shelf.says(ctx, exact.Product)
	if err != nil {
		return nil, choice{}, err
	}
	ch, err := says.again(exact)
	return shelf, ch, err
}

// again finds a release that was chosen before in the channels: in the one where it
// was, or else in any.
func (c *chooser) again(exact Exact) (choice, error) {
	if err := c.refuseRevoked(exact.Version); err != nil {
		return choice{}, err
	}
	ch := choice{why: "named exactly", least: c.leastStatus(exact.Version)}
	for _, index := range c.indexes {
		entry, ok := index.Lookup(exact.Version)
		if ok && (ch.channel == "" || index.Channel == exact.Channel) {
			ch.entry, ch.channel = entry, index.Channel
		}
	}
	if ch.channel == "" {
		return choice{}, fmt.Errorf("%w: no channel of %s lists %s %s", ErrWithdrawn, exact.Repository, exact.Product, exact.Version)
	}
	ch.unasked = ch.channel != exact.Channel
	if ch.entry.Status == release.StatusDeprecated {
		ch.warnings = []string{deprecation(exact.Product, ch.entry)}
	}
	return ch, nil
}

func (s *shelf) selectPart(ctx context.Context, exact Exact, ch choice, part Part) (Selection, error) {
	m, err := s.manifest(ctx, ch.entry.Manifest)
	if err != nil {
		return Selection{}, err
	}
	if part.Target == "" {
		chosen, err := pick(m.Release, Request{Platform: part.Platform, Format: part.Format})
		if err != nil {
			return Selection{}, err
		}
		return s.selection(ctx, m, ch, chosen, part.Platform)
	}
	var others []string
	for _, listed := range m.Artifacts {
		if part.Platform.Rank(listed.OS, listed.Arch, listed.Variant) == 0 {
			continue
		}
		target, err := s.artifact(ctx, m, listed)
		if err != nil {
			return Selection{}, err
		}
		if target.Path() == part.Target {
			return s.selection(ctx, m, ch, listed, part.Platform)
		}
		others = append(others, target.Path())
	}
	return Selection{}, fmt.Errorf("%w: %s %s lists no %s for %s; it lists %s", ErrUnknown, exact.Product, exact.Version, part.Target, part.Platform, quoteAll(firstOf(others, 8)))
}

// Documents are the digests of what finding and proving a release again takes,
// beside its artifacts: the catalog, the channels, the manifest, and the signatures
// and bills of materials that it names. What is not promised any more is left out.
// Whoever wants to do so offline has the cache keep them.
func (c *Client) Documents(ctx context.Context, exact Exact) ([]artifact.Digest, error) {
	shelf, err := c.shelf(ctx, exact.Repository, true)
	if err != nil {
		return nil, err
	}
	var paths []string
	if says, err := shelf.says(ctx, exact.Product); err != nil {
		return nil, err
	} else {
		for _, index := range says.indexes {
			paths = append(paths, release.ChannelPath(exact.Product, index.Channel))
		}
	}
	manifest := release.ManifestPath(exact.Product, exact.Version)
	m, err := shelf.manifest(ctx, manifest)
	switch {
	case errors.Is(err, trust.ErrNoTarget), errors.Is(err, ErrOffline): // withdrawn, or another's
	case err != nil:
		return nil, err
	default:
		paths = append(paths, manifest)
		for _, named := range m.Targets() {
			if !slices.ContainsFunc(m.Artifacts, func(a release.Artifact) bool { return a.Target == named.Path }) {
				paths = append(paths, named.Path)
			}
		}
	}
	targets := []trust.Target{}
	if target, err := shelf.view.HeldTopLevelTarget(release.CatalogPath); err == nil {
		targets = append(targets, target)
	}
	for _, path := range paths {
		target, err := shelf.target(ctx, path)
		if errors.Is(err, trust.ErrNoTarget) {
			continue
		}
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	var digests []artifact.Digest
	for _, target := range targets {
		digests = append(digests, target.Digests().Primary())
	}
	return digests, nil
}
