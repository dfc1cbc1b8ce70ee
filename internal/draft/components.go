package draft

import (
	"cmp"
	"debug/buildinfo"
	"slices"
	"strings"

	"assay/artifact/release"
	"assay/trust/sbom"
)

// parts gathers the components of a release: what the SBOMs list, and what the
// programs say is linked into them.
type parts struct {
	known map[[2]string]release.Component // by name and version
}

func (p *parts) add(c release.Component) {
	if p.known == nil {
		p.known = map[[2]string]release.Component{}
	}
	key := [2]string{c.Name, c.Version}
	if _, twice := p.known[key]; !twice {
		p.known[key] = c
	}
}

// bill adds what an SBOM lists. It comes before the programs: it knows licences.
func (p *parts) bill(components []sbom.Component) {
	for _, c := range components {
		p.add(release.Component{Name: c.Name, Version: c.Version, PURL: c.PURL, License: c.License})
	}
}

// program adds the modules of a Go program, and Go's own library.
func (p *parts) program(build *buildinfo.BuildInfo) {
	if build == nil {
		return
	}
	if version, ok := strings.CutPrefix(build.GoVersion, "go"); ok && !strings.ContainsAny(version, " @?#") {
		p.add(release.Component{Name: "stdlib", Version: version, PURL: "pkg:golang/stdlib@" + version, License: "BSD-3-Clause"})
	}
	for _, m := range build.Deps {
		if m.Replace != nil && m.Replace.Version != "" {
			m = m.Replace
		}
		version := strings.ReplaceAll(m.Version, "+", "%2B")
		p.add(release.Component{Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + version})
	}
}

func (p *parts) list() []release.Component {
	var list []release.Component
	for _, c := range p.known {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b release.Component) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	return list
}
