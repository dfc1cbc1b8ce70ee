package trust

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"assay/artifact"
	"assay/artifact/release"
)

// Target is a promise: these bytes, under this path, by this repository. It has
// no exported fields and is made only by a View, so whoever holds a Target that
// is not zero holds one that signed metadata vouches for. The zero Target
// promises nothing; whoever fetches must refuse it.
type Target struct{ promise *promise }

type promise struct {
	repository string
	path       string
	role       string
	length     int64
	digests    artifact.Digests
	consistent bool
	urls       []string // where the bytes lie if not in the repository
	manifest   string   // the target that vouches for it, if not the role itself
	pieces     *release.Pieces
	stale      error
}

func (v *View) promise(path string, f found) Target {
	return Target{&promise{
		repository: v.repository.name, path: path, role: f.doc.role,
		length: f.file.length, digests: f.file.digests(), consistent: v.consistent(),
	}}
}

// Pieces are the digests of its parts that its manifest promises, for finding out
// early, and from whom, wrong bytes came. They are no promise beside Digests, which
// decide. nil: there are none.
func (t Target) Pieces() *release.Pieces { return t.get().pieces }

// IsZero reports whether t promises nothing.
func (t Target) IsZero() bool { return t.promise == nil }

// Repository is the name of the repository that promises.
func (t Target) Repository() string { return t.get().repository }

// Path is the target path, as signed. An artifact that lies outside the
// repository has the path it would have beside its manifest.
func (t Target) Path() string { return t.get().path }

// Name is the last segment of the path.
func (t Target) Name() string { return path.Base(t.Path()) }

// Role is the role that promises.
func (t Target) Role() string { return t.get().role }

// Length is in bytes.
func (t Target) Length() int64 { return t.get().length }

// Digests are those that assay can compute; all of them must hold.
func (t Target) Digests() artifact.Digests { return slices.Clone(t.get().digests) }

// Consistent reports whether the file carries its hash in its name where the
// repository stores it.
func (t Target) Consistent() bool { return t.get().consistent }

// URLs are where the bytes lie if that is outside the repository; else none.
func (t Target) URLs() []string { return slices.Clone(t.get().urls) }

// Manifest is the path of the release manifest that promises the bytes, where
// no role lists them itself; else empty.
func (t Target) Manifest() string { return t.get().manifest }

// Stale is nil, or says why this target may only be taken from what is held:
// the metadata that promises it can't resolve anything any more.
func (t Target) Stale() error { return t.get().stale }

func (t Target) get() *promise {
	if t.promise == nil {
		return &promise{}
	}
	return t.promise
}

// Check compares data that is whole in memory with the promise.
func (t Target) Check(data []byte) error {
	if t.IsZero() {
		return fmt.Errorf("%w: an empty target promises nothing", ErrNoTarget)
	}
	if int64(len(data)) != t.Length() {
		return &MismatchError{What: t.Path(), Expected: fmt.Sprintf("%d bytes", t.Length()), Found: fmt.Sprintf("%d", len(data))}
	}
	return checkBytes(t.Path(), data, 0, t.promise.digests)
}

// Release decodes a release manifest whose bytes were fetched by the target
// manifest, and checks that it is about the product and version of its path.
func (v *View) Release(manifest Target, data []byte) (*release.Release, error) {
	if err := manifest.Check(data); err != nil {
		return nil, err
	}
	// The path says which release the document may be about.
	product, rest, _ := strings.Cut(manifest.Path(), "/")
	text, _, _ := strings.Cut(rest, "/")
	version, err := artifact.ParseVersion(text)
	if err != nil || manifest.Path() != release.ManifestPath(product, version) {
		return nil, fmt.Errorf("%s: %w: expected PRODUCT/VERSION/release.json, found %q", v.repository.name, ErrManifest, manifest.Path())
	}
	doc, err := release.DecodeRelease(data, product, version)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %w", v.repository.name, manifest.Path(), ErrManifest, err)
	}
	return doc, nil
}

// Artifact is the target of the i-th artifact of a release manifest. One that
// is a target of the repository must agree with what its role says of it
// (ErrManifest); one that lies at URLs is vouched for by the manifest itself.
func (v *View) Artifact(ctx context.Context, manifest Target, data []byte, i int) (Target, error) {
	doc, err := v.Release(manifest, data)
	if err != nil {
		return Target{}, err
	}
	if i < 0 || i >= len(doc.Artifacts) {
		return Target{}, fmt.Errorf("%s: %w: %s has no artifact %d", v.repository.name, ErrNoTarget, manifest.Path(), i)
	}
	listed := doc.Artifacts[i]
	if listed.Target == "" {
		return Target{&promise{
			repository: v.repository.name, path: path.Join(path.Dir(manifest.Path()), listed.Name()),
			role: manifest.Role(), length: listed.Length, digests: artifact.Digests(listed.Digests),
			urls: listed.URLs, manifest: manifest.Path(), stale: manifest.Stale(), pieces: listed.Pieces,
		}}, nil
	}
	target, err := v.HeldTarget(ctx, listed.Target)
	if err != nil {
		return Target{}, err
	}
	if target.Length() != listed.Length {
		return Target{}, fmt.Errorf("%s: %w: %s: %s says %d bytes, the role %s says %d", v.repository.name, ErrManifest, target.Path(), manifest.Path(), listed.Length, target.Role(), target.Length())
	}
	if !target.Digests().Agree(artifact.Digests(listed.Digests)) {
		return Target{}, fmt.Errorf("%s: %w: %s: %s says %v, the role %s says %v", v.repository.name, ErrManifest, target.Path(), manifest.Path(), listed.Digests, target.Role(), target.Digests())
	}
	withPieces := *target.promise
	withPieces.pieces = listed.Pieces
	return Target{&withPieces}, nil
}
