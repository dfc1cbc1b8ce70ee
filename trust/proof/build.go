package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/trust"
	"assay/trust/policy"
	"assay/trust/provenance"
	"assay/trust/provenance/slsa"
)

// built reads the provenance among the verified statements: it must agree with
// the certificate that signed it, and with the source that the manifest names.
func (h *hearing) built(context.Context) error {
	var found bool
	var first, any time.Time // of those that count, and of all
	for i := range h.subject.Signatures {
		s := &h.subject.Signatures[i]
		if s.Statement == nil || !slsa.IsProvenance(s.Statement.PredicateType) {
			continue
		}
		found = true
		p, err := slsa.Parse(s.Statement.PredicateType, s.Statement.Predicate)
		if err != nil {
			return h.fail(trust.CheckProvenance, s.Of, "SLSA provenance v0.2 or v1", "something else", fmt.Errorf("%s: %w", s.Of, err))
		}
		weight, err := h.borneOut(&s.Signed, s.Of, p)
		if err != nil {
			return err
		}
		if weight == nothing {
			continue
		}
		if err := h.fromSource(s.Of, p); err != nil {
			return err
		}
		any = earliest(any, p.Finished)
		if !h.counts(&s.Signed) {
			continue
		}
		s.Provenance, s.OnlyRebuild = p, weight == asRebuild
		if !s.OnlyRebuild && (len(h.accepted) == 0 || h.isAccepted(&s.Signed)) {
			first = earliest(first, p.Finished)
		}
		h.item.Evidence.Builds = append(h.item.Evidence.Builds, BuildOf(s.Of, &s.Signed, p, h.prover.config.Policy.SLSALevel(*s)))
	}
	if !first.IsZero() {
		h.subject.Built = first // those after it built it once more
	}
	// Whoever says that it is older may be heard: that can only tighten.
	h.subject.Built = earliest(h.subject.Built, any)
	if !found {
		h.unchecked(trust.CheckProvenance, "", "no verified statement tells how it was built")
	}
	return nil
}

// earliest is the earlier of two times; a zero one is not known.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// BuildOf tells evidence of the provenance that a verified bundle, named of, has;
// level is of SLSA, 0 where nobody says which the builder reaches.
func BuildOf(of string, signed *provenance.Signed, p *slsa.Provenance, level int) trust.Build {
	return trust.Build{
		Of: of, Signer: signerName(signed.Signer), Builder: p.Builder, Level: level,
		BuildType: p.BuildType, EntryPoint: p.EntryPoint, Source: p.Source.Repository, Revision: p.Source.Revision,
		Ref: p.Source.Ref, Parameters: p.Parameters, Finished: p.Finished,
	}
}

// weight is what a provenance counts for.
type weight int

const (
	nothing      weight = iota
	asRebuild           // that its signer built the same bytes, and nothing else
	asProvenance        // everything it says
)

