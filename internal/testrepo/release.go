package testrepo

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"assay/artifact"
)

// Release is what AddRelease publishes.
type Release struct {
	Product, Version, Channel string
	Status                    string    // default "current"
	Since                     time.Time // of the status; default now
	Published                 time.Time // default Since
	Reason, Advisory          string    // for "deprecated" and "revoked"
	Rollout                   *Rollout
	// Components are what the manifest and the bills of materials list; default
	// DefaultComponents. Empty but not nil, there are none.
	Components []Component
	Bill       BillFormat // of each artifact in the repository; default SPDX
	// Signing says how the release is signed; default as Options.Signing has it.
	Signing  *Signing
	Unsigned bool // even where Options have Signing
	// Artifacts default to a small archive for each of DefaultArtifacts.
	Artifacts []Artifact
}

// Artifact is a file of a Release.
type Artifact struct {
	OS, Arch, Variant, Libc string
	Format                  string // "tar.gz", "zip", "raw", …
	// File is the base name; default PRODUCT_VERSION_OS_ARCH.FORMAT.
	File string
	// Data is the content. Without it, a Size > 0 gives a computed file as
	// AddLarge does; without both it is an archive (tar.gz or zip) that holds a
	// script to run.
	Data []byte
	Size int64
	Seed uint64
	// Elsewhere keeps the file out of the repository: the manifest names it by
	// URL, and the Handler serves it under elsewhere/.
	Elsewhere bool
}

// DefaultArtifacts are the four platforms that releases are made for.
func DefaultArtifacts() []Artifact {
	return []Artifact{
		{OS: "linux", Arch: "amd64", Libc: "static", Format: "tar.gz"},
		{OS: "linux", Arch: "arm64", Libc: "static", Format: "tar.gz"},
		{OS: "darwin", Arch: "arm64", Format: "tar.gz"},
		{OS: "windows", Arch: "amd64", Format: "zip"},
	}
}

// AddRelease adds a release to a channel of a product that AddProduct made. If
// the version was released before, in another channel, only the index changes
// and release.Artifacts must be empty; else the manifest, checksums.txt, the
// artifacts, a bill of materials for each and their bundles are added as well,
// signed by the product's role.
func (r *Repo) AddRelease(release Release) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if release.Status == "" {
		release.Status = "current"
	}
	if release.Since.IsZero() {
		release.Since = r.second()
	}
	if release.Published.IsZero() {
		release.Published = release.Since
	}
	manifest := release.folder() + "release.json"
	return r.editIndex(release.Product, release.Channel, func(index *indexDocument) error {
		if slices.ContainsFunc(index.Releases, func(e indexRelease) bool { return e.Version == release.Version }) {
			return fmt.Errorf("%w: %s of %q is in channel %q already", ErrConflict, release.Version, release.Product, release.Channel)
		}
		_, released := r.holder(manifest)
		if released && len(release.Artifacts) > 0 {
			return fmt.Errorf("%w: %s of %q has its artifacts already", ErrConflict, release.Version, release.Product)
		}
		if !released {
			if err := r.addManifest(release); err != nil {
				return err
			}
		}
		entry := indexRelease{
			Version: release.Version, Manifest: manifest, Status: release.Status, Since: release.Since.UTC(),
			Reason: release.Reason, Advisory: release.Advisory, Rollout: release.Rollout,
		}
		index.Releases = slices.Insert(index.Releases, 0, entry) // newest first, as publishers do
		return nil
	})
}

// folder is where a release's targets lie.
func (x Release) folder() string { return x.Product + "/" + x.Version + "/" }

// batch is what a release adds, complete before any of it is placed, so that an
// impossible release adds nothing.
type batch struct {
	targets   map[string]target
	elsewhere map[string]content
}

// addManifest adds the artifacts, their bills of materials, checksums and
// bundles, and the manifest that binds them. r.mu is held.
func (r *Repo) addManifest(release Release) error {
	if len(release.Artifacts) == 0 {
		release.Artifacts = DefaultArtifacts()
	}
	if release.Components == nil {
		release.Components = DefaultComponents()
	}
	release.Bill = cmp.Or(release.Bill, SPDX)
	document := release.manifest()
	b := batch{targets: map[string]target{}, elsewhere: map[string]content{}}
	signer, err := r.signerOf(&b, release, document)
	if err != nil {
		return err
	}
	var sums strings.Builder
	var subjects []Subject
	for _, a := range release.Artifacts {
		entry, m, err := r.addArtifact(&b, release, a)
		if err != nil {
			return err
		}
		if signer != nil {
			if entry.Bundles, err = signer.artifact(m); err != nil {
				return err
			}
		}
		document.Artifacts, subjects = append(document.Artifacts, entry), append(subjects, m.subject())
		if sum, ok := m.digests.Of(artifact.SHA256); ok {
			fmt.Fprintf(&sums, "%s  %s\n", sum.Hex(), m.file)
		}
	}
	if signer != nil {
		if err := signer.whole(&document, subjects, sums.String()); err != nil {
			return err
		}
	}
	if err := r.addTo(&b, document.Checksums.Target, memory(sums.String())); err != nil {
		return err
	}
	if err := r.addDocument(&b, release.folder()+"release.json", document); err != nil {
		return err
	}
	maps.Copy(r.elsewhere, b.elsewhere)
	role := r.roles[release.Product]
	role.dirty = true
	maps.Copy(role.targets, b.targets)
	return nil
}

