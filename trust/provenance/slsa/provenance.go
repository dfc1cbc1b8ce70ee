// Package slsa reads SLSA provenance.
package slsa

import (
	"encoding/json"
	"time"
)

// Provenance is what a build platform says of a build: SLSA provenance v0.2 or
// v1 (https://slsa.dev/spec/v1.0/provenance), in one form. Fields that the
// predicate does not have are empty.
type Provenance struct {
	Version    string          `json:"version"` // of the predicate: "v0.2" or "v1"
	Builder    string          `json:"builder"`
	BuildType  string          `json:"build_type"`
	EntryPoint string          `json:"entry_point,omitempty"` // the workflow's path, say
	Source     Source          `json:"source"`
	Parameters json.RawMessage `json:"parameters,omitempty"` // external parameters
	Materials  []Material      `json:"materials,omitempty"`  // resolved dependencies
	Started    time.Time       `json:"started,omitzero"`
	Finished   time.Time       `json:"finished,omitzero"`
	Invocation string          `json:"invocation,omitempty"` // of this run
}

// Source is what was built.
type Source struct {
	Repository string `json:"repository,omitempty"` // https URL, without "git+" and without the ref
	Revision   string `json:"revision,omitempty"`   // the commit, in hex
	Ref        string `json:"ref,omitempty"`        // like refs/tags/v1.2.3
}

// Material is an input of the build.
type Material struct {
	URI    string `json:"uri"`
	Digest string `json:"digest,omitempty"` // ALGORITHM:HEX, the first by name
}