// borneOut compares the predicate with the claims that the certificate authority
// made sure of. The certificate of a rebuilder names the repository that its
// workflow is in, which is not the one that it built: where they differ and a rule
// names it as a rebuilder, builder and run are compared, and it counts as a
// rebuild alone. So a project's rules, which may name anyone, make no stranger's
// claim of its source count for what other rules ask.
//
// A signer whom a rule names, or whose workflow is in the very repository that
// the manifest names, must tell what its certificate tells. What a third party
// says otherwise counts for nothing: whoever rebuilds a release, and is unknown
// here, must not get in its way.
func (h *hearing) borneOut(s *provenance.Signed, of string, p *slsa.Provenance) (weight, error) {
	c := s.Signer.Certificate
	found := fmt.Sprintf("built by %s from %s", p.Builder, sourceText(p.Source))
	if c == nil {
		h.item.Evidence.Add(trust.Check{ID: trust.CheckProvenance, Result: trust.NotChecked, Of: of, Found: found, Why: "it is signed by a key: no certificate bears out what it says"})
		return asProvenance, nil
	}
	result := asProvenance
	compared, err := p.CheckClaims(slsa.Claims{
		SourceRepository: c.SourceRepository, SourceDigest: c.SourceDigest, SourceRef: c.SourceRef,
		BuildConfig: c.BuildConfig, BuildSigner: c.BuildSigner, RunInvocation: c.RunInvocation,
	})
	var disagreement *slsa.DisagreementError
	if errors.As(err, &disagreement) && h.isRebuilder(s) {
		result = asRebuild
		compared, err = p.CheckClaims(slsa.Claims{BuildSigner: c.BuildSigner, RunInvocation: c.RunInvocation})
	}
	if errors.As(err, &disagreement) && !h.isAccepted(s) && !h.isOwn(c) {
		h.item.Evidence.Add(trust.Check{
			ID: trust.CheckProvenance, Result: trust.NotChecked, Of: of, Expected: disagreement.Expected, Found: disagreement.Found,
			Why: "it does not say what the certificate of its signer says, and counts for nothing: " + disagreement.Error(),
		})
		return nothing, nil
	}
	if errors.As(err, &disagreement) {
		return nothing, h.fail(trust.CheckProvenance, of, disagreement.Expected, disagreement.Found, fmt.Errorf("%s: %w: %w", of, ErrClaims, err))
	}
	if err != nil {
		return nothing, h.fail(trust.CheckProvenance, of, "provenance that its certificate bears out", "none", fmt.Errorf("%s: %w", of, err))
	}
	if len(compared) == 0 {
		h.item.Evidence.Add(trust.Check{ID: trust.CheckProvenance, Result: trust.NotChecked, Of: of, Found: found, Why: "provenance and certificate have no claim in common"})
		return result, nil
	}
	h.pass(trust.CheckProvenance, of, "as the certificate has it: "+strings.Join(compared, ", "), found)
	return result, nil
}

// isOwn reports whether a certificate is of a workflow in the repository that the
// manifest names as the source.
func (h *hearing) isOwn(c *provenance.Certificate) bool {
	if h.item.Release == nil || c.SourceRepository == "" {
		return false
	}
	return slsa.ParseSource(c.SourceRepository).Repository == slsa.ParseSource(h.item.Release.Source.Repository).Repository
}

// isRebuilder reports whether a rule names the signer as a rebuilder.
func (h *hearing) isRebuilder(s *provenance.Signed) bool {
	return slices.ContainsFunc(h.rules, func(r policy.Rule) bool {
		return r.Rebuilders != nil && slices.ContainsFunc(r.Rebuilders.Of, func(id provenance.Identity) bool { return id.Matches(s) })
	})
}

// fromSource compares the predicate with the manifest's claim of its source.
func (h *hearing) fromSource(of string, p *slsa.Provenance) error {
	if h.item.Release == nil {
		h.unchecked(trust.CheckSource, of, "no manifest names a source")
		return nil
	}
	claimed := h.item.Release.Source
	compared, err := p.CheckSource(claimed.Repository, claimed.Revision, claimed.Tag)
	var disagreement *slsa.DisagreementError
	if errors.As(err, &disagreement) {
		return h.fail(trust.CheckSource, of, disagreement.Expected, disagreement.Found, fmt.Errorf("%w: %s: %w", ErrDisagree, of, err))
	}
	if err != nil {
		return h.fail(trust.CheckSource, of, "the source that the manifest names", "none", fmt.Errorf("%s: %w", of, err))
	}
	if len(compared) == 0 {
		h.unchecked(trust.CheckSource, of, "manifest and provenance have no part of the source in common")
		return nil
	}
	h.pass(trust.CheckSource, of, "as the manifest has it: "+strings.Join(compared, ", "), sourceText(p.Source))
	return nil
}

func sourceText(s slsa.Source) string {
	text := s.Repository
	if s.Ref != "" {
		text += " " + s.Ref
	}
	if s.Revision != "" {
		text += " at " + s.Revision
	}
	if text == "" {
		return "an unnamed source"
	}
	return text
}
