package lockfile

import (
	"path"

	"assay/artifact"
	"assay/artifact/release"
)

func (d productDocument) take(at place, seen map[string]int) (p Product, err error) {
	p = Product{Name: d.Name, Repository: d.Repository, Channel: d.Channel, Manifest: Manifest{Target: d.Manifest}}
	if err := at.in("name").because(artifact.ValidProduct(d.Name)); err != nil {
		return p, err
	}
	if err := at.in("name").once(seen, key(d.Name, d.Repository), d.Name+" of "+d.Repository); err != nil {
		return p, err
	}
	if p.Version, err = artifact.ParseVersion(d.Version); err != nil {
		return p, at.in("version").because(err)
	}
	if err := at.in("channel").because(artifact.ValidChannel(d.Channel)); err != nil {
		return p, err
	}
	if p.Request, err = artifact.ParseSelector(d.Request); err != nil {
		return p, at.in("request").because(err)
	}
	if err := p.checkRequest(at); err != nil {
		return p, err
	}
	if want := release.ManifestPath(p.Name, p.Version); d.Manifest != want {
		return p, at.in("manifest").refuse("expected %q, which the product and the version make, found %s", want, quote(d.Manifest))
	}
	if p.Manifest.Digests, err = at.digests("manifest_", d.ManifestSHA256, d.ManifestSHA512); err != nil {
		return p, err
	}
	list := at.in("artifact")
	if err := list.count(len(d.Artifact), 1, maxArtifacts); err != nil {
		return p, err
	}
	platforms := map[string]int{}
	for i, doc := range d.Artifact {
		a, err := doc.take(list.nth(i), p.Manifest.Target, platforms)
		if err != nil {
			return p, err
		}
		p.Artifacts = append(p.Artifacts, a)
	}
	return p, nil
}

// checkRequest refuses a release that is none of those that were asked for: somebody
// has changed the one and not the other.
func (p Product) checkRequest(at place) error {
	switch s := p.Request; {
	case s.Kind == artifact.ByChannel && s.Channel != p.Channel:
		return at.in("channel").refuse("expected %q, which the request asks for, found %q", s.Channel, p.Channel)
	case s.Kind == artifact.ByVersion && s.Version.Compare(p.Version) != 0:
		return at.in("version").refuse("expected %s, which the request asks for, found %s", s.Version, p.Version)
	case s.Kind == artifact.ByRange && !s.Range.Contains(p.Version):
		return at.in("version").refuse("expected one of %s, which the request asks for, found %s", quote(s.Range.String()), p.Version)
	}
	return nil
}

func (d artifactDocument) take(at place, manifest string, seen map[string]int) (a Artifact, err error) {
	a = Artifact{Target: d.Target, URLs: d.URLs}
	if a.Platform, err = artifact.ParsePlatform(d.Platform); err != nil {
		return a, at.in("platform").because(err)
	}
	if err := at.in("platform").once(seen, a.Platform.String(), "the platform "+a.Platform.String()); err != nil {
		return a, err
	}
	if err := at.in("target").beside(d.Target, manifest); err != nil {
		return a, err
	}
	if d.Length == nil {
		return a, at.in("length").refuse("expected a length in bytes, found none")
	}
	if a.Length, err = at.in("length").length(*d.Length, 0); err != nil {
		return a, err
	}
	if a.Digests, err = at.digests("", d.SHA256, d.SHA512); err != nil {
		return a, err
	}
	if err := at.in("urls").urls(d.URLs, checkArtifactURL); err != nil {
		return a, err
	}
	if err := at.in("bundles").count(len(d.Bundles), 0, maxBundles); err != nil {
		return a, err
	}
	targets := map[string]int{}
	for i, doc := range d.Bundles {
		b, in := Bundle{Target: doc.Target}, at.in("bundles").nth(i)
		if err := in.in("target").beside(doc.Target, manifest); err != nil {
			return a, err
		}
		if err := in.in("target").once(targets, doc.Target, "the bundle "+doc.Target); err != nil {
			return a, err
		}
		if b.Digests, err = in.digests("", doc.SHA256, doc.SHA512); err != nil {
			return a, err
		}
		a.Bundles = append(a.Bundles, b)
	}
	return a, nil
}

// beside refuses a target that does not lie beside its manifest, as a safe file.
func (p place) beside(target, manifest string) error {
	dir, base := path.Split(target)
	if want, name := path.Split(manifest); dir != want || base == name {
		return p.refuse("expected a file beside %q, found %s", manifest, quote(target))
	}
	return p.because(artifact.ValidFileName(base))
}

func (p place) length(length, least int64) (int64, error) {
	if length < least || length > maxLength {
		return 0, p.refuse("expected %d to %d bytes, found %d", least, int64(maxLength), length)
	}
	return length, nil
}

// digests reads the digests of the table p, whose keys begin with prefix.
func (p place) digests(prefix, sha256, sha512 string) (artifact.Digests, error) {
	var list []artifact.Digest
	for _, said := range []struct {
		algorithm artifact.Algorithm
		hex       string
	}{{artifact.SHA256, sha256}, {artifact.SHA512, sha512}} {
		at := p.in(prefix + string(said.algorithm))
		if !at.has() {
			continue
		}
		digest, err := artifact.NewDigest(said.algorithm, said.hex)
		if err != nil {
			return nil, at.because(err)
		}
		list = append(list, digest)
	}
	if len(list) == 0 {
		return nil, p.in(prefix + "sha256").refuse("expected a digest, by sha256 or sha512, found none")
	}
	digests, err := artifact.NewDigests(list...)
	return digests, p.because(err)
}
