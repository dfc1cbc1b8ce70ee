package sbom

import (
	"fmt"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"

	"assay/internal/strictjson"
)

// maxNesting is how deep components may lie within each other; three is much.
const maxNesting = 16

// parseCycloneDX reads a CycloneDX document from its members.
func parseCycloneDX(head map[string][]byte) (*Document, error) {
	var bom cyclonedx.BOM
	if err := decode(head["bomFormat"], "bomFormat", &bom.BOMFormat); err != nil {
		return nil, err
	}
	if bom.BOMFormat != cyclonedx.BOMFormat {
		return nil, wrong(ErrFormat, "bomFormat", quote(cyclonedx.BOMFormat), quote(bom.BOMFormat))
	}
	var version string
	if err := decode(head["specVersion"], "specVersion", &version); err != nil {
		return nil, err
	}
	// JSON came with version 1.2. A version that the library does not know stays 0.
	if decode(head["specVersion"], "specVersion", &bom.SpecVersion); bom.SpecVersion < cyclonedx.SpecVersion1_2 {
		return nil, wrong(ErrVersion, "specVersion", `"1.2" to "1.7"`, quote(version))
	}
	if err := decode(head["serialNumber"], "serialNumber", &bom.SerialNumber); err != nil {
		return nil, err
	}
	r := cycloneReader{doc: &Document{
		Format: CycloneDX, SpecVersion: version, Namespace: clipped(bom.SerialNumber), Components: []Component{},
	}}
	if err := r.metadata(head["metadata"]); err != nil {
		return nil, err
	}
	if err := r.components(head["components"], "components", 1); err != nil {
		return nil, err
	}
	return r.doc, nil
}

// cycloneReader gathers components, in the order of the document.
type cycloneReader struct {
	doc  *Document
	seen int // components, with those that are not kept
}

// metadata reads when and by what the document was made, and what it describes.
func (r *cycloneReader) metadata(object []byte) error {
	if object == nil {
		return nil
	}
	var head cyclonedx.Metadata
	if err := decodePicked(object, "metadata", &head, "timestamp"); err != nil {
		return err
	}
	r.doc.Created = parseTime(head.Timestamp)
	parts := members(object)
	if err := r.tools(parts["tools"]); err != nil {
		return err
	}
	if parts["component"] == nil {
		return nil
	}
	subject, _, err := readCyclone(parts["component"], "metadata.component")
	if err != nil {
		return err
	}
	r.doc.Subject, r.doc.Name = &subject, subject.Name
	return r.components(members(parts["component"])["components"], "metadata.component.components", 2)
}

// tools lists the tools: an array until version 1.4, later also an object with
// components.
func (r *cycloneReader) tools(value []byte) error {
	if value != nil && value[0] == '{' {
		value = members(value)["components"]
	}
	if err := checkArray(value, "metadata.tools", maxReferences); err != nil {
		return err
	}
	for element := range strictjson.Elements(value) {
		if isNull(element) || len(r.doc.Tools) >= maxTools {
			continue
		}
		var tool struct{ Name, Version string } // a tool until 1.4, a component since
		if err := decodePicked(element, "metadata.tools", &tool, "name", "version"); err != nil {
			return err
		}
		if name := clipped(tool.Name + " " + tool.Version); name != "" {
			r.doc.Tools = append(r.doc.Tools, name)
		}
	}
	return nil
}

// components reads a list of components and those within them.
func (r *cycloneReader) components(array []byte, where string, depth int) error {
	if array == nil {
		return nil
	}
	if depth > maxNesting {
		return wrong(ErrTooLarge, where, fmt.Sprintf("at most %d levels of components", maxNesting), "more")
	}
	if array[0] != '[' {
		return wrong(ErrMalformed, where, "an array", quote(string(array)))
	}
	index := 0
	for element := range strictjson.Elements(array) {
		place := fmt.Sprintf("%s[%d]", where, index)
		index++
		if r.seen++; r.seen > MaxComponents {
			return wrong(ErrTooLarge, place, fmt.Sprintf("at most %d components", MaxComponents), "more")
		}
		if isNull(element) {
			continue
		}
		component, kind, err := readCyclone(element, place)
		if err != nil {
			return err
		}
		if kind != cyclonedx.ComponentTypeFile || component.PURL != "" {
			r.doc.Components = append(r.doc.Components, component)
		}
		if err := r.components(members(element)["components"], place+".components", depth+1); err != nil {
			return err
		}
	}
	return nil
}

// readCyclone reads one component, without those within it.
func readCyclone(object []byte, where string) (Component, cyclonedx.ComponentType, error) {
	if err := checkArray(members(object)["licenses"], where+".licenses", maxReferences); err != nil {
		return Component{}, "", err
	}
	var read cyclonedx.Component
	if err := decodePicked(object, where, &read, "type", "group", "name", "version", "purl", "licenses"); err != nil {
		return Component{}, "", err
	}
	c := Component{Name: grouped(read.Group, read.Name), Version: read.Version, PURL: read.PackageURL}
	if c.Version == "" {
		c.Version = versionOf(c.PURL)
	}
	if read.Licenses != nil {
		c.License = joinLicenses(*read.Licenses)
	}
	return c, read.Type, c.check(where)
}

// grouped puts a group before a name, as @babel/core or org.slf4j/slf4j-api,
// unless the name has it already.
func grouped(group, name string) string {
	if group == "" || name == "" || strings.HasPrefix(name, group+"/") {
		return name
	}
	return group + "/" + name
}
