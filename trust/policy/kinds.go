package policy

import (
	"slices"

	"assay/artifact"
)

// Kind is a kind of proof.
type Kind string

// The kinds of proof.
const (
	KindSignature  Kind = "signature"  // one that was verified, whoever made it
	KindProvenance Kind = "provenance" // a signed statement of how it was built
	KindSBOM       Kind = "sbom"       // a bill of materials that is a target, or signed
	KindAgreement  Kind = "agreement"  // two repositories or more promise it alike
	KindRebuild    Kind = "rebuild"    // two named rebuilders or more attest to have built the same bytes
)

// kinds are all of them, in the order in which they are told of.
func kinds() []Kind {
	return []Kind{KindSignature, KindProvenance, KindSBOM, KindAgreement, KindRebuild}
}

// Kinds lists what a subject has, in the order of the constants.
func (s *Subject) Kinds() []Kind {
	var list []Kind
	for _, kind := range kinds() {
		if s.has(kind) {
			list = append(list, kind)
		}
	}
	return list
}

func (s *Subject) has(kind Kind) bool {
	const several = 2
	switch kind {
	case KindSignature:
		return len(s.Signatures) > 0
	case KindProvenance:
		return len(s.builds()) > 0
	case KindSBOM:
		return s.HasSBOM
	case KindAgreement:
		return len(distinct(s.Agreed)) >= several
	case KindRebuild:
		named := slices.DeleteFunc(s.rebuilds(), func(sig *Signature) bool { return !names(s.Rebuilders, sig) })
		return len(signersOf(named)) >= several
	}
	return false
}

// builds are the signatures with a provenance that counts for all it says.
func (s *Subject) builds() []*Signature {
	return s.pick(func(sig *Signature) bool { return sig.Provenance != nil && !sig.OnlyRebuild })
}

// rebuilds are those that attest the bytes themselves, and not a list that
// names them: who has built the same bytes knows their digest.
func (s *Subject) rebuilds() []*Signature {
	return s.pick(func(sig *Signature) bool {
		return sig.Provenance != nil && s.Digests.Agree(artifact.Digests{sig.Artifact})
	})
}

func (s *Subject) pick(keep func(*Signature) bool) []*Signature {
	var list []*Signature
	for i := range s.Signatures {
		if sig := &s.Signatures[i]; keep(sig) {
			list = append(list, sig)
		}
	}
	return list
}

// signersOf lists who made some signatures, each once.
func signersOf(signatures []*Signature) []string {
	var ids []string
	for _, sig := range signatures {
		ids = append(ids, sig.Signer.ID())
	}
	return distinct(ids)
}

// distinct drops empty texts and those that came before.
func distinct(list []string) []string {
	seen := map[string]bool{"": true}
	var kept []string
	for _, text := range list {
		if !seen[text] {
			seen[text] = true
			kept = append(kept, text)
		}
	}
	return kept
}
