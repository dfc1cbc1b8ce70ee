package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// noAssertion is what SPDX writes where nobody says anything (SPDX 2.3, section 7.13).
const noAssertion = "NOASSERTION"

// namespace is what SPDX proposes for documents without a place on the web (SPDX 2.3,
// section 6.5); the digest behind it makes it the archive's own.
const namespace = "https://spdx.org/spdxdocs/"

// subject is what a bill is about.
type subject struct {
	Archive  string // the file
	Name     string
	Version  string
	License  string
	Supplier string
	Created  time.Time
}

// bill is the document of an archive.
func bill(s subject, licenses licenseReader) ([]byte, error) {
	c, err := readArchive(s.Archive, s.Name)
	if err != nil {
		return nil, err
	}
	file := filepath.Base(s.Archive)
	doc := &v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName: file, DocumentNamespace: namespace + file + "-" + c.digest,
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "assay/internal/sbom"}},
			Created:  s.Created.UTC().Format(time.RFC3339),
		},
	}
	main := archivePackage(s, file, c.digest)
	doc.Packages = append(doc.Packages, main)
	doc.Relationships = append(doc.Relationships, relation(doc.SPDXIdentifier, common.TypeRelationshipDescribe, main))
	for _, p := range linked(c.build, licenses) {
		doc.Packages = append(doc.Packages, p)
		doc.Relationships = append(doc.Relationships, relation(main.PackageSPDXIdentifier, common.TypeRelationshipDependsOn, p))
	}
	var text bytes.Buffer
	err = spdxjson.Write(doc, &text, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
	return text.Bytes(), err
}

func relation(from common.ElementID, kind string, to *v2_3.Package) *v2_3.Relationship {
	return &v2_3.Relationship{
		RefA: common.DocElementID{ElementRefID: from}, Relationship: kind,
		RefB: common.DocElementID{ElementRefID: to.PackageSPDXIdentifier},
	}
}

// archivePackage is the archive itself, which is nothing but the program and papers.
func archivePackage(s subject, file, digest string) *v2_3.Package {
	p := newPackage(s.Name, s.Version, "pkg:generic/"+s.Name+"@"+escapeVersion(s.Version), s.License)
	p.PackageSPDXIdentifier = "Archive"
	p.PackageFileName = file
	p.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: digest}}
	p.PrimaryPackagePurpose = "APPLICATION"
	if s.Supplier != noAssertion {
		p.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: s.Supplier}
	}
	return p
}

// linked are the modules in a program, sorted, and before them Go's own library.
func linked(build *buildinfo.BuildInfo, licenses licenseReader) []*v2_3.Package {
	var list []*v2_3.Package
	if version, ok := strings.CutPrefix(build.GoVersion, "go"); ok && !strings.Contains(version, " ") {
		p := newPackage("stdlib", version, "pkg:golang/stdlib@"+escapeVersion(version), "BSD-3-Clause")
		p.PackageSPDXIdentifier = "Go"
		list = append(list, p)
	}
	deps := make([]debug.Module, 0, len(build.Deps))
	for _, dep := range build.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		deps = append(deps, *dep)
	}
	slices.SortFunc(deps, func(a, b debug.Module) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	for i, dep := range deps {
		p := newPackage(dep.Path, dep.Version, "pkg:golang/"+dep.Path+"@"+escapeVersion(dep.Version), licenses.of(dep.Path, dep.Version))
		p.PackageSPDXIdentifier = common.ElementID(fmt.Sprintf("Module-%d", i+1))
		if dep.Sum != "" {
			p.PackageSourceInfo = "go.sum " + dep.Sum
		}
		list = append(list, p)
	}
	return list
}

// newPackage is a package of which no file was looked at for its own sake.
func newPackage(name, version, purl, license string) *v2_3.Package {
	return &v2_3.Package{
		PackageName: name, PackageVersion: version,
		PackageDownloadLocation: noAssertion, IsFilesAnalyzedTagPresent: true,
		PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: license, PackageCopyrightText: noAssertion,
		PackageExternalReferences: []*v2_3.PackageExternalReference{
			{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl},
		},
	}
}

// escapeVersion is a version as a package URL writes it (ECMA-427): the plus of
// "+incompatible" and of build metadata is escaped.
func escapeVersion(version string) string { return strings.ReplaceAll(version, "+", "%2B") }
