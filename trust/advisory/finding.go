// Package advisory reads what is known to be wrong with components.
package advisory

import "assay/trust/sbom"

// State is what advisories together say of a component.
type State string

// The states.
const (
	Affected    State = "affected"
	NotAffected State = "not affected" // a VEX statement says so
	Fixed       State = "fixed"        // likewise
	Unknown     State = "unknown"      // under investigation, or a version that can't be compared
)

// Finding is that an advisory speaks of a component.
type Finding struct {
	ID        string         `json:"id"` // like CVE-2026-1234
	Aliases   []string       `json:"aliases,omitempty"`
	State     State          `json:"state"`
	Summary   string         `json:"summary,omitempty"`
	Component sbom.Component `json:"component"`
	Fixed     string         `json:"fixed,omitempty"` // the version that mends it
	Why       string         `json:"why,omitempty"`   // a VEX statement's justification, or why it can't be told
	Source    string         `json:"source"`          // the name of the document
}
