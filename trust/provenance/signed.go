package provenance

import (
	"encoding/json"
	"time"

	"assay/artifact"
)

// Signed is what a verified signature says: who vouches for which bytes, since
// when, and with what statement. It can be written as JSON and read again
// without loss.
type Signed struct {
	Profile string          `json:"profile"` // the name of the Profile it was verified by
	Kind    Kind            `json:"kind"`    // of that Profile
	Bundle  artifact.Digest `json:"bundle"`  // SHA-256 of the bundle's file
	Root    artifact.Digest `json:"root"`    // SHA-256 of the trusted root, or of the profile's keys
	Form    string          `json:"form"`    // the bundle's media type
	// Artifact is the digest of the bytes that are vouched for, one of those
	// that Verify was given.
	Artifact  artifact.Digest `json:"artifact"`
	Signer    Signer          `json:"signer"`
	Times     []Time          `json:"times,omitempty"`       // when it was signed, as others observed
	Logged    []LogEntry      `json:"log_entries,omitempty"` // in transparency logs, each verified
	Statement *Statement      `json:"statement,omitempty"`   // nil for a signature over the bytes alone
}

// Signer is who signed: the identity in a certificate, or a key.
type Signer struct {
	Issuer      string       `json:"issuer,omitempty"`   // who vouched for the identity, like https://token.actions.githubusercontent.com
	Identity    string       `json:"identity,omitempty"` // the certificate's subject alternative name
	Key         string       `json:"key,omitempty"`      // without a certificate: "sha256:HEX" of the key's SubjectPublicKeyInfo
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Certificate has the claims of a Fulcio certificate that say how it came to
// be (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md). Empty
// where the certificate has none.
type Certificate struct {
	NotBefore         time.Time `json:"not_before"`
	NotAfter          time.Time `json:"not_after"`
	BuildSigner       string    `json:"build_signer,omitempty"` // URI of the workflow that signed
	BuildSignerDigest string    `json:"build_signer_digest,omitempty"`
	RunnerEnvironment string    `json:"runner_environment,omitempty"` // "github-hosted", say
	SourceRepository  string    `json:"source_repository,omitempty"`  // URI
	SourceDigest      string    `json:"source_digest,omitempty"`      // the commit
	SourceRef         string    `json:"source_ref,omitempty"`         // like refs/tags/v1.2.3
	BuildConfig       string    `json:"build_config,omitempty"`       // URI of the top-level workflow
	BuildConfigDigest string    `json:"build_config_digest,omitempty"`
	BuildTrigger      string    `json:"build_trigger,omitempty"`
	RunInvocation     string    `json:"run_invocation,omitempty"` // URI
}

// Time is a moment at which the signature is known to have been there.
type Time struct {
	Source string    `json:"source"` // "log" or "authority"
	URI    string    `json:"uri,omitempty"`
	At     time.Time `json:"at"`
}

// LogEntry is where a transparency log has the signature.
type LogEntry struct {
	Log   string `json:"log"` // the log's id, in hex
	Index int64  `json:"index"`
}

// Statement is a signed in-toto statement (v0.1 or v1).
type Statement struct {
	PredicateType string          `json:"predicate_type"`
	Predicate     json.RawMessage `json:"predicate,omitempty"` // an object, compact; nil if there is none
	Subjects      []Subject       `json:"subjects"`            // in the statement's order
}

// Subject is a file, or a package, that a statement is about.
type Subject struct {
	Name    string           `json:"name"`              // may be empty; may be a purl
	Digests artifact.Digests `json:"digests,omitempty"` // of the known algorithms
}
