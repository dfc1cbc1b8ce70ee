package policy

import (
	"fmt"
	"slices"

	"assay/trust/provenance"
)

func (j *judgement) signers(r *rule) []outcome {
	if r.Signers == nil {
		return nil
	}
	all := j.pick(func(*Signature) bool { return true })
	filled, by := fill(r.Signers, all)
	o := outcome{ok: filled >= r.threshold(), expected: fmt.Sprintf("%d of %d signers: %s", r.threshold(), len(r.Signers), told(r.Signers))}
	switch {
	case filled > 0:
		o.found = fmt.Sprintf("%d: %s", filled, several(by))
	case len(all) > 0:
		o.found = "none of them, but " + several(signersOf(all))
	default:
		o.found = "no signature"
	}
	return []outcome{o}
}

func (j *judgement) rebuilders(r *rule) []outcome {
	if r.Rebuilders == nil {
		return nil
	}
	of, need := r.Rebuilders.Of, r.Rebuilders.Need
	filled, by := fill(of, j.rebuilds())
	o := outcome{ok: filled >= need, expected: fmt.Sprintf("%d of %d rebuilders attest %s: %s", need, len(of), digestText(j.Digests), told(of)), found: "none"}
	if filled > 0 {
		o.found = fmt.Sprintf("%d: %s", filled, several(by))
	}
	return []outcome{o}
}

// signedBy reports whether the signatures are by those whose word a rule takes,
// and whose they are: by its own signers, else by those of each rule that names
// some, else by anyone. Not by those of any rule: then a rule that names one more
// would let pass what the others refuse.
func (j *judgement) signedBy(r *rule, signatures []*Signature) (ok bool, found string) {
	naming := slices.DeleteFunc(slices.Clone(j.matched), func(other *rule) bool { return other.Signers == nil })
	if r.Signers != nil {
		naming = []*rule{r}
	}
	if len(naming) == 0 {
		return true, "by " + several(signersOf(signatures))
	}
	var by []string
	for _, other := range naming {
		theirs := slices.DeleteFunc(slices.Clone(signatures), func(sig *Signature) bool {
			return !names(other.Signers, sig)
		})
		if len(theirs) == 0 {
			return false, fmt.Sprintf("none by the signers of %s, but by %s", ruleName(other.index), several(signersOf(signatures)))
		}
		by = append(by, signersOf(theirs)...)
	}
	return true, "by " + several(distinct(by))
}

// names reports whether some identities name the signer of a signature.
func names(identities []provenance.Identity, sig *Signature) bool {
	return slices.ContainsFunc(identities, func(i provenance.Identity) bool { return i.Matches(&sig.Signed) })
}

// fill finds how many of the identities can be filled, each by a signer of its
// own: one signer never stands for two identities, nor two signers for one. by
// lists these signers. It is a largest matching of the two, found by augmenting
// paths (Kuhn).
func fill(identities []provenance.Identity, signatures []*Signature) (filled int, by []string) {
	signers := signersOf(signatures)
	fits := make([][]bool, len(identities))
	for i := range identities {
		fits[i] = make([]bool, len(signers))
		for k, id := range signers {
			for _, sig := range signatures {
				fits[i][k] = fits[i][k] || sig.Signer.ID() == id && identities[i].Matches(&sig.Signed)
			}
		}
	}
	filler := make([]int, len(signers)) // the identity that each signer fills, and 1
	for i := range identities {
		if augment(fits, filler, make([]bool, len(signers)), i) {
			filled++
		}
	}
	for k, id := range signers {
		if filler[k] > 0 {
			by = append(by, id)
		}
	}
	return filled, by
}

// augment finds a signer for identity i, if need be by finding another one for
// the identity whose signer it takes.
func augment(fits [][]bool, filler []int, tried []bool, i int) bool {
	for k, fit := range fits[i] {
		if !fit || tried[k] {
			continue
		}
		tried[k] = true
		if filler[k] == 0 || augment(fits, filler, tried, filler[k]-1) {
			filler[k] = i + 1
			return true
		}
	}
	return false
}

func told(identities []provenance.Identity) string {
	var texts []string
	for _, identity := range identities {
		texts = append(texts, identity.String())
	}
	return several(texts)
}
