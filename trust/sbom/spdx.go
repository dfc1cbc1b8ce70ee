package sbom

import (
	"fmt"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"assay/internal/strictjson"
)

// The names that SPDX gives to the document itself and to what nobody stated
// (SPDX 2.3, sections 6.3 and 7.13).
const (
	documentID  = "SPDXRef-DOCUMENT"
	noAssertion = "NOASSERTION"
	none        = "NONE"
)

// parseSPDX reads an SPDX document from its members. Version 2.2 differs from
// 2.3 in nothing that is read here (SPDX 2.3, annex I).
func parseSPDX(head map[string][]byte) (*Document, error) {
	var version string
	if err := decode(head["spdxVersion"], "spdxVersion", &version); err != nil {
		return nil, err
	}
	if version != "SPDX-2.2" && version != v2_3.Version {
		return nil, wrong(ErrVersion, "spdxVersion", `"SPDX-2.2" or "SPDX-2.3"`, quote(version))
	}
	doc := &Document{Format: SPDX, SpecVersion: strings.TrimPrefix(version, "SPDX-"), Components: []Component{}}
	if err := doc.spdxHead(head); err != nil {
		return nil, err
	}
	subject, err := describedBySPDX(head)
	if err != nil {
		return nil, err
	}
	if err := checkArray(head["packages"], "packages", MaxComponents); err != nil {
		return nil, err
	}
	index := 0
	for element := range strictjson.Elements(head["packages"]) {
		where := fmt.Sprintf("packages[%d]", index)
		index++
		if isNull(element) {
			continue
		}
		id, component, err := readPackage(element, where)
		if err != nil {
			return nil, err
		}
		if subject != "" && id == subject && doc.Subject == nil {
			doc.Subject = &component
		} else {
			doc.Components = append(doc.Components, component)
		}
	}
	return doc, nil
}

// spdxHead reads what the document says of itself.
func (d *Document) spdxHead(head map[string][]byte) error {
	if err := decode(head["name"], "name", &d.Name); err != nil {
		return err
	}
	if err := decode(head["documentNamespace"], "documentNamespace", &d.Namespace); err != nil {
		return err
	}
	var created v2_3.CreationInfo
	if info := head["creationInfo"]; info != nil {
		if err := checkArray(members(info)["creators"], "creationInfo.creators", maxReferences); err != nil {
			return err
		}
		if err := decodePicked(info, "creationInfo", &created, "created", "creators"); err != nil {
			return err
		}
	}
	d.Created = parseTime(created.Created)
	for _, creator := range created.Creators {
		if creator.CreatorType == "Tool" && len(d.Tools) < maxTools {
			d.Tools = append(d.Tools, clipped(creator.Creator))
		}
	}
	d.Name, d.Namespace = clipped(d.Name), clipped(d.Namespace)
	return nil
}

// readPackage reads one package and its identifier.
func readPackage(object []byte, where string) (id string, c Component, err error) {
	if err := checkArray(members(object)["externalRefs"], where+".externalRefs", maxReferences); err != nil {
		return "", c, err
	}
	var p v2_3.Package
	err = decodePicked(object, where, &p, "SPDXID", "name", "versionInfo", "licenseConcluded", "licenseDeclared", "externalRefs")
	if err != nil {
		return "", c, err
	}
	c = Component{Name: p.PackageName, Version: p.PackageVersion}
	for _, ref := range p.PackageExternalReferences {
		if ref != nil && ref.RefType == "purl" && c.PURL == "" {
			c.PURL = ref.Locator
		}
	}
	if c.License = stated(p.PackageLicenseConcluded); c.License == "" {
		c.License = stated(p.PackageLicenseDeclared)
	}
	if c.Version = stated(c.Version); c.Version == "" {
		c.Version = versionOf(c.PURL)
	}
	return string(p.PackageSPDXIdentifier), c, c.check(where)
}

// stated drops the words by which SPDX says that nothing is stated.
func stated(text string) string {
	if text = strings.TrimSpace(text); strings.EqualFold(text, noAssertion) || strings.EqualFold(text, none) {
		return ""
	}
	return text
}

// describedBySPDX gives the identifier of the one element that the document
// describes, without its prefix; empty where that are several or none.
func describedBySPDX(head map[string][]byte) (string, error) {
	found := map[string]bool{}
	add := func(value []byte, where string) error {
		var id string
		if err := decode(value, where, &id); err != nil {
			return err
		}
		found[strings.TrimPrefix(id, "SPDXRef-")] = true
		return nil
	}
	for _, name := range []string{"documentDescribes", "relationships"} {
		if value := head[name]; value != nil && value[0] != '[' {
			return "", wrong(ErrMalformed, name, "an array", quote(string(value)))
		}
	}
	for element := range strictjson.Elements(head["documentDescribes"]) {
		if isNull(element) {
			continue
		}
		if err := add(element, "documentDescribes"); err != nil {
			return "", err
		}
		if len(found) > 1 {
			return "", nil
		}
	}
	for element := range strictjson.Elements(head["relationships"]) {
		if value := describes(element); value != nil {
			if err := add(value, "relationships"); err != nil {
				return "", err
			}
		}
		if len(found) > 1 {
			return "", nil
		}
	}
	for id := range found {
		return id, nil
	}
	return "", nil
}

// describes gives the text of the identifier that a relationship says the
// document describes; nil where it says something else. Generators write these
// words without escapes.
func describes(relationship []byte) []byte {
	var from, kind, to []byte
	for m := range strictjson.Members(relationship) {
		switch string(m.Key) {
		case "spdxElementId":
			from = m.Value
		case "relationshipType":
			kind = m.Value
		case "relatedSpdxElement":
			to = m.Value
		}
	}
	const document = `"` + documentID + `"`
	switch {
	case string(kind) == `"DESCRIBES"` && string(from) == document:
		return to
	case string(kind) == `"DESCRIBED_BY"` && string(to) == document:
		return from
	}
	return nil
}

// parseTime reads a time as RFC 3339; it is zero where the text is none.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// clipped makes a text of the document's head, which nothing is decided by, fit
// to be shown.
func clipped(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return plain(text)
}
