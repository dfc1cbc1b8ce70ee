package advisory

import (
	"time"

	"assay/trust/sbom"
)

// State is what advisories together say of a component.
type State string

// The states.
const (
	Affected    State = "affected"
	NotAffected State = "not affected" // a VEX statement says so
	Fixed       State = "fixed"        // likewise
	Unknown     State = "unknown"      // under investigation, or a version that can't be compared
)

// weight orders the states, the worst last.
func (s State) weight() int {
	switch s {
	case NotAffected:
		return 1
	case Fixed:
		return 2
	case Unknown:
		return 3
	case Affected:
		return 4
	}
	return 0
}

// Finding is that an advisory speaks of a component.
type Finding struct {
	ID        string         `json:"id"` // like CVE-2026-1234
	Aliases   []string       `json:"aliases,omitempty"`
	State     State          `json:"state"`
	Summary   string         `json:"summary,omitempty"`
	Severity  string         `json:"severity,omitempty"` // as the record gives it, like CVSS:3.1/AV:N/…; not interpreted
	Modified  time.Time      `json:"modified,omitzero"`  // when the newest record or statement of it was; zero: not stated
	Component sbom.Component `json:"component"`          // the product itself where it is the artifact that is meant
	Fixed     string         `json:"fixed,omitempty"`    // the version that mends it
	Why       string         `json:"why,omitempty"`      // a VEX statement's justification, or why it can't be told
	By        string         `json:"by,omitempty"`       // the document whose VEX statement the state is from, likewise; empty: a record decided
	Source    string         `json:"source"`             // the name of the document, or several with commas
}

// Cleared reports whether a VEX statement says that nothing is wrong; By and Why
// tell whose, and its reason.
func (f Finding) Cleared() bool { return f.State == NotAffected || f.State == Fixed }
