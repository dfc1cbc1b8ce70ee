package release

import (
	"path"
	"time"

	"assay/artifact"
)

// Release is the manifest of a release. What it says about its making is the
// publisher's claim and nothing more.
type Release struct {
	document
	Schema        string           `json:"schema"`
	Product       string           `json:"product"`
	Version       artifact.Version `json:"version"`
	Summary       string           `json:"summary,omitempty"`
	License       string           `json:"license,omitempty"`
	Published     time.Time        `json:"published"`
	Notes         string           `json:"notes,omitempty"`        // a URL or text, may have line feeds and tabs
	KnownIssues   []string         `json:"known_issues,omitempty"` // likewise
	Documentation string           `json:"documentation,omitempty"`
	Publisher     Publisher        `json:"publisher,omitzero"`
	Source        Source           `json:"source,omitzero"`
	Build         Build            `json:"build,omitzero"`
	Components    []Component      `json:"components,omitempty"`
	Checksums     *Checksums       `json:"checksums,omitempty"`
	Artifacts     []Artifact       `json:"artifacts"` // at least one
}

// Publisher says who answers for the release and what they promise.
type Publisher struct {
	Team       string `json:"team,omitempty"`
	Homepage   string `json:"homepage,omitempty"`
	BugTracker string `json:"bug_tracker,omitempty"`
	Support    string `json:"support,omitempty"`
	Warranty   string `json:"warranty,omitempty"`
}

// Source says what the release was built from.
type Source struct {
	Repository string `json:"repository,omitempty"`
	Revision   string `json:"revision,omitempty"`
	Tag        string `json:"tag,omitempty"`
	TagObject  string `json:"tag_object,omitempty"`
	TagSigner  string `json:"tag_signer,omitempty"`
}

// Build says how the release was built.
type Build struct {
	Started      time.Time `json:"started,omitzero"`
	Finished     time.Time `json:"finished,omitzero"`
	Inputs       []string  `json:"inputs,omitempty"`
	Toolchain    string    `json:"toolchain,omitempty"`
	Log          string    `json:"log,omitempty"`
	Reproducible bool      `json:"reproducible,omitempty"`
}

// Component is a part that others made. Its version is in its own spelling.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	License string `json:"license,omitempty"`
}

// Checksums names a file beside the manifest that lists the artifacts' digests,
// and the signature bundles over it.
type Checksums struct {
	Target  string   `json:"target"`
	Bundles []string `json:"bundles,omitempty"`
}

// Artifact is one file of a release. Its bytes are those that have all of the
// Digests, wherever they come from.
type Artifact struct {
	Target      string           `json:"target,omitempty"` // beside the manifest; empty where URLs are given
	URLs        []string         `json:"urls,omitempty"`   // https; none where Target is given
	OS          string           `json:"os"`
	Arch        string           `json:"arch"`
	Variant     string           `json:"variant,omitempty"`
	Libc        string           `json:"libc,omitempty"`
	MinOS       string           `json:"min_os,omitempty"`
	Format      string           `json:"format,omitempty"`
	Length      int64            `json:"length"` // in bytes
	Digests     artifact.Digests `json:"digests"`
	Executables []Executable     `json:"executables,omitempty"`
	SBOM        string           `json:"sbom,omitempty"`    // beside the manifest
	Bundles     []string         `json:"bundles,omitempty"` // beside the manifest
	Pieces      *Pieces          `json:"pieces,omitempty"`
	Content     *Content         `json:"content,omitempty"`
}

// Executable is a program in an artifact.
type Executable struct {
	Path string `json:"path"`           // relative to the root of the unpacked artifact, with slashes
	Link string `json:"link,omitempty"` // the name to call it by
}

// Pieces are the SHA-256 digests, in lower-case hex, of the artifact's
// consecutive pieces of Length bytes; the last one may be shorter.
type Pieces struct {
	Length int64    `json:"length"`
	SHA256 []string `json:"sha256"`
}

// Content names the artifact's bytes when they are uncompressed.
type Content struct {
	Length  int64            `json:"length"`
	Digests artifact.Digests `json:"digests"`
}

// Platform is what the artifact runs on; its parts may be artifact.Any.
func (a Artifact) Platform() artifact.Platform {
	return artifact.Platform{OS: a.OS, Arch: a.Arch, Variant: a.Variant}
}

// Name is the name to store the artifact under, a safe file name: the last
// segment of the target, or of the path of the first URL.
func (a Artifact) Name() string {
	if a.Target != "" {
		return path.Base(a.Target)
	}
	if len(a.URLs) == 0 {
		return ""
	}
	name, err := urlFileName(a.URLs[0])
	if err != nil {
		return ""
	}
	return name
}

// Find returns the artifacts that suit a machine best, as Platform.Rank has it;
// several where they are alike in that (several formats, say), none where none
// suits. They keep the manifest's order.
func (r *Release) Find(machine artifact.Platform) []Artifact {
	best := 1
	var found []Artifact
	for _, a := range r.Artifacts {
		switch rank := machine.Rank(a.OS, a.Arch, a.Variant); {
		case rank > best:
			best, found = rank, []Artifact{a}
		case rank == best:
			found = append(found, a)
		}
	}
	return found
}
