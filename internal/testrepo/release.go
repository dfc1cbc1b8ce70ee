package testrepo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Release is what AddRelease publishes.
type Release struct {
	Product, Version, Channel string
	Status                    string    // default "current"
	Since                     time.Time // of the status; default now
	Published                 time.Time // default Since
	Reason, Advisory          string    // for "deprecated" and "revoked"
	Rollout                   *Rollout
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
// artifacts and an SBOM for each are added as well, signed by the product's
// role.
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

// addManifest adds the artifacts, their SBOMs and checksums, and the manifest
// that binds them. r.mu is held.
func (r *Repo) addManifest(release Release) error {
	if len(release.Artifacts) == 0 {
		release.Artifacts = DefaultArtifacts()
	}
	document := release.manifest()
	b := batch{targets: map[string]target{}, elsewhere: map[string]content{}}
	var sums strings.Builder
	for _, a := range release.Artifacts {
		entry, file, err := r.addArtifact(&b, release, a)
		if err != nil {
			return err
		}
		document.Artifacts = append(document.Artifacts, entry)
		if sum, ok := entry.Digests["sha256"]; ok {
			fmt.Fprintf(&sums, "%s  %s\n", sum, file)
		}
	}
	if err := r.addTo(&b, document.Checksums.Target, memory(sums.String())); err != nil {
		return err
	}
	if err := r.addDocument(&b, release.folder()+"release.json", document); err != nil {
		return err
	}
	maps.Copy(r.elsewhere, b.elsewhere)
	signer := r.roles[release.Product]
	signer.dirty = true
	maps.Copy(signer.targets, b.targets)
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

// addArtifact adds one artifact and its SBOM to the batch, and returns its
// entry in the manifest and its base name.
func (r *Repo) addArtifact(b *batch, release Release, a Artifact) (artifactDocument, string, error) {
	stem := fmt.Sprintf("%s_%s_%s_%s", release.Product, release.Version, a.OS, a.Arch)
	if a.File == "" {
		a.File = stem + "." + a.Format
	}
	entry := artifactDocument{OS: a.OS, Arch: a.Arch, Variant: a.Variant, Libc: a.Libc, Format: a.Format}
	c, executables, err := release.contentOf(a)
	if err != nil {
		return entry, "", err
	}
	digests, err := digestsOf(c, r.opts.Algorithms)
	if err != nil {
		return entry, "", err
	}
	entry.Length, entry.Digests, entry.Executables = c.size(), map[string]string{}, executables
	for _, d := range digests {
		entry.Digests[string(d.Algorithm())] = d.Hex()
	}
	where := release.folder() + a.File
	if a.Elsewhere {
		b.elsewhere[where] = c
		entry.URLs = []string{strings.TrimSuffix(r.opts.BaseURL, "/") + "/elsewhere/" + where}
		return entry, a.File, nil
	}
	b.targets[where] = target{content: c, digests: digests}
	entry.Target, entry.SBOM = where, release.folder()+stem+".spdx.json"
	return entry, a.File, r.addDocument(b, entry.SBOM, release.sbom(stem))
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
		Components: []component{{
			Name: "golang.org/x/text", Version: "v0.30.0", PURL: "pkg:golang/golang.org/x/text@v0.30.0", License: "BSD-3-Clause",
		}},
		Checksums: checksums{Target: x.folder() + "checksums.txt"},
	}
}

// sbom lists the one component of the manifest for an artifact.
func (x Release) sbom(stem string) spdxDocument {
	return spdxDocument{
		Version: "SPDX-2.3", ID: "SPDXRef-DOCUMENT", License: "CC0-1.0", Name: stem,
		Namespace: "https://" + x.Product + ".example/spdx/" + stem,
		Creation:  spdxCreation{Created: x.Published.UTC(), Creators: []string{"Organization: " + x.Product}},
		Packages: []spdxPackage{{
			ID: "SPDXRef-text", Name: "golang.org/x/text", Version: "v0.30.0", Location: "NOASSERTION", License: "BSD-3-Clause",
		}},
	}
}

// inventedID looks like a git object's name.
func inventedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:20])
}
