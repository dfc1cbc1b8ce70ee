// Package proof decides whether an artifact that a repository promises may be
// handed out: it gathers what is advertised for it, verifies that, compares it
// with what the manifest says, and has policy judge the whole.
//
//	trust.Target ─┐
//	manifest ─────┼─► Prover.Prove ──► Proof ──► Prover.Record ──► Receipt
//	Documents ────┘        └────────► Refusal ─► Prover.RecordRefusal ─┘
//
// It opens no socket and no file: Documents reads the bundles, checksums and bills
// of materials beside an artifact, each proven by the repository's metadata, and
// Memory keeps what must be remembered.
//
// # The checks, in their order
//
// The first that fails ends the hearing; those after it stand in the Evidence as
// not checked.
//
//	release.name         the file's name contradicts neither version nor platform
//	release.unchanged    the bytes are those first seen under the path (never replaced)
//	release.checksums    the checksums file lists the artifact with the same digest
//	signature            each bundle verifies by one of the trust profiles
//	signature.subject    a signed statement has this artifact's digest under its name
//	signature.identity   at least one signer is one whom the policy accepts
//	provenance           the certificate bears out what the builder says
//	provenance.source    and the manifest names the same source
//	release.sbom         what it is made of
//	release.advisories   and what is known to be wrong with that
//	release.age          how old it is
//	policy…              what the rules ask for, see package policy
//	proof.ratchet        no kind of proof that older versions had is lacking
//
// # Guarantees
//
//   - What is advertised must verify: a bundle that a profile can judge and that
//     is wrong in anything refuses the artifact, also where no rule asks for one.
//   - Nothing here loosens what metadata promises: an artifact comes as a
//     trust.Target, and the bytes must still have its length and digests.
//   - Trust roots, thresholds and identities come from configuration, never from a
//     bundle. A root that is a target of the publishing repository itself is
//     told in the Evidence.
//   - A verdict is taken over from an earlier proof only for the same artifact,
//     bundle, profile, trust root and policy, by their digests; everything else is
//     judged anew each time, so that revocation and expiry always count.
//   - What was not checked is in the Evidence, with the reason.
//
// # What is not promised
//
// That a release without bundles was built by anybody in particular: policy must
// ask for what it needs. That a signature over bytes alone names them: another
// platform's artifact under a misleading name and without a statement is told
// from the right one only by its file name. That a receipt is true on a machine
// whose state somebody else may write: receipts explain, they never prove.
//
// # What each error means
//
//	Refusal        wraps the reason, with all that was checked: one of those below,
//	               or of packages provenance, slsa and policy
//	ErrDisagree    manifest, target, checksums and statement contradict each other
//	ErrIdentity    signed, and by nobody whom the policy accepts
//	ErrClaims      the builder says something else than its certificate
//	ErrDocument    a document beside the artifact can't be read as what it is
//	ErrReceipt     a stored receipt is damaged: an error for whoever asks for it,
//	               a warning, and no proof, where its artifact is judged anew
//	ErrConfig      a profile that is named and not there
//
// Any other error is of the means (the network, the disk, the state), says nothing
// of the artifact, and is not remembered.
//
// # What a crash leaves
//
// Prove writes nothing. Record writes receipt, first-seen digest and kinds of
// proof in one transaction: after a crash there are all or none, and the next
// proof records again.
//
// # Where things are
//
//	prover, hearing      the steps, and one artifact before them
//	profiles             trust profiles, readied when first needed
//	bundles, bind        signatures, and what they are about
//	checksums, build     the checksums file; provenance
//	parts                bills of materials, advisories
//	receipt              what is remembered
package proof
