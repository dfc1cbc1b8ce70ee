package draft

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"assay/artifact/release"
)

// artifacts describes all that there is to install, in the order of platforms.
func (d *drafter) artifacts(ctx context.Context) error {
	for _, e := range d.list {
		if !e.isArtifact() {
			continue
		}
		a, err := d.artifact(ctx, e)
		if err != nil {
			return err
		}
		d.manifest.Artifacts = append(d.manifest.Artifacts, a)
	}
	if len(d.manifest.Artifacts) == 0 {
		return fmt.Errorf("%w: %s: expected archives, packages or programs, found none", ErrDist, listName)
	}
	slices.SortFunc(d.manifest.Artifacts, func(a, b release.Artifact) int {
		return cmp.Or(strings.Compare(a.OS, b.OS), strings.Compare(a.Arch, b.Arch), strings.Compare(a.Variant, b.Variant),
			strings.Compare(a.Format, b.Format), strings.Compare(a.Target, b.Target))
	})
	for _, system := range sortedKeys(d.Defaults.Platform) {
		if !slices.ContainsFunc(d.manifest.Artifacts, func(a release.Artifact) bool { return a.OS == system }) {
			return fmt.Errorf("%w: defaults: platform.%s: expected an operating system that artifacts are for, found none for it", ErrInput, quote(system))
		}
	}
	return nil
}

// artifact describes one file to install.
func (d *drafter) artifact(ctx context.Context, e entry) (release.Artifact, error) {
	platform, err := e.platform()
	if err != nil {
		return release.Artifact{}, err
	}
	format, err := formatOf(e)
	if err != nil {
		return release.Artifact{}, err
	}
	f, long, err := d.take(ctx, e, d.PieceBytes)
	if err != nil {
		return release.Artifact{}, err
	}
	found, err := d.dist.programs(ctx, e, d.Scratch)
	if err != nil {
		return release.Artifact{}, err
	}
	needs := d.Defaults.Platform[platform.OS]
	a := release.Artifact{
		Target: d.target(e.Name), OS: platform.OS, Arch: platform.Arch, Variant: platform.Variant, Libc: needs.Libc, MinOS: needs.MinOS,
		Format: format, Length: f.length, Digests: f.digests(long), Bundles: d.targets(d.own.bundles[e.Name]),
	}
	if f.pieces != nil {
		a.Pieces = &release.Pieces{Length: d.PieceBytes, SHA256: f.pieces}
	}
	bill, billed := d.own.bills[e.Name]
	if billed {
		a.SBOM = d.target(bill)
		d.parts.bill(d.own.content[bill])
	}
	d.bare = d.bare || !billed
	for _, p := range found {
		if err := p.agrees(e, platform, d.manifest.Source.Revision); err != nil {
			return release.Artifact{}, err
		}
		if err := d.toolchain(e, p); err != nil {
			return release.Artifact{}, err
		}
		if !billed {
			d.parts.program(p.build)
		}
		if p.setting("vcs.modified") == "true" {
			d.modified++
		}
		a.Executables = append(a.Executables, p.Executable)
	}
	return a, nil
}

// toolchain takes the toolchain from the programs, which have to agree in it.
func (d *drafter) toolchain(e entry, p program) error {
	if p.build == nil || p.build.GoVersion == "" {
		return nil
	}
	b := &d.manifest.Build
	if b.Toolchain != "" && !mentions(b.Toolchain, p.build.GoVersion) {
		return fmt.Errorf("%w: the program %s in %s: expected the toolchain %s, found %s", ErrMismatch, quote(p.Path), quote(e.Name), quote(b.Toolchain), quote(p.build.GoVersion))
	}
	b.Toolchain = cmp.Or(b.Toolchain, p.build.GoVersion)
	return nil
}

// mentions reports whether a text has a word in it: the defaults may say more of
// the toolchain than Go's version.
func mentions(text, word string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;()", r) })
	return slices.Contains(words, word) || text == word
}

// others are the files beside the artifacts. The archive of the sources is what
// the release can be built from again, so it stands among the inputs.
func (d *drafter) others(ctx context.Context) error {
	listed := map[string]bool{}
	for _, name := range d.own.bills {
		listed[name] = true
	}
	for _, names := range d.own.bundles {
		for _, name := range names {
			listed[name] = true
		}
	}
	for _, e := range d.list {
		if e.isArtifact() || e.Type != typeChecksum && e.Type != typeSource && !listed[e.Name] {
			continue
		}
		if _, _, err := d.take(ctx, e, 0); err != nil {
			return err
		}
		if e.Type == typeSource {
			d.manifest.Build.Inputs = append(d.manifest.Build.Inputs, d.target(e.Name))
		}
	}
	if d.bare {
		d.manifest.Components = d.parts.list()
	}
	slices.SortFunc(d.own.left, func(a, b LeftOut) int { return strings.Compare(a.Name, b.Name) })
	d.out.LeftOut = d.own.left
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
