package policy

// The ids of the checks that Judge makes, in its order. They are stable, as
// those of package trust are. The memory's checks are trust.CheckUnchanged and
// trust.CheckRatchet.
const (
	IDPolicy     = "policy"            // no rule applies; else those below
	IDRequire    = "policy.require"    // the kinds of proof
	IDSigners    = "policy.signers"    // enough distinct signers of those that count
	IDBuilder    = "policy.builder"    // who built it, by provenance
	IDSource     = "policy.source"     // from which repository, by provenance
	IDRef        = "policy.ref"        // from which branch or tag, by provenance
	IDSLSA       = "policy.slsa"       // how well that builder is guarded, by the table of builders
	IDRebuilders = "policy.rebuilders" // how many built the same bytes
	IDLicenses   = "policy.licenses"   // of the product and its components
	IDComponents = "policy.components" // none that is denied
	IDAdvisories = "policy.advisories" // none that advisories speak of
	IDAge        = "policy.age"        // since it was published and built
	IDStatus     = "policy.status"     // what the channels say of the release
)
