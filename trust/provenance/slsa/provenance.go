package slsa

import (
	"encoding/json"
	"time"
)

// The types of predicate that Parse reads.
const (
	TypeV02 = "https://slsa.dev/provenance/v0.2"
	TypeV1  = "https://slsa.dev/provenance/v1"
)

// Provenance is what a build platform says of a build: SLSA provenance v0.2 or
// v1 (https://slsa.dev/spec/v1.0/provenance), in one form. Fields that the
// predicate does not have are empty.
type Provenance struct {
	Version    string `json:"version"` // of the predicate: "v0.2" or "v1"
	Builder    string `json:"builder"`
	BuildType  string `json:"build_type"`
	EntryPoint string `json:"entry_point,omitempty"` // the workflow's path, say
	Source     Source `json:"source"`
	// Parameters are what the one who started the build could choose: v1's
	// externalParameters or v0.2's invocation.parameters, whole and compact. They
	// are nil where there are none, and also beyond MaxParameters: then they are
	// not known, not empty.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Materials  []Material      `json:"materials,omitempty"` // resolved dependencies
	Started    time.Time       `json:"started,omitzero"`
	Finished   time.Time       `json:"finished,omitzero"`
	Invocation string          `json:"invocation,omitempty"` // of this run
}

// Source is what was built.
type Source struct {
	Repository string `json:"repository,omitempty"` // https URL, without "git+" and without the ref
	Revision   string `json:"revision,omitempty"`   // the commit, in lower-case hex
	Ref        string `json:"ref,omitempty"`        // like refs/tags/v1.2.3
}

// Material is an input of the build.
type Material struct {
	URI    string `json:"uri"`              // as the platform wrote it; a name where it has no URI
	Digest string `json:"digest,omitempty"` // ALGORITHM:VALUE, the first by name; VALUE is hex for most algorithms
}

// IsProvenance reports whether Parse reads that type of predicate.
func IsProvenance(predicateType string) bool {
	return predicateType == TypeV02 || predicateType == TypeV1
}
