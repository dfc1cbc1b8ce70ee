package release

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"assay/artifact"
)

// Promised is what a repository says of a target.
type Promised struct {
	Length  int64 // in bytes
	Digests artifact.Digests
}

// LintChecksums compares a release with its checksums file: that must list every
// artifact, with the digest of the manifest, and should list nothing else but
// the other files of the release, inputs of the build that lie beside the manifest
// (the archive of the sources) included. listed is the file's content by base name.
func LintChecksums(r *Release, listed map[string]artifact.Digests) []Finding {
	l := &linter{}
	named := map[string]bool{}
	for _, input := range r.Build.Inputs {
		if dir := releaseDir(r.Product, r.Version); path.Dir(input)+"/" == dir {
			named[path.Base(input)] = true
		}
	}
	for _, target := range r.Targets() {
		named[path.Base(target.Path)] = true
	}
	for i, a := range r.Artifacts {
		name := a.Name()
		named[name] = true
		digests, ok := listed[name]
		if !ok {
			l.report("checksums.lists", nameField(i, a), "a line for "+quote(name)+" in the checksums file", "none", "make the file anew from the artifacts")
			continue
		}
		for _, d := range a.Digests {
			if other, both := digests.Of(d.Algorithm()); both && other != d {
				l.report("checksums.digest", at("artifacts", i, "digests"), "the checksums file's "+other.String(), d.String(), "one of the two is of other bytes: make both anew from the artifact")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !named[name] {
			l.report("checksums.extra", "checksums.target", "only files of this release in the checksums file", quote(name), "is it an artifact that the manifest misses, or a leftover?")
		}
	}
	return l.findings
}

// UnreadableChecksums is the finding for a checksums file that can't be parsed;
// err says why.
func UnreadableChecksums(err error) []Finding {
	l := &linter{}
	l.report("checksums.form", "checksums.target", "a file like sha256sum writes", quote(err.Error()), "make the file anew from the artifacts")
	return l.findings
}

// FieldTarget is a target path that a document names, and where it does so.
type FieldTarget struct {
	Field string
	Path  string
}

// Targets lists the target paths that the release names, in its order; a path
// can come more than once.
func (r *Release) Targets() []FieldTarget {
	var list []FieldTarget
	add := func(field, target string) {
		if target != "" {
			list = append(list, FieldTarget{field, target})
		}
	}
	if r.Checksums != nil {
		add("checksums.target", r.Checksums.Target)
		for i, bundle := range r.Checksums.Bundles {
			add(at("checksums.bundles", i, ""), bundle)
		}
	}
	for i, a := range r.Artifacts {
		add(at("artifacts", i, "target"), a.Target)
		add(at("artifacts", i, "sbom"), a.SBOM)
		for j, bundle := range a.Bundles {
			add(at("artifacts", i, at("bundles", j, "")), bundle)
		}
	}
	return list
}

// targets lists the target paths that any document names. A revoked release's
// files may be gone.
func (r *Report) targets() []FieldTarget {
	var list []FieldTarget
	switch {
	case r.Release != nil:
		return r.Release.Targets()
	case r.Channel != nil:
		for i, e := range r.Channel.Releases {
			if e.Status != StatusRevoked {
				list = append(list, FieldTarget{at("releases", i, "manifest"), e.Manifest})
			}
		}
	case r.Catalog != nil:
		for i, p := range r.Catalog.Products {
			for j, channel := range p.Channels {
				list = append(list, FieldTarget{at("products", i, at("channels", j, "")), ChannelPath(p.Name, channel)})
			}
		}
	}
	return list
}

// LintPromises looks up every target that a document names: each must be
// promised, and an artifact with the length and the digests that the manifest
// has. promised returns ok false for a path that is no target; it is asked once
// for each path, and its error ends the check.
func LintPromises(r Report, promised func(path string) (p Promised, ok bool, err error)) ([]Finding, error) {
	type answer struct {
		Promised
		ok bool
	}
	l := &linter{}
	known := map[string]answer{}
	for _, target := range r.targets() {
		if _, asked := known[target.Path]; !asked {
			p, ok, err := promised(target.Path)
			if err != nil {
				return nil, err
			}
			known[target.Path] = answer{p, ok}
		}
		if !known[target.Path].ok {
			l.report("repository.promised", target.Field, "a target of the repository", quote(target.Path)+", which is none", "publish it, or do not name it")
		}
	}
	if r.Release == nil {
		return l.findings, nil
	}
	for i, a := range r.Release.Artifacts {
		has := known[a.Target]
		if !has.ok { // reported already, or not of the repository
			continue
		}
		const mend = "assay refuses the artifact: publish manifest and artifact from one build"
		if has.Length != a.Length {
			l.report("repository.agrees", at("artifacts", i, "length"), fmt.Sprintf("%d bytes, as the repository promises", has.Length), fmt.Sprint(a.Length), mend)
		}
		if !has.Digests.Agree(a.Digests) {
			l.report("repository.agrees", at("artifacts", i, "digests"), fmt.Sprintf("%v, as the repository promises", has.Digests), fmt.Sprint(a.Digests), mend)
		}
	}
	return l.findings, nil
}
