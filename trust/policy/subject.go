package policy

import (
	"time"

	"assay/artifact"
	"assay/trust/advisory"
	"assay/trust/provenance"
	"assay/trust/provenance/slsa"
	"assay/trust/sbom"
)

// Subject is an artifact and what is proven of it: everything that a rule may
// look at. Nothing in it is a claim that was not checked, but for what its
// comment says.
type Subject struct {
	Repository string
	Product    string // empty: a target outside the release layout
	Version    artifact.Version
	Channel    string
	Platform   artifact.Platform
	Target     string // the target path
	Digests    artifact.Digests
	Status     string // current, superseded, deprecated, revoked; empty without the layout

	Published time.Time // as the manifest claims; zero without one
	Built     time.Time // by provenance, else as the manifest claims; zero: not known
	Observed  time.Time // when others first observed a signature over it; zero: nobody did
	License   string    // of the product, as the manifest claims

	Signatures []Signature // verified, and bound to this artifact
	// HasSBOM says that a bill of materials came as a signed target or as an
	// attestation; Components without one are the manifest's claim.
	HasSBOM    bool
	Components []sbom.Component
	Findings   []advisory.Finding
	Advisories []string // the documents that Findings come from; empty: none was asked
	Agreed     []string // the repositories that promise it alike

	// Rebuilders are whom the rules name as such, see Policy.Rebuilders: theirs alone
	// make it a KindRebuild.
	Rebuilders []provenance.Identity
}

// Signature is a verified signature over the artifact.
type Signature struct {
	provenance.Signed
	Provenance *slsa.Provenance // nil: its statement is none
	// OnlyRebuild says that the certificate does not bear out the source that the
	// provenance names: it tells that its signer built the same bytes, and counts
	// for rebuilders alone.
	OnlyRebuild bool
	// Of is the target path of the bundle.
	Of string
}
