package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
)

// ErrNoLayout: a filter was set for a repository that does not follow the release
// layout, so that nobody knows what it means.
var ErrNoLayout = errors.New("no catalog.json to filter by")

// selection is what of a repository is carried, and how.
type selection struct {
	targets  []promise
	judged   map[string]bool              // artifacts of releases, by path
	groups   map[string]PlanGroup         // product and channel of a path
	attested map[artifact.Digest][]string // bundles, by what they are about
	faults   []Fault                      // documents that can't be read
}

// folder is where a release lies.
type folder struct {
	product string
	version artifact.Version
}

// leaf is what a manifest says, as far as it decides what is carried.
type leaf struct {
	published time.Time
	artifacts []leafArtifact
	shared    []string // bundles over the checksums file, which count for all
	fault     error
}

type leafArtifact struct {
	target   string
	platform artifact.Platform
	digests  artifact.Digests
	beside   []string // its SBOM and its bundles
	bundles  []string
}

// isDocument reports whether a target is one of the documents by which the others
// are chosen.
func isDocument(path string) bool {
	_, ok := release.ParsePlace(path)
	return ok
}

// promises lists all that the upstream promises.
func promises(ctx context.Context, view *trust.View) ([]promise, error) {
	var list []promise
	for target, err := range view.Targets(ctx) {
		if err != nil {
			return nil, err
		}
		list = append(list, promise{path: target.Path(), digests: target.Digests(), length: target.Length(), target: target})
	}
	return list, nil
}

// choose decides what is carried. The documents that are held are read, the others
// count as faults: whoever calls it has fetched them.
func (r *repository) choose(ctx context.Context, s Session, targets []promise) (*selection, error) {
	sel := &selection{targets: targets, judged: map[string]bool{}, groups: map[string]PlanGroup{}, attested: map[artifact.Digest][]string{}}
	if _, err := s.View().TopLevelTarget(release.CatalogPath); errors.Is(err, trust.ErrNoTarget) {
		if !r.settings.Filter.IsZero() {
			return nil, fmt.Errorf("%s: %w", r.settings.Name, ErrNoLayout)
		}
		for i := range targets {
			targets[i].carried = true
		}
		return sel, nil
	} else if err != nil {
		return nil, err
	}
	leaves, err := r.leaves(ctx, s, sel)
	if err != nil {
		return nil, err
	}
	listed, err := r.channels(ctx, s, sel)
	if err != nil {
		return nil, err
	}
	r.settings.Filter.unknown(sel)
	chosen := r.releases(leaves, listed)
	left := r.settings.leftOut(leaves, chosen, sel)
	for i := range targets {
		t := &targets[i]
		t.carried = r.settings.carries(t.path, leaves, chosen, left)
		if at, ok := folderOf(t.path); ok && leaves[at] != nil && leaves[at].fault != nil && !isDocument(t.path) {
			sel.judged[t.path] = true // nobody knows what is an artifact there
		}
		sel.groups[t.path] = groupOf(t.path, listed)
	}
	return sel, nil
}

// unknown notes the words of a filter that the repository does not know: misspelt, or
// gone. A run that carries nothing for them must not look complete.
func (f Filter) unknown(sel *selection) {
	products, channels := map[string]bool{}, map[string]bool{}
	for _, t := range sel.targets {
		if place, ok := release.ParsePlace(t.path); ok && place.Kind == release.KindChannel {
			products[place.Product], channels[place.Channel] = true, true
		}
	}
	for _, name := range f.Products {
		if !products[name] {
			sel.faults = append(sel.faults, Fault{Path: release.CatalogPath, Reason: fmt.Sprintf("the filter names a product %.80q, found none of that name", name)})
		}
	}
	for _, name := range f.Channels {
		if !channels[name] {
			sel.faults = append(sel.faults, Fault{Path: release.CatalogPath, Reason: fmt.Sprintf("the filter names a channel %.80q, found none of that name", name)})
		}
	}
}

// carries decides about one target.
func (s Settings) carries(path string, leaves map[folder]*leaf, chosen map[folder]bool, left map[string]bool) bool {
	place, isPlace := release.ParsePlace(path)
	if at, ok := folderOf(path); ok {
		if _, known := leaves[at]; known {
			return chosen[at] && !left[path]
		}
	}
	switch {
	case isPlace && place.Kind == release.KindChannel:
		return s.Filter.product(place.Product)
	case isPlace || path == release.TrustedRootPath:
		return true
	}
	return len(s.Filter.Products) == 0 && len(s.Filter.Channels) == 0
}

func (f Filter) product(name string) bool {
	return len(f.Products) == 0 || slices.Contains(f.Products, name)
}

// leaves reads the manifests of all products that are carried.
func (r *repository) leaves(ctx context.Context, s Session, sel *selection) (map[folder]*leaf, error) {
	leaves := map[folder]*leaf{}
	seen := map[artifact.Digest]*leaf{}
	for _, t := range sel.targets {
		place, ok := release.ParsePlace(t.path)
		if !ok || place.Kind != release.KindRelease {
			continue
		}
		at := folder{place.Product, place.Version}
		if !r.settings.Filter.product(place.Product) {
			leaves[at] = &leaf{}
			continue
		}
		l := r.known[t.key()]
		if l == nil {
			l = &leaf{}
			data, err := r.read(ctx, s, t.target, place.Limit())
			if err == nil {
				var doc *release.Release
				if doc, err = s.View().Release(t.target, data); err == nil {
					l = leafOf(doc)
				}
			}
			if stop := r.stops(ctx, s, err); stop != nil {
				return nil, stop
			}
			if l.fault = err; err != nil {
				sel.faults = append(sel.faults, Fault{Path: t.path, Reason: err.Error()})
			}
		}
		if leaves[at] = l; l.fault == nil { // else it is read again
			seen[t.key()] = l
		}
	}
	r.known = seen
	return leaves, nil
}

