// Package sbom reads software bills of materials.
package sbom

// Component is a part of an artifact.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // in its own spelling
	PURL    string `json:"purl,omitempty"`
	License string `json:"license,omitempty"` // an SPDX expression; empty: not stated
}
