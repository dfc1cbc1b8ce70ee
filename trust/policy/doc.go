// Package policy decides whether what is proven of an artifact is good enough,
// and remembers what was proven, so that it does not get less.
//
// A Policy is a list of rules (New). Each rule says for what it is, by
// repository, product and channel, and what it demands: kinds of proof, signers,
// builder, source, rebuilds, licences, components, age, status. All rules that
// apply to a Subject apply together, never the most specific alone, so one more
// rule can only refuse more. Judge makes a trust.Check of each demand.
//
// A Memory keeps, over a trust.Store, which bytes were first seen under a target
// path (CheckUnchanged), which kinds of proof older versions of a product had
// (CheckRatchet), and for which bytes a person has waived the latter (Waive).
//
// Guarantees:
//
//   - What a rule demands and can't be judged, as a fact is missing, fails.
//   - A signer counts once, however many bundles, bundle formats, encodings of a
//     key or patterns name it.
//   - Where rules name signers, a signature or a provenance that is required must
//     be by these: by the rule's own, or, if it names none, by those of every rule
//     that does. A rebuilder or a builder of the table is no signer.
//   - What a provenance says counts only if its signer may speak for its builder:
//     the rule names that signer, the table of builders pairs the two, or the
//     signer is the builder by its certificate. In the last case source and ref
//     are those that the certificate has.
//   - A rule for a channel also applies to a product whose channel is not known,
//     so that naming exact bytes is no way around it.
//   - A waiver helps against ErrWeaker alone, for one digest, for at most
//     MaxWaiver.
//   - Damaged memory is an error, never taken for "never seen".
//
// Not guaranteed: that the Subject is true. Signatures in it must have been
// verified and bound to the artifact, its product and version to the target.
// Where no rule names signers, anybody's signature meets CheckRatchet. Licence,
// publication and, without a bill of materials, components are the publisher's
// claim. A signature counts by its signer whatever its statement says: name no
// scanner as a signer who also signs bad news.
//
// Errors: ErrRule, a rule that can't be (RuleError); ErrRefused, a judgement
// (Refusal); ErrChanged, other bytes under a path that was seen before
// (ChangedError); ErrWeaker, a newer version with less proof (WeakerError);
// ErrWaiver, a waiver that can't be; ErrMemory, damaged memory.
package policy
