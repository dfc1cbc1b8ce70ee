package trust

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"assay/artifact"
)

// Result is how a check ended.
type Result string

// The results of a check. What was not checked says why in Check.Why.
const (
	Pass       Result = "pass"
	Fail       Result = "fail"
	NotChecked Result = "not checked"
)

// The ids of checks. They are stable: scripts and stored receipts name them.
// Those of package policy begin with "policy", see there.
const (
	CheckRootChain = "tuf.root"      // the chain of roots, from the given one
	CheckTimestamp = "tuf.timestamp" // signed by the root's keys, not lower than before
	CheckSnapshot  = "tuf.snapshot"  // as the timestamp promises
	CheckTargets   = "tuf.targets"   // as the snapshot promises
	CheckFreshness = "tuf.freshness" // a source was asked, nothing has expired
	CheckPromise   = "tuf.promise"   // the target path, and the role that lists it
	CheckAgreement = "tuf.agreement" // the repositories that must promise the same do

	CheckStatus     = "release.status"     // what the channels say of the release
	CheckManifest   = "release.manifest"   // the manifest agrees with the role that lists it
	CheckName       = "release.name"       // the file's name agrees with version and platform
	CheckChannelAge = "release.channel"    // the channel's index is not too old, nor at its end of life
	CheckAge        = "release.age"        // when it was built and published
	CheckChecksums  = "release.checksums"  // the checksums file lists the artifact with the same digest
	CheckUnchanged  = "release.unchanged"  // the bytes are those first seen under this path
	CheckSBOM       = "release.sbom"       // its components are known
	CheckAdvisories = "release.advisories" // what is known to be wrong with them

	CheckSignature = "signature"          // a bundle: certificate, log, time, signature
	CheckIdentity  = "signature.identity" // the signer is one that is accepted
	CheckSubject   = "signature.subject"  // what is signed is this artifact, by name and digest

	CheckProvenance = "provenance"        // a statement of how it was built, that the certificate bears out
	CheckSource     = "provenance.source" // built from the source that the manifest names
	CheckRatchet    = "proof.ratchet"     // no weaker than older versions

	CheckLength = "bytes.length"
	CheckDigest = "bytes.digest"
)

// Check is one step of a proof.
type Check struct {
	ID     string `json:"id"`
	Result Result `json:"result"`
	// Repository is the one whose metadata was checked, where several must
	// agree and it is another than the Evidence's own.
	Repository string `json:"repository,omitempty"`
	// Of is the document that was checked, by its target path or file name,
	// where the check may be made of several.
	Of       string `json:"of,omitempty"`
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
	Why      string `json:"why,omitempty"`
}

// Evidence is why something is believed, or is not: checks in the order they
// were made, and what they were made with.
type Evidence struct {
	Repository string    `json:"repository"`
	Judged     time.Time `json:"judged,omitzero"`
	// FreshUntil is when the first of what it rests on ends: the metadata, or the
	// channel. FreshBy names that.
	FreshUntil time.Time         `json:"fresh_until,omitzero"`
	FreshBy    string            `json:"fresh_by,omitempty"`
	Metadata   []MetadataVersion `json:"metadata,omitempty"`
	Policy     artifact.Digest   `json:"policy,omitzero"` // of the rules that judged; zero: there were none
	Signatures []Signature       `json:"signatures,omitempty"`
	Builds     []Build           `json:"builds,omitempty"`
	Claims     []Claim           `json:"claims,omitempty"` // what the manifest says, and nobody has checked
	Checks     []Check           `json:"checks"`
}

// Claim is something that a publisher says of a release, and nothing proves.
type Claim struct {
	What  string `json:"what"` // team, source, tag, …
	Value string `json:"value"`
}

// MetadataVersion is which metadata promised.
type MetadataVersion struct {
	Role    string    `json:"role"`
	Version int64     `json:"version"`
	Expires time.Time `json:"expires"`
}

