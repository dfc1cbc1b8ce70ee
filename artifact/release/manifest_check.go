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
	if p := first(func(report reporter) { r.check(product, version, report) }); p != nil {
		return nil, inDocument(path, p)
	}
	return &r, nil
}

// check reports everything that the schema can't say.
func (r *Release) check(product string, version artifact.Version, report reporter) {
	if r.Product != product {
		report(unbound("product", product, r.Product))
	}
	if r.Version != version {
		report(unbound("version", version.String(), r.Version.String()))
	}
	dir := releaseDir(product, version)
	if r.Checksums != nil {
		report(checkBeside("checksums.target", r.Checksums.Target, dir))
		checkBundles("checksums.bundles", r.Checksums.Bundles, dir, report)
	}
	byTarget := map[string]int{}
	for i, a := range r.Artifacts {
		a.check(dir, func(p *problem) {
			if p != nil {
				p.Field = at("artifacts", i, p.Field)
				report(p)
			}
		})
		if a.Target == "" {
			continue
		}
		// One file may serve several platforms, and is the same in each.
		if first, seen := byTarget[a.Target]; seen && !sameBytes(a, r.Artifacts[first]) {
			report(malformed(at("artifacts", i, "target"),
				fmt.Sprintf("the length and digests that artifacts[%d] has for %s", first, quote(a.Target)), "others"))
		} else if !seen {
			byTarget[a.Target] = i
		}
	}
}

func sameBytes(a, b Artifact) bool {
	return a.Length == b.Length && a.Digests.Agree(b.Digests)
}

// check names fields as seen from the artifact.
func (a Artifact) check(dir string, report reporter) {
	if a.Arch == artifact.Any && a.Variant != "" {
		report(malformed("variant", "none for the architecture any", quote(a.Variant)))
	}
	if a.Target != "" {
		report(checkBeside("target", a.Target, dir))
	}
	for i, u := range a.URLs {
		report(checkSource(at("urls", i, ""), u))
	}
	if a.SBOM != "" {
		report(checkBeside("sbom", a.SBOM, dir))
	}
	checkBundles("bundles", a.Bundles, dir, report)
	checkExecutables(a.Executables, report)
	report(a.Pieces.check(a.Length))
}

func checkBundles(field string, bundles []string, dir string, report reporter) {
	for i, bundle := range bundles {
		report(checkBeside(at(field, i, ""), bundle, dir))
	}
}

func checkExecutables(list []Executable, report reporter) {
	for i, e := range list {
		if !cleanPath(e.Path) {
			report(malformed(at("executables", i, "path"), "a relative path without backslash, colon, and empty, '.' or '..' segments", quote(e.Path)))
		}
		if e.Link == "" {
			continue
		}
		if err := artifact.ValidFileName(e.Link); err != nil {
			report(malformed(at("executables", i, "link"), "a safe file name", err.Error()))
		}
	}
}

// check holds the pieces to cover the artifact exactly.
func (p *Pieces) check(length int64) *problem {
	if p == nil || p.Length <= 0 { // the schema refuses the latter
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
