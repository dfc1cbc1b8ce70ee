package testrepo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Component is a part of a release that others made.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	License string `json:"license,omitempty"` // an SPDX expression
}

// DefaultComponents are what a Release is made of that does not say so.
func DefaultComponents() []Component {
	return []Component{
		{"golang.org/x/text", "v0.30.0", "pkg:golang/golang.org/x/text@v0.30.0", "BSD-3-Clause"},
		{"github.com/google/uuid", "v1.6.0", "pkg:golang/github.com/google/uuid@v1.6.0", "BSD-3-Clause"},
		{"gopkg.in/yaml.v3", "v3.0.1", "pkg:golang/gopkg.in/yaml.v3@v3.0.1", "MIT AND Apache-2.0"},
	}
}

// BillFormat is a format of bills of materials.
type BillFormat string

// The formats.
const (
	SPDX      BillFormat = "spdx"      // SPDX 2.3, .spdx.json
	CycloneDX BillFormat = "cyclonedx" // CycloneDX 1.6, .cdx.json
	NoBill    BillFormat = "none"
)

// Bill is a software bill of materials of one thing.
type Bill struct {
	Name             string // of the document, or of the file that it is about
	Product, Version string
	License          string // of the product
	Created          time.Time
	Components       []Component
}

// Document writes the bill as a file.
func (b Bill) Document(format BillFormat) ([]byte, error) {
	switch format {
	case SPDX:
		return encode(b.spdx())
	case CycloneDX:
		return encode(b.cycloneDX())
	default:
		return nil, fmt.Errorf("%w: format of a bill of materials: expected %q or %q, found %q", ErrOptions, SPDX, CycloneDX, format)
	}
}

// suffix is how files of the format are named.
func (f BillFormat) suffix() string {
	if f == CycloneDX {
		return ".cdx.json"
	}
	return ".spdx.json"
}

// predicate is the type of attestations of the format.
func (f BillFormat) predicate() string {
	if f == CycloneDX {
		return CycloneDXType
	}
	return SPDXType
}

// product is the component that the bill is about.
func (b Bill) product() Component {
	return Component{b.Product, b.Version, "pkg:generic/" + b.Product + "@" + b.Version, b.License}
}

// spdxDocument has what SPDX 2.3 requires, and what readers look for.
type spdxDocument struct {
	Version       string             `json:"spdxVersion"`
	ID            string             `json:"SPDXID"`
	License       string             `json:"dataLicense"`
	Name          string             `json:"name"`
	Namespace     string             `json:"documentNamespace"`
	Creation      spdxCreation       `json:"creationInfo"`
	Packages      []spdxPackage      `json:"packages"`
	Relationships []spdxRelationship `json:"relationships"`
}

type spdxCreation struct {
	Created  time.Time `json:"created"`
	Creators []string  `json:"creators"`
}

type spdxPackage struct {
	ID            string          `json:"SPDXID"`
	Name          string          `json:"name"`
	Version       string          `json:"versionInfo,omitempty"`
	Location      string          `json:"downloadLocation"`
	FilesAnalyzed bool            `json:"filesAnalyzed"`
	Concluded     string          `json:"licenseConcluded"`
	Declared      string          `json:"licenseDeclared"`
	Copyright     string          `json:"copyrightText"`
	References    []spdxReference `json:"externalRefs,omitempty"`
}

type spdxReference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxRelationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

func (b Bill) spdx() spdxDocument {
	const document, product = "SPDXRef-DOCUMENT", "SPDXRef-Product"
	d := spdxDocument{
		Version: "SPDX-2.3", ID: document, License: "CC0-1.0", Name: b.Name,
		Namespace:     "https://" + b.Product + ".example/spdx/" + b.Name,
		Creation:      spdxCreation{Created: b.Created.UTC().Truncate(time.Second), Creators: []string{"Organization: " + b.Product, "Tool: testrepo"}},
		Packages:      []spdxPackage{b.product().spdx(product)},
		Relationships: []spdxRelationship{{document, "DESCRIBES", product}},
	}
	for i, c := range b.Components {
		id := fmt.Sprintf("SPDXRef-Package-%d", i+1)
		d.Packages = append(d.Packages, c.spdx(id))
		d.Relationships = append(d.Relationships, spdxRelationship{product, "DEPENDS_ON", id})
	}
	return d
}

func (c Component) spdx(id string) spdxPackage {
	const unknown = "NOASSERTION"
	p := spdxPackage{
		ID: id, Name: c.Name, Version: c.Version, Location: unknown, Concluded: unknown, Declared: unknown, Copyright: unknown,
	}
	if c.License != "" {
		p.Concluded, p.Declared = c.License, c.License
	}
	if c.PURL != "" {
		p.References = []spdxReference{{"PACKAGE-MANAGER", "purl", c.PURL}}
	}
	return p
}

// cycloneDocument has what CycloneDX 1.6 requires, and what readers look for.
type cycloneDocument struct {
	Format       string              `json:"bomFormat"`
	SpecVersion  string              `json:"specVersion"`
	Serial       string              `json:"serialNumber"`
	Version      int                 `json:"version"`
	Metadata     cycloneMetadata     `json:"metadata"`
	Components   []cycloneComponent  `json:"components"`
	Dependencies []cycloneDependency `json:"dependencies"`
}

type cycloneMetadata struct {
	Timestamp time.Time        `json:"timestamp"`
	Component cycloneComponent `json:"component"`
}

type cycloneComponent struct {
	Type     string           `json:"type"`
	Ref      string           `json:"bom-ref"`
	Name     string           `json:"name"`
	Version  string           `json:"version,omitempty"`
	Licenses []map[string]any `json:"licenses,omitempty"`
	PURL     string           `json:"purl,omitempty"`
}

type cycloneDependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func (b Bill) cycloneDX() cycloneDocument {
	product := b.product().cyclone("application", "product")
	d := cycloneDocument{
		Format: "CycloneDX", SpecVersion: "1.6", Serial: serialOf(b.Product, b.Version, b.Name), Version: 1,
		Metadata:   cycloneMetadata{Timestamp: b.Created.UTC().Truncate(time.Second), Component: product},
		Components: []cycloneComponent{},
	}
	refs := []string{}
	for i, c := range b.Components {
		ref := fmt.Sprintf("component-%d", i+1)
		d.Components, refs = append(d.Components, c.cyclone("library", ref)), append(refs, ref)
	}
	d.Dependencies = []cycloneDependency{{Ref: product.Ref, DependsOn: refs}}
	return d
}

func (c Component) cyclone(kind, ref string) cycloneComponent {
	made := cycloneComponent{Type: kind, Ref: ref, Name: c.Name, Version: c.Version, PURL: c.PURL}
	switch {
	case c.License == "":
	case strings.Contains(c.License, " "):
		made.Licenses = []map[string]any{{"expression": c.License}}
	default:
		made.Licenses = []map[string]any{{"license": map[string]any{"id": c.License}}}
	}
	return made
}

// serialOf is a UUID of version 8 (RFC 9562): the same for the same bill.
func serialOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	text := hex.EncodeToString(sum[:16])
	return "urn:uuid:" + strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
