package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/trust"
	"assay/trust/provenance"
	"assay/trust/provenance/slsa"
)

// What a verified statement tells beside the digest. Here nothing of it is asked
// for, so that none of it is a refusal: what does not hold is told as not checked.

func (v *alone) unchecked(id, of, found, why string) {
	v.evidence.Add(trust.Check{ID: id, Result: trust.NotChecked, Of: of, Found: found, Why: why})
}

// subject compares the name of a signed subject with the file's. Files are
// renamed as people like, so another name is told, and is no error.
func (v *alone) subject(path string, signed *provenance.Signed) {
	if signed.Statement == nil {
		v.unchecked(trust.CheckSubject, path, "", "a signature over the bytes alone names nothing")
		return
	}
	var names []string
	for _, subject := range signed.Statement.Subjects {
		if slices.Contains(subject.Digests, signed.Artifact) {
			names = append(names, subject.Name)
		}
	}
	expected := filepath.Base(v.signed)
	_, notDigest := artifact.ParseDigest(v.signed)
	switch i := slices.IndexFunc(names, func(name string) bool { return filepath.Base(name) == expected }); {
	case i >= 0:
		v.pass(trust.CheckSubject, path, expected, names[i])
	case notDigest == nil:
		v.unchecked(trust.CheckSubject, path, strings.Join(names, ", "), "a digest has no name to compare")
	default:
		v.unchecked(trust.CheckSubject, path, strings.Join(names, ", "), "the digest is right, the name is another: files may be renamed")
	}
}

// built tells who built the file and from what, where that is signed. What the
// certificate does not bear out is not taken for told.
func (v *alone) built(path string, signed *provenance.Signed) {
	if signed.Statement == nil || !slsa.IsProvenance(signed.Statement.PredicateType) {
		return
	}
	p, err := slsa.Parse(signed.Statement.PredicateType, signed.Statement.Predicate)
	if err != nil {
		v.unchecked(trust.CheckProvenance, path, "", err.Error())
		return
	}
	found := fmt.Sprintf("built by %s from %s", orUnknown(p.Builder), orUnknown(p.Source.Repository)+atRevision(p.Source.Revision))
	expected := "a statement of a key, that no certificate bears out"
	if c := signed.Signer.Certificate; c != nil {
		expected = "as the certificate has it"
		_, err = p.CheckClaims(slsa.Claims{
			SourceRepository: c.SourceRepository, SourceDigest: c.SourceDigest, SourceRef: c.SourceRef,
			BuildSigner: c.BuildSigner, BuildConfig: c.BuildConfig, RunInvocation: c.RunInvocation,
		})
	}
	if err != nil {
		v.unchecked(trust.CheckProvenance, path, "", "do not rely on what it says of the build: "+err.Error())
		return
	}
	v.pass(trust.CheckProvenance, path, expected, found)
}
