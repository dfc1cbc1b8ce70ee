package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/trust"
	"assay/trust/proof"
	"assay/trust/provenance"
	"assay/trust/provenance/slsa"
)

// What a verified statement tells beside the digest. Here nothing of it is asked
// for, so that what does not hold is told as not checked, and no refusal.

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

// built tells who built the file and from what, where that is signed. What can't
// be read as provenance is refused. A statement of somebody else's build, signed
// again, is not: it proves the bytes, and tells nothing of how they came to be.
func (v *alone) built(path string, signed *provenance.Signed) error {
	if signed.Statement == nil || !slsa.IsProvenance(signed.Statement.PredicateType) {
		return nil
	}
	p, err := slsa.Parse(signed.Statement.PredicateType, signed.Statement.Predicate)
	if err != nil {
		return v.fail(trust.CheckProvenance, path, "SLSA provenance v0.2 or v1", "something else", fmt.Errorf("%s: %w", clip(path), err))
	}
	found := fmt.Sprintf("built by %s from %s", orUnknown(p.Builder), orUnknown(p.Source.Repository)+atRevision(p.Source.Revision))
	compared, err := compareClaims(signed.Signer.Certificate, p)
	var disagreement *slsa.DisagreementError
	switch {
	case errors.As(err, &disagreement):
		v.evidence.Add(trust.Check{
			ID: trust.CheckProvenance, Result: trust.NotChecked, Of: path, Expected: disagreement.Expected, Found: disagreement.Found,
			Why: "do not rely on what it says of the build: " + err.Error(),
		})
		v.app.out.warn("%s: do not rely on what it says of the build: %v", clip(path), err)
		return nil
	case err != nil:
		return v.fail(trust.CheckProvenance, path, "provenance that its certificate bears out", "none", fmt.Errorf("%s: %w", clip(path), err))
	case signed.Signer.Certificate == nil:
		v.unchecked(trust.CheckProvenance, path, found, "it is signed by a key: no certificate bears out what it says")
	case len(compared) == 0:
		v.unchecked(trust.CheckProvenance, path, found, "provenance and certificate have no claim in common")
	default:
		v.pass(trust.CheckProvenance, path, "as the certificate has it: "+strings.Join(compared, ", "), found)
	}
	v.evidence.Builds = append(v.evidence.Builds, proof.BuildOf(path, signed, p, 0))
	return nil
}

// compareClaims compares provenance with what the certificate authority made sure
// of; with nothing, where a key has signed.
func compareClaims(c *provenance.Certificate, p *slsa.Provenance) ([]string, error) {
	if c == nil {
		return nil, nil
	}
	return p.CheckClaims(slsa.Claims{
		SourceRepository: c.SourceRepository, SourceDigest: c.SourceDigest, SourceRef: c.SourceRef,
		BuildSigner: c.BuildSigner, BuildConfig: c.BuildConfig, RunInvocation: c.RunInvocation,
	})
}
