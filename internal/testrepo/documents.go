package testrepo

import (
	"encoding/json"
	"fmt"
	"time"
)

// The documents of the release layout, written as publishers write them. The
// types are this package's own, so that a mistake in the ones that clients
// decode with does not cancel itself out in tests.

type catalogDocument struct {
	Schema   string           `json:"schema"`
	Products []catalogProduct `json:"products"`
}

type catalogProduct struct {
	Product  string   `json:"product"`
	Summary  string   `json:"summary"`
	Channels []string `json:"channels"`
}

type indexDocument struct {
	Schema    string         `json:"schema"`
	Product   string         `json:"product"`
	Channel   string         `json:"channel"`
	Updated   time.Time      `json:"updated"`
	MaxAge    string         `json:"max_age,omitempty"`
	EndOfLife *time.Time     `json:"end_of_life,omitempty"`
	Releases  []indexRelease `json:"releases"`
}

type indexRelease struct {
	Version  string    `json:"version"`
	Manifest string    `json:"manifest"`
	Status   string    `json:"status"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason,omitempty"`
	Advisory string    `json:"advisory,omitempty"`
	Rollout  *Rollout  `json:"rollout,omitempty"`
}

// Rollout says which share of machines gets a release, and when. A machine's
// place is computed from the salt and its own random identity.
type Rollout struct {
	Salt  string `json:"salt"`
	Steps []Step `json:"steps"`
}

// Step is one step of a Rollout: from At on, this many percent.
type Step struct {
	At      time.Time `json:"at"`
	Percent int       `json:"percent"`
}

type manifestDocument struct {
	Schema        string             `json:"schema"`
	Product       string             `json:"product"`
	Version       string             `json:"version"`
	Summary       string             `json:"summary"`
	License       string             `json:"license"`
	Published     time.Time          `json:"published"`
	Notes         string             `json:"notes"`
	Documentation string             `json:"documentation"`
	KnownIssues   []string           `json:"known_issues"`
	Publisher     publisherDocument  `json:"publisher"`
	Source        sourceDocument     `json:"source"`
	Build         buildDocument      `json:"build"`
	Components    []Component        `json:"components"`
	Checksums     checksums          `json:"checksums"`
	Artifacts     []artifactDocument `json:"artifacts"`
}

type publisherDocument struct {
	Team       string `json:"team"`
	Homepage   string `json:"homepage"`
	BugTracker string `json:"bug_tracker"`
	Support    string `json:"support"`
	Warranty   string `json:"warranty"`
}

type sourceDocument struct {
	Repository string `json:"repository"`
	Revision   string `json:"revision"`
	Tag        string `json:"tag"`
	TagObject  string `json:"tag_object"`
	TagSigner  string `json:"tag_signer"`
}

type buildDocument struct {
	Started      time.Time `json:"started"`
	Finished     time.Time `json:"finished"`
	Inputs       []string  `json:"inputs"`
	Toolchain    string    `json:"toolchain"`
	Log          string    `json:"log"`
	Reproducible bool      `json:"reproducible"`
}

type checksums struct {
	Target  string   `json:"target"`
	Bundles []string `json:"bundles,omitempty"`
}

type artifactDocument struct {
	Target      string            `json:"target,omitempty"`
	URLs        []string          `json:"urls,omitempty"`
	OS          string            `json:"os"`
	Arch        string            `json:"arch"`
	Variant     string            `json:"variant,omitempty"`
	Libc        string            `json:"libc,omitempty"`
	Format      string            `json:"format"`
	Length      int64             `json:"length"`
	Digests     map[string]string `json:"digests"`
	Executables []executable      `json:"executables,omitempty"`
	SBOM        string            `json:"sbom,omitempty"`
	Bundles     []string          `json:"bundles,omitempty"`
}

type executable struct {
	Path string `json:"path"`
	Link string `json:"link"`
}

// encode writes a document as publishers do, indented, with a newline at the
// end. The types above always encode.
func encode(document any) ([]byte, error) {
	data, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode a document: %w", err)
	}
	return append(data, '\n'), nil
}
