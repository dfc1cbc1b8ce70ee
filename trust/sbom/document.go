package sbom

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Format is a kind of document.
type Format string

// The formats.
const (
	SPDX      Format = "SPDX"
	CycloneDX Format = "CycloneDX"
)

// Document is what assay reads of a bill of materials.
type Document struct {
	Format      Format    `json:"format"`
	SpecVersion string    `json:"specVersion"`         // like 2.3
	Name        string    `json:"name,omitempty"`      // as the document calls itself or its subject
	Namespace   string    `json:"namespace,omitempty"` // SPDX's namespace, CycloneDX's serial number
	Created     time.Time `json:"created,omitzero"`    // zero: not stated, or not as RFC 3339
	Tools       []string  `json:"tools,omitempty"`     // what made it, as it says

	Subject    *Component  `json:"subject,omitempty"`  // what the document describes; nil: nothing, or several things
	Components []Component `json:"components"`         // sorted by name, version, purl; each once
	Licenses   []string    `json:"licenses,omitempty"` // the distinct licence ids of the components, sorted
}

// Component is a part of an artifact.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // in its own spelling
	PURL    string `json:"purl,omitempty"`
	License string `json:"license,omitempty"` // an SPDX expression; empty: not stated
}

// finish sorts what was read, drops what repeats and gathers the licences.
func (d *Document) finish() {
	slices.SortFunc(d.Components, compareComponents)
	d.Components = slices.Clip(slices.Compact(d.Components))
	d.Licenses = licensesOf(d.Components)
}

func compareComponents(a, b Component) int {
	return cmp.Or(
		strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version),
		strings.Compare(a.PURL, b.PURL), strings.Compare(a.License, b.License),
	)
}

// licensesOf lists the licence ids of all components, each once. Most components
// share a few expressions, and each expression is read once.
func licensesOf(components []Component) []string {
	expressions := map[string]bool{}
	for _, c := range components {
		expressions[c.License] = true
	}
	var ids []string
	for expression := range expressions {
		ids = append(ids, Licenses(expression)...)
	}
	slices.Sort(ids)
	seen := map[string]bool{} // in lower case
	return slices.DeleteFunc(ids, func(id string) bool {
		key := strings.ToLower(id)
		again := seen[key]
		seen[key] = true
		return again
	})
}
