package policy

import (
	"strconv"

	"assay/trust/provenance"
)

// The bounds of a policy. They are far above what people write by hand.
const (
	MaxRules    = 256  // of a policy
	MaxBuilders = 256  // of a policy
	MaxList     = 256  // entries of each list of a rule
	maxText     = 1024 // bytes of an entry
)

// Rule is what some artifacts must show. What is left out is not asked for.
type Rule struct {
	// What it is for; left out: any. A rule with a Product is not for targets
	// outside the release layout, which have none.
	Repository provenance.Pattern `toml:"repository" json:"repository,omitzero"`
	Product    provenance.Pattern `toml:"product" json:"product,omitzero"`
	Channel    provenance.Pattern `toml:"channel" json:"channel,omitzero"`

	Require []Kind `toml:"require" json:"require,omitempty"` // not KindRebuild

	// Signers are those that count, and Threshold is how many of them, each by
	// a signer of its own, must have signed; 1 if left out.
	Signers   []provenance.Identity `toml:"signers" json:"signers,omitempty"`
	Threshold *int                  `toml:"threshold" json:"threshold,omitempty"`

	// One provenance must have all that is said here; any of each list will do.
	Builder   []provenance.Pattern `toml:"builder" json:"builder,omitempty"`
	Source    []provenance.Pattern `toml:"source" json:"source,omitempty"`
	Ref       []provenance.Pattern `toml:"ref" json:"ref,omitempty"`
	SLSALevel *int                 `toml:"slsa_level" json:"slsa_level,omitempty"` // 1 to 3

	Rebuilders *Rebuilders `toml:"rebuilders" json:"rebuilders,omitempty"`
	Licenses   *Licenses   `toml:"licenses" json:"licenses,omitempty"`
	Components *Components `toml:"components" json:"components,omitempty"`
	Advisories Advice      `toml:"advisories" json:"advisories,omitempty"`

	MinAge      *Span `toml:"min_age" json:"min_age,omitempty"`             // since publication, at least
	MaxAge      *Span `toml:"max_age" json:"max_age,omitempty"`             // since publication, at most
	MaxBuildAge *Span `toml:"max_build_age" json:"max_build_age,omitempty"` // since the build, at most

	Statuses []string `toml:"statuses" json:"statuses,omitempty"` // of current, superseded, deprecated

	// Guest marks a rule of a project's file. It may ask for more, as any rule; but
	// the profiles that its signers name judge nothing because of it.
	Guest bool `toml:"-" json:"-"`
}

// Rebuilders are independent parties, of whom Need must have attested by a
// provenance of their own that they built the same bytes.
type Rebuilders struct {
	Need int                   `toml:"need" json:"need"`
	Of   []provenance.Identity `toml:"of" json:"of"`
}

// Licenses are SPDX licence ids. With Allow, the product's licence and that of
// each component must be satisfied by these; with Deny, none may ask for one of
// these. The lists of all rules that apply have to agree on one choice. A licence
// that is not stated, or is no SPDX expression, fails. An id of the right form
// that no list names is only kept out by an Allow, be it a LicenseRef or a
// misspelling.
type Licenses struct {
	Allow []string `toml:"allow" json:"allow,omitempty"`
	Deny  []string `toml:"deny" json:"deny,omitempty"`
}

// Components that must not be part of the artifact, as sbom.ParseQuery reads
// them: "log4j-core@<2.17.1", "pkg:npm/left-pad". A version that can't be
// compared with the range counts as in it.
type Components struct {
	Deny []string `toml:"deny" json:"deny"`
}

// Advice is what becomes of components that advisories speak of.
type Advice string

// What an advisory leads to. "" leaves them unread.
const (
	Deny Advice = "deny" // refused, also where it can't be told
	Warn Advice = "warn" // shown
)

// Builder says how well a build platform is guarded if a signer vouches for it
// (SLSA v1.0 build levels, https://slsa.dev/spec/v1.0/levels). The level is
// never read from a provenance.
type Builder struct {
	Builder provenance.Pattern  `toml:"builder" json:"builder"` // builder.id of the provenance
	Signer  provenance.Identity `toml:"signer" json:"signer"`
	Level   int                 `toml:"level" json:"level"` // 1 to 3
}

// MaxLevel is the highest build level of SLSA v1.0.
const MaxLevel = 3

// threshold is how many signers must have signed.
func (r *Rule) threshold() int {
	if r.Threshold == nil {
		return 1
	}
	return *r.Threshold
}

// applies reports whether the rule is for an artifact. Where a product's channel
// is not known, the rules for every channel are for it.
func (r *Rule) applies(repository, product, channel string) bool {
	return covers(r.Repository, repository) && covers(r.Product, product) &&
		(covers(r.Channel, channel) || product != "" && channel == "")
}

// covers never takes a name that is missing for one that a pattern matches.
func covers(scope provenance.Pattern, name string) bool {
	return scope.IsZero() || name != "" && scope.MatchString(name)
}

// ruleName is how checks and messages call a rule: by its place, from 1, as
// `config show` does.
func ruleName(index int) string { return "policy." + strconv.Itoa(index+1) }
