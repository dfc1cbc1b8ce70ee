package testrepo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"assay/artifact"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Delegated is the key, in Options.Expiry and Options.Quorum, for every
// delegated role that is not listed by its own name.
const Delegated = "delegated"

// ErrOptions is wrapped by errors about Options that no repository can have.
var ErrOptions = errors.New("testrepo: impossible options")

// ErrUnknown is wrapped by errors about a role, target, product, version or
// generation that the repository does not have.
var ErrUnknown = errors.New("testrepo: unknown")

// ErrConflict is wrapped by errors about something that exists already, or
// that excludes something that does.
var ErrConflict = errors.New("testrepo: conflict")

// Quorum is how many keys a role has, and how many of them must sign.
type Quorum struct {
	Keys, Threshold int
}

// Options shape a repository. The zero value is a good one.
type Options struct {
	// Now gives the time from which expiry is counted; default time.Now.
	Now func() time.Time
	// PlainSnapshots publishes without consistent snapshots: snapshot.json,
	// targets.json and targets/PATH, overwritten by each generation.
	PlainSnapshots bool
	// Algorithms are the hashes listed for targets; default sha256.
	Algorithms []artifact.Algorithm
	// Expiry is how long a role's metadata is valid, by role or Delegated.
	// Defaults: root 365 days, targets and delegated ones 90, snapshot 7,
	// timestamp 1.
	Expiry map[string]time.Duration
	// Quorum gives keys and threshold, by role or Delegated. Default: 1 of 1,
	// for root 2 of 3. Exactly Threshold keys sign, not all.
	Quorum map[string]Quorum
	// Scheme is the kind of every key; default Ed25519.
	Scheme Scheme
	// NoMetaHashes leaves length and hashes out of timestamp and snapshot, as
	// the specification allows.
	NoMetaHashes bool
	// BaseURL is where the repository will be served. It is needed only for
	// artifacts that a manifest names by URL; ServeSample sets it. The default
	// is an address that never resolves.
	BaseURL string
	// Signing signs every release that does not say how; default nobody does.
	// Sample then promises its trusted root as well.
	Signing *Signing
}

// withDefaults returns a checked copy in which every field is set.
func (o Options) withDefaults() (Options, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = []artifact.Algorithm{artifact.SHA256}
	}
	o.Algorithms = slices.Clone(o.Algorithms)
	for _, a := range o.Algorithms {
		if a.Size() == 0 {
			return o, fmt.Errorf("%w: algorithm: expected sha256 or sha512, found %q", ErrOptions, a)
		}
	}
	if o.Scheme == "" {
		o.Scheme = Ed25519
	}
	if !slices.Contains([]Scheme{Ed25519, ECDSA, P384, RSA}, o.Scheme) {
		return o, fmt.Errorf("%w: scheme: expected %q, %q, %q or %q, found %q", ErrOptions, Ed25519, ECDSA, P384, RSA, o.Scheme)
	}
	const day = 24 * time.Hour
	expiry := map[string]time.Duration{
		metadata.ROOT: 365 * day, metadata.TARGETS: 90 * day, Delegated: 90 * day,
		metadata.SNAPSHOT: 7 * day, metadata.TIMESTAMP: day,
	}
	maps.Copy(expiry, o.Expiry)
	o.Expiry = expiry
	quorum := map[string]Quorum{metadata.ROOT: {Keys: 3, Threshold: 2}, Delegated: {Keys: 1, Threshold: 1}}
	maps.Copy(quorum, o.Quorum)
	o.Quorum = quorum
	for role, q := range quorum {
		if q.Threshold < 1 || q.Keys < q.Threshold {
			return o, fmt.Errorf("%w: quorum of %q: expected 1 ≤ threshold ≤ keys, found %d of %d", ErrOptions, role, q.Threshold, q.Keys)
		}
	}
	if o.BaseURL == "" {
		o.BaseURL = "https://repository.invalid"
	}
	return o, nil
}

// quorumOf is the quorum of a role that is about to be made.
func (o Options) quorumOf(role string) Quorum {
	if q, ok := o.Quorum[role]; ok {
		return q
	}
	if isTopLevel(role) {
		return Quorum{Keys: 1, Threshold: 1}
	}
	return o.Quorum[Delegated]
}

// expiryOf is the time of validity of a role that is about to be made.
func (o Options) expiryOf(role string) time.Duration {
	if d, ok := o.Expiry[role]; ok {
		return d
	}
	return o.Expiry[Delegated]
}

func isTopLevel(role string) bool {
	return slices.Contains(metadata.TOP_LEVEL_ROLE_NAMES[:], role)
}
