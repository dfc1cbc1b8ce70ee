package release

import (
	"fmt"
	"strconv"

	"assay/artifact"
)

// DecodeRelease reads the manifest that lies at ManifestPath(product, version),
// at most MaxReleaseBytes. Errors are *FieldError; ErrBinding where the names
// inside are others, or where a file lies elsewhere than beside the manifest.
func DecodeRelease(data []byte, product string, version artifact.Version) (*Release, error) {
	path := ManifestPath(product, version)
	var r Release
	doc, err := form{"release", MaxReleaseBytes}.decode(path, data, &r)
	if err != nil {
		return nil, err
	}
	r.document = doc
	if p := r.check(product, version); p != nil {
		return nil, inDocument(path, p)
	}
	return &r, nil
}

func (r *Release) check(product string, version artifact.Version) *problem {
	if r.Product != product {
		return unbound("product", product, r.Product)
	}
	if r.Version != version {
		return unbound("version", version.String(), r.Version.String())
	}
	dir := releaseDir(product, version)
	if r.Checksums != nil {
		if p := checkBeside("checksums.target", r.Checksums.Target, dir); p != nil {
			return p
		}
		if p := checkBundles("checksums.bundles", r.Checksums.Bundles, dir); p != nil {
			return p
		}
	}
	byTarget := map[string]int{}
	for i, a := range r.Artifacts {
		if p := a.check(dir); p != nil {
			p.Field = at("artifacts", i, p.Field)
			return p
		}
		if a.Target == "" {
			continue
		}
		// One file may serve several platforms, and is the same in each.
		if first, seen := byTarget[a.Target]; seen && !sameBytes(a, r.Artifacts[first]) {
			return malformed(at("artifacts", i, "target"),
				fmt.Sprintf("the length and digests that artifacts[%d] has for %s", first, quote(a.Target)), "others")
		} else if !seen {
			byTarget[a.Target] = i
		}
	}
	return nil
}

func sameBytes(a, b Artifact) bool {
	return a.Length == b.Length && a.Digests.Agree(b.Digests)
}

// check names fields as seen from the artifact.
func (a Artifact) check(dir string) *problem {
	if a.Arch == artifact.Any && a.Variant != "" {
		return malformed("variant", "none for the architecture any", quote(a.Variant))
	}
	if a.Target != "" {
		if p := checkBeside("target", a.Target, dir); p != nil {
			return p
		}
	}
	for i, u := range a.URLs {
		if p := checkSource(at("urls", i, ""), u); p != nil {
			return p
		}
	}
	if a.SBOM != "" {
		if p := checkBeside("sbom", a.SBOM, dir); p != nil {
			return p
		}
	}
	if p := checkBundles("bundles", a.Bundles, dir); p != nil {
		return p
	}
	if p := checkExecutables(a.Executables); p != nil {
		return p
	}
	return a.Pieces.check(a.Length)
}

func checkBundles(field string, bundles []string, dir string) *problem {
	for i, bundle := range bundles {
		if p := checkBeside(at(field, i, ""), bundle, dir); p != nil {
			return p
		}
	}
	return nil
}

func checkExecutables(list []Executable) *problem {
	for i, e := range list {
		if !cleanPath(e.Path) {
			return malformed(at("executables", i, "path"), "a relative path without backslash, colon, and empty, '.' or '..' segments", quote(e.Path))
		}
		if e.Link == "" {
			continue
		}
		if err := artifact.ValidFileName(e.Link); err != nil {
			return malformed(at("executables", i, "link"), "a safe file name", err.Error())
		}
	}
	return nil
}

// check holds the pieces to cover the artifact exactly.
func (p *Pieces) check(length int64) *problem {
	if p == nil {
		return nil
	}
	// Written so that it can't overflow.
	want := length / p.Length
	if length%p.Length != 0 {
		want++
	}
	if int64(len(p.SHA256)) != want {
		return malformed("pieces.sha256", fmt.Sprintf("%d digests for %d bytes in pieces of %d", want, length, p.Length), strconv.Itoa(len(p.SHA256)))
	}
	return nil
}