// leafOf keeps of a manifest what decides.
func leafOf(doc *release.Release) *leaf {
	l := &leaf{published: doc.Published}
	if doc.Checksums != nil {
		l.shared = doc.Checksums.Bundles
	}
	for _, a := range doc.Artifacts {
		l.artifacts = append(l.artifacts, leafArtifact{
			target: a.Target, platform: a.Platform(), digests: a.Digests, bundles: a.Bundles,
			beside: append(slices.Clone(a.Bundles), a.SBOM),
		})
	}
	return l
}

// channels reads the channel indexes: which releases they list, the newest first.
func (r *repository) channels(ctx context.Context, s Session, sel *selection) (map[folder][]string, error) {
	listed := map[folder][]string{}
	for _, t := range sel.targets {
		place, ok := release.ParsePlace(t.path)
		if !ok || place.Kind != release.KindChannel || !r.settings.Filter.product(place.Product) {
			continue
		}
		data, err := r.read(ctx, s, t.target, place.Limit())
		var index *release.Channel
		if err == nil {
			index, err = release.DecodeChannel(data, place.Product, place.Channel)
		}
		if stop := r.stops(ctx, s, err); stop != nil {
			return nil, stop
		}
		if err != nil {
			sel.faults = append(sel.faults, Fault{Path: t.path, Reason: err.Error()})
			continue
		}
		if wanted := r.settings.Filter.Channels; len(wanted) > 0 && !slices.Contains(wanted, place.Channel) {
			continue
		}
		entries := slices.Clone(index.Releases)
		slices.SortStableFunc(entries, func(x, y release.ChannelEntry) int { return y.Version.Compare(x.Version) })
		kept := 0
		for _, e := range entries {
			at := folder{place.Product, e.Version}
			if !r.settings.Filter.IsZero() && e.Status == release.StatusRevoked {
				continue
			}
			if v := r.settings.Filter.Versions; v != nil && !v.Contains(e.Version) {
				continue
			}
			if keep := r.settings.Filter.Keep; keep > 0 && kept >= keep {
				break
			}
			kept++
			listed[at] = append(listed[at], place.Channel)
		}
	}
	return listed, nil
}

// releases chooses among the manifests.
func (r *repository) releases(leaves map[folder]*leaf, listed map[folder][]string) map[folder]bool {
	f := r.settings.Filter
	chosen := map[folder]bool{}
	byChannel := len(f.Channels) > 0 || f.Keep > 0
	for at, l := range leaves {
		switch {
		case !f.product(at.product), byChannel && len(listed[at]) == 0:
		case f.Versions != nil && !f.Versions.Contains(at.version):
		case f.MaxAge > 0 && l.published.Before(r.m.now().Add(-f.MaxAge)):
		default:
			chosen[at] = true
		}
	}
	return chosen
}

// leftOut lists the files of chosen releases that are left out, as only artifacts
// of other platforms need them, and notes what the others are.
func (s Settings) leftOut(leaves map[folder]*leaf, chosen map[folder]bool, sel *selection) map[string]bool {
	left := map[string]bool{}
	for at := range chosen {
		l := leaves[at]
		needed := map[string]bool{}
		for _, a := range l.artifacts {
			if !s.Filter.platform(a.platform) {
				continue
			}
			for _, p := range append(slices.Clone(a.beside), a.target) {
				needed[p] = true
			}
			sel.judged[a.target] = true
			for _, d := range a.digests {
				sel.attested[d] = append(append(sel.attested[d], a.bundles...), l.shared...)
			}
		}
		for _, a := range l.artifacts {
			for _, p := range append(slices.Clone(a.beside), a.target) {
				if p != "" && !needed[p] {
					left[p] = true
				}
			}
		}
	}
	return left
}

// platform reports whether artifacts for p are carried.
func (f Filter) platform(p artifact.Platform) bool {
	return len(f.Platforms) == 0 || slices.ContainsFunc(f.Platforms, func(machine artifact.Platform) bool {
		return machine.Rank(p.OS, p.Arch, p.Variant) > 0
	})
}

// folderOf is the release in whose folder a target lies.
func folderOf(path string) (folder, bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 || artifact.ValidProduct(parts[0]) != nil {
		return folder{}, false
	}
	version, err := artifact.ParseVersion(parts[1])
	return folder{parts[0], version}, err == nil
}

// groupOf is the product and the channel that a plan counts a target under.
func groupOf(path string, listed map[folder][]string) PlanGroup {
	at, ok := folderOf(path)
	if !ok {
		return PlanGroup{}
	}
	g := PlanGroup{Product: at.product}
	if channels := listed[at]; len(channels) > 0 {
		g.Channel = channels[0]
	}
	return g
}