// Signature is a signature that was verified, beside those of the repository.
type Signature struct {
	Of        string          `json:"of"`                  // the bundle's target path, or file name
	Bundle    artifact.Digest `json:"bundle"`              // of that file
	Profile   string          `json:"profile"`             // the trust profile that accepts it
	Root      artifact.Digest `json:"trust_root"`          // of the trusted root or the keys
	Issuer    string          `json:"issuer,omitempty"`    // who vouches for the signer
	Signer    string          `json:"signer"`              // an identity, or a key's digest
	Signed    time.Time       `json:"signed,omitzero"`     // as a log or an authority observed
	Logged    []LogEntry      `json:"logged,omitempty"`    // in transparency logs
	Statement string          `json:"statement,omitempty"` // its predicate's type; empty: of the bytes alone
}

// LogEntry is where a transparency log has a signature.
type LogEntry struct {
	Log   string `json:"log"` // the log's id, in hex
	Index int64  `json:"index"`
}

// Build is how an artifact came to be, as a build platform that signed says.
type Build struct {
	Of         string          `json:"of"` // the bundle
	Signer     string          `json:"signer"`
	Builder    string          `json:"builder"`
	Level      int             `json:"level"` // of SLSA, by the table of builders; 0: not in it
	BuildType  string          `json:"build_type,omitempty"`
	EntryPoint string          `json:"entry_point,omitempty"`
	Source     string          `json:"source,omitempty"`
	Revision   string          `json:"revision,omitempty"`
	Ref        string          `json:"ref,omitempty"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Finished   time.Time       `json:"finished,omitzero"`
}

// Add appends a check.
func (e *Evidence) Add(c Check) { e.Checks = append(e.Checks, c) }

// Until says that something which the evidence rests on ends at a time; the
// earliest counts.
func (e *Evidence) Until(end time.Time, by string) {
	if e.FreshUntil.IsZero() || end.Before(e.FreshUntil) {
		e.FreshUntil, e.FreshBy = end.UTC(), by
	}
}

// Passed reports whether a check of a document was made, and passed.
func (e *Evidence) Passed(id, of string) bool {
	return slices.ContainsFunc(e.Checks, func(c Check) bool { return c.ID == id && c.Of == of && c.Result == Pass })
}

// Failed is the first check that failed, and whether there is one.
func (e *Evidence) Failed() (Check, bool) {
	i := slices.IndexFunc(e.Checks, func(c Check) bool { return c.Result == Fail })
	if i < 0 {
		return Check{}, false
	}
	return e.Checks[i], true
}

// Evidence tells what was checked so that this view came to be.
func (v *View) Evidence() *Evidence {
	until, role := v.Expires()
	e := &Evidence{Repository: v.repository.name, Judged: v.now.UTC(), FreshUntil: until.UTC(), FreshBy: "the " + role + " of " + v.repository.name}
	ids := []string{CheckRootChain, CheckTimestamp, CheckSnapshot, CheckTargets}
	for i, role := range v.Roles() {
		e.Metadata = append(e.Metadata, MetadataVersion{role.Role, role.Version, role.Expires.UTC()})
		e.Add(Check{
			ID: ids[i], Result: Pass,
			Expected: fmt.Sprintf("%d of %d keys", role.Threshold, role.Keys),
			Found:    fmt.Sprintf("version %d, expires %s", role.Version, role.Expires.UTC().Format(time.RFC3339)),
		})
	}
	if v.twin {
		e.Checks[1].Found += "; a timestamp of the same version with other content was offered and discarded"
	}
	fresh := Check{ID: CheckFreshness, Result: Pass, Found: "checked at " + v.checked.UTC().Format(time.RFC3339)}
	switch {
	case v.stale != nil:
		fresh.Result, fresh.Why = NotChecked, fmt.Sprintf("not checked since %s: %v", v.checked.UTC().Format(time.RFC3339), v.stale)
	case v.freshness == Grace:
		fresh.Result, fresh.Why = NotChecked, fmt.Sprintf("no source answers; a grace of %s covers it", v.tolerance)
	case v.freshness == Unchecked:
		fresh.Result, fresh.Why = NotChecked, "not checked since "+v.checked.UTC().Format(time.RFC3339)+": offline"
	}
	e.Add(fresh)
	return e
}
