package proof

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// Config is what a Prover judges by. Memory is required.
type Config struct {
	Policy   *policy.Policy // nil: no rules
	Profiles []Profile      // by which signatures may be judged, each name once
	// Default names the profiles for a repository's signatures, besides those
	// that the policy's signers name. nil: none.
	Default func(repository string) []string
	// Advisories gives what is known to be wrong with components. nil: nothing
	// is configured.
	Advisories func(context.Context) (*advisory.Set, error)
	// Memory keeps receipts, the digests first seen, the kinds of proof seen,
	// and waivers.
	Memory trust.Store
	// Damaged reports whether an error of Memory is of one entry alone, which
	// putting it anew heals; nil: none is. Of a receipt it is then an ErrReceipt.
	Damaged func(error) bool
	Now     func() time.Time // nil: time.Now
}

// Profile is a trust profile whose root may have to be read first.
type Profile struct {
	Name       string
	Repository string // whose target its root is; empty: a file
	// Load gives the profile, and says where its root comes from, for Evidence.
	Load func(context.Context) (profile provenance.Profile, from string, err error)
}

// Documents reads what lies beside an artifact, in the artifact's repository.
type Documents interface {
	// Promise finds a target; without one it is trust.ErrNoTarget.
	Promise(ctx context.Context, path string) (trust.Target, error)
	// Agreed reports, once Promise found a target, whether all that must agree on
	// the path do; true where nobody must.
	Agreed(path string) bool
	// Read brings a target's bytes, proven, at most limit of them.
	Read(ctx context.Context, target trust.Target, limit int64) ([]byte, error)
	// Hash is the artifact's own digest by another algorithm than those that
	// its target lists. trust.ErrNotHeld where its bytes are not to be fetched.
	Hash(ctx context.Context, algorithm artifact.Algorithm) (artifact.Digest, error)
}

// Item is an artifact that a repository promises.
type Item struct {
	Target trust.Target
	// Release is the manifest that lists the artifact, and Artifact its entry.
	// nil: the target is none that a manifest lists.
	Release  *release.Release
	Artifact release.Artifact
	Manifest artifact.Digests // of the bytes of Release; none where that is nil

	// Paper says that the target is no artifact, but a document of a release, that
	// its manifest names, or the manifest itself.
	Paper bool
	// Parts asks for all components, also of a bill of materials that an earlier
	// proof has read. One that can't be had offline is left out all the same.
	Parts bool

	Product string           // by its path; empty: outside the release layout
	Version artifact.Version // likewise
	Channel string           // that lists the release, to be shown
	// Asked is the channel that it was asked for by. Empty where it was named by
	// its path, bytes or digest: then the rules for every channel are for it.
	Asked    string
	Status   release.Status
	Platform artifact.Platform
	Agreed   []string // the repositories that promise it alike

	Evidence  *trust.Evidence // of the metadata; what is checked here is added to it
	Documents Documents
}

// Proof is why an artifact is believed.
type Proof struct {
	Evidence *trust.Evidence
	Subject  policy.Subject
	Warnings []string
	// Partial says that Subject.Components are not all: a bill of materials that
	// was read at an earlier proof was not read again.
	Partial bool

	item      Item
	verdicts  map[string]provenance.Signed
	remember  policy.Subject
	checksums artifact.Digest
	sbom      artifact.Digest
}

// Release is the manifest of the proven artifact; nil where none lists it.
func (p *Proof) Release() *release.Release { return p.item.Release }

// Whole reports whether Item.Parts was set.
func (p *Proof) Whole() bool { return p.item.Parts }

// Prover proves artifacts. It is safe for several goroutines.
type Prover struct {
	config Config

	mu        sync.Mutex
	verifiers map[string]*verifier // by the profile's name
}

// New makes a Prover.
func New(config Config) (*Prover, error) {
	if config.Memory == nil {
		return nil, fmt.Errorf("%w: no memory was given", ErrConfig)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Policy == nil {
		none, err := policy.New(nil, nil)
		if err != nil {
			return nil, err
		}
		config.Policy = none
	}
	return &Prover{config: config, verifiers: map[string]*verifier{}}, nil
}

// AsksForAge reports whether a rule wants releases of a product to have a least age.
func (p *Prover) AsksForAge(repository, product, channel string) bool {
	return slices.ContainsFunc(p.config.Policy.Match(repository, product, channel), func(r policy.Rule) bool { return r.MinAge != nil })
}

// steps are the checks in their order, with the ids that each makes.
var steps = []step{
	{(*hearing).named, []string{trust.CheckName}},
	{(*hearing).unchanged, []string{trust.CheckUnchanged}},
	{(*hearing).listed, []string{trust.CheckChecksums}},
	{(*hearing).signed, []string{trust.CheckSignature, trust.CheckSubject}},
	{(*hearing).identified, []string{trust.CheckIdentity}},
	{(*hearing).built, []string{trust.CheckProvenance, trust.CheckSource}},
	{(*hearing).parted, []string{trust.CheckSBOM}},
	{(*hearing).advised, []string{trust.CheckAdvisories}},
	{(*hearing).aged, []string{trust.CheckAge}},
	{(*hearing).judged, []string{policy.IDPolicy}},
	{(*hearing).ratcheted, []string{trust.CheckRatchet}},
	{nil, []string{trust.CheckLength, trust.CheckDigest}}, // for the caller, when the bytes are there
}

type step struct {
	check func(*hearing, context.Context) error
	ids   []string
}

// Prove verifies what is advertised for an artifact, and has the policy judge
// it. It reads small documents, never the artifact, unless a signature vouches
// for it under an algorithm that its target does not list. Whatever refuses the
// artifact is a Refusal; errors of Documents and Memory are as they come.
func (p *Prover) Prove(ctx context.Context, item Item) (*Proof, error) {
	h, err := p.open(ctx, item)
	if err != nil {
		return nil, err
	}
	for i, step := range steps[:len(steps)-1] {
		if err := step.check(h, ctx); err != nil {
			return nil, h.refusal(err, steps[i+1:])
		}
	}
	return &Proof{
		Evidence: item.Evidence, Subject: h.subject, Warnings: h.warnings, Partial: h.partial,
		item: item, remember: h.remembers(), verdicts: h.verdicts, checksums: h.checksums, sbom: h.sbom,
	}, nil
}
