package testrepo_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"assay/internal/testrepo"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"
)

// billed is a repository with a release that has bills of a format.
func billed(t *testing.T, format testrepo.BillFormat, components []testrepo.Component) (*testrepo.Repo, string) {
	t.Helper()
	r, err := testrepo.New(testrepo.Options{})
	must(t, err)
	must(t, r.AddProduct("hello", "Prints a greeting", "stable"))
	must(t, r.AddRelease(testrepo.Release{
		Product: "hello", Version: "1.4.2", Channel: "stable", Artifacts: testrepo.DefaultArtifacts()[:1], Bill: format, Components: components,
	}))
	return r, manifestOf(t, r, "hello/1.4.2/release.json").Artifacts[0].SBOM
}

func TestSPDX(t *testing.T) {
	t.Parallel()
	r, where := billed(t, "", nil)
	if where != "hello/1.4.2/hello_1.4.2_linux_amd64.spdx.json" {
		t.Errorf("found at %q", where)
	}
	document, err := spdxjson.Read(bytes.NewReader(targetOf(t, r, where)))
	must(t, err)
	must(t, spdxlib.ValidateDocument(document))
	described, err := spdxlib.GetDescribedPackageIDs(document)
	must(t, err)
	var found []testrepo.Component
	for _, p := range document.Packages {
		if slices.Contains(described, p.PackageSPDXIdentifier) {
			continue
		}
		_, err := packageurl.FromString(p.PackageExternalReferences[0].Locator)
		must(t, err)
		found = append(found, testrepo.Component{Name: p.PackageName, Version: p.PackageVersion, PURL: p.PackageExternalReferences[0].Locator, License: p.PackageLicenseConcluded})
	}
	if len(described) != 1 || !slices.Equal(found, testrepo.DefaultComponents()) {
		t.Errorf("expected %v, found %v; described %v", testrepo.DefaultComponents(), found, described)
	}
}

func TestCycloneDX(t *testing.T) {
	t.Parallel()
	components := []testrepo.Component{{Name: "a", Version: "1", PURL: "pkg:npm/a@1", License: "MIT"}, {Name: "b", License: "MIT OR ISC"}, {Name: "c"}}
	r, where := billed(t, testrepo.CycloneDX, components)
	if where != "hello/1.4.2/hello_1.4.2_linux_amd64.cdx.json" {
		t.Errorf("found at %q", where)
	}
	var bom cyclonedx.BOM
	must(t, cyclonedx.NewBOMDecoder(bytes.NewReader(targetOf(t, r, where)), cyclonedx.BOMFileFormatJSON).Decode(&bom))
	var found []testrepo.Component
	for _, c := range *bom.Components {
		license := ""
		if c.Licenses != nil {
			for _, choice := range *c.Licenses {
				license = choice.Expression
				if choice.License != nil {
					license = choice.License.ID
				}
			}
		}
		found = append(found, testrepo.Component{Name: c.Name, Version: c.Version, PURL: c.PackageURL, License: license})
	}
	if !slices.Equal(found, components) || bom.Metadata.Component.Name != "hello" || bom.SpecVersion != cyclonedx.SpecVersion1_6 {
		t.Errorf("expected %v, found %v", components, found)
	}
}

func TestNoBill(t *testing.T) {
	t.Parallel()
	if _, where := billed(t, testrepo.NoBill, []testrepo.Component{}); where != "" {
		t.Errorf("expected no bill, found %q", where)
	}
	if _, err := (testrepo.Bill{}).Document("swid"); !errors.Is(err, testrepo.ErrOptions) {
		t.Errorf("expected %v, found %v", testrepo.ErrOptions, err)
	}
}