// addTo hashes content and adds it to the batch.
func (r *Repo) addTo(b *batch, path string, c content) error {
	digests, err := digestsOf(c, r.opts.Algorithms)
	if err != nil {
		return err
	}
	b.targets[path] = target{content: c, digests: digests}
	return nil
}

// addDocument encodes a document and adds it to the batch.
func (r *Repo) addDocument(b *batch, path string, document any) error {
	data, err := encode(document)
	if err != nil {
		return err
	}
	return r.addTo(b, path, memory(data))
}

// addArtifact adds one artifact and its bill of materials to the batch, and
// returns its entry in the manifest.
func (r *Repo) addArtifact(b *batch, release Release, a Artifact) (artifactDocument, made, error) {
	stem := fmt.Sprintf("%s_%s_%s_%s", release.Product, release.Version, a.OS, a.Arch)
	m := made{file: cmp.Or(a.File, stem+"."+a.Format)}
	entry := artifactDocument{OS: a.OS, Arch: a.Arch, Variant: a.Variant, Libc: a.Libc, Format: a.Format}
	var err error
	if m.content, entry.Executables, err = release.contentOf(a); err != nil {
		return entry, m, err
	}
	if m.digests, err = digestsOf(m.content, r.opts.Algorithms); err != nil {
		return entry, m, err
	}
	entry.Length, entry.Digests = m.content.size(), hexDigests(m.digests)
	where := release.folder() + m.file
	if a.Elsewhere {
		b.elsewhere[where] = m.content
		entry.URLs = []string{strings.TrimSuffix(r.opts.BaseURL, "/") + "/elsewhere/" + where}
		return entry, m, nil
	}
	b.targets[where] = target{content: m.content, digests: m.digests}
	entry.Target = where
	if release.Bill == NoBill {
		return entry, m, nil
	}
	if m.bill, err = release.bill(stem).Document(release.Bill); err != nil {
		return entry, m, err
	}
	entry.SBOM = release.folder() + stem + release.Bill.suffix()
	return entry, m, r.addTo(b, entry.SBOM, memory(m.bill))
}

// contentOf makes the content of an artifact, and says what in it can be run.
func (x Release) contentOf(a Artifact) (content, []executable, error) {
	switch {
	case a.Data != nil:
		return memory(slices.Clone(a.Data)), nil, nil
	case a.Size > 0:
		return stream{seed: a.Seed, length: a.Size}, nil, nil
	}
	files, script := program(x.Product, x.Version, a)
	archive, err := pack(a.Format, files, x.Published)
	if err != nil {
		return nil, nil, err
	}
	return memory(archive), []executable{{Path: script, Link: path.Base(script)}}, nil
}

// manifest is everything but the artifacts. What it says of sources and builds
// is invented, yet the same for the same release.
func (x Release) manifest() manifestDocument {
	product, version := x.Product, x.Version
	site, forge := "https://"+product+".example", "https://git.example/"+product+"/"+product
	published := x.Published.UTC()
	return manifestDocument{
		Schema: "assay.release/v1", Product: product, Version: version,
		Summary: "Prints the name of " + product, License: "Apache-2.0", Published: published,
		Notes: site + "/notes/" + version, Documentation: site + "/docs/" + version,
		KnownIssues: []string{"Locale is read once, at start"},
		Publisher: publisherDocument{
			Team:     strings.ToUpper(product[:1]) + product[1:] + " release team",
			Homepage: site, BugTracker: site + "/bugs",
			Support: "security fixes for the current minor version", Warranty: "none; see the licence",
		},
		Source: sourceDocument{
			Repository: forge, Revision: inventedID("commit", product, version),
			Tag: "v" + version, TagObject: inventedID("tag", product, version), TagSigner: "release@" + product + ".example",
		},
		Build: buildDocument{
			Started: published.Add(-62 * time.Minute), Finished: published.Add(-58 * time.Minute),
			Inputs:    []string{forge + "/goreleaser.yaml@v" + version},
			Toolchain: "go1.26.8", Log: forge + "/runs/4211", Reproducible: true,
		},
		Components: x.Components,
		Checksums:  checksums{Target: x.folder() + "checksums.txt"},
	}
}

// bill is the bill of materials of an artifact.
func (x Release) bill(stem string) Bill {
	return Bill{
		Name: stem, Product: x.Product, Version: x.Version, License: "Apache-2.0", Created: x.Published, Components: x.Components,
	}
}

// inventedID looks like a git object's name.
func inventedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:20])
}
