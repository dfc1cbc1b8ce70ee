package proof

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// hearing is one artifact being judged.
type hearing struct {
	prover   *Prover
	item     Item
	now      time.Time
	subject  policy.Subject
	rules    []policy.Rule
	accepted []provenance.Identity // whom the rules name as signers; empty: none does
	anybody  []provenance.Identity // whom they name in any part
	warnings []string

	before      *Receipt // of an earlier proof of the same bytes; nil: none
	verdicts    map[string]provenance.Signed
	bundleBytes int64           // of the bundles so far, as promised
	inChecksums bool            // the checksums file lists the artifact
	checksums   artifact.Digest // of that file
	sbom        artifact.Digest // of the bill of materials beside the artifact
	partial     bool            // the components of that were not read
	direct      map[string]bool // bundles about the artifact itself, and not a list that has it
}

// open gathers what is known before anything is checked.
func (p *Prover) open(ctx context.Context, item Item) (*hearing, error) {
	if item.Target.IsZero() || item.Evidence == nil || item.Documents == nil {
		return nil, fmt.Errorf("%w: an item without target, evidence or documents", ErrConfig)
	}
	h := &hearing{
		prover: p, item: item, now: p.config.Now().UTC(), verdicts: map[string]provenance.Signed{}, direct: map[string]bool{},
		subject: policy.Subject{
			Repository: item.Target.Repository(), Product: item.Product, Version: item.Version, Channel: item.Asked,
			Platform: item.Platform, Target: item.Target.Path(), Digests: item.Target.Digests(),
			Status: string(item.Status), Agreed: item.Agreed,
		},
	}
	if m := item.Release; m != nil {
		h.subject.Published, h.subject.License, h.subject.Built = m.Published, m.License, m.Build.Finished
		item.Evidence.Claims = claimsOf(m)
	}
	h.rules = p.config.Policy.Match(h.subject.Repository, item.Product, item.Asked)
	h.subject.Rebuilders = p.config.Policy.Rebuilders(h.subject.Repository, item.Product, item.Asked)
	for _, r := range h.rules {
		h.accepted = append(h.accepted, r.Signers...)
	}
	h.anybody = p.config.Policy.Signers(h.subject.Repository, item.Product, item.Asked)
	item.Evidence.Judged = h.now
	if len(h.rules) > 0 {
		item.Evidence.Policy = p.config.Policy.Digest()
	}
	receipt, err := p.receipt(ctx, item.Target)
	if errors.Is(err, ErrReceipt) {
		h.warn("%v; it counts for nothing, and is written anew", err)
	} else if err != nil {
		return nil, err
	}
	if receipt != nil && receipt.Outcome == Proven {
		h.before = receipt
	}
	return h, nil
}

// claimsOf are what the manifest says of the release's making, and who answers
// for it.
func claimsOf(m *release.Release) []trust.Claim {
	var claims []trust.Claim
	for _, c := range []trust.Claim{
		{What: "team", Value: m.Publisher.Team},
		{What: "source", Value: m.Source.Repository},
		{What: "revision", Value: m.Source.Revision},
		{What: "tag", Value: m.Source.Tag},
		{What: "tag signer", Value: m.Source.TagSigner},
		{What: "toolchain", Value: m.Build.Toolchain},
		{What: "license", Value: m.License},
		{What: "support", Value: m.Publisher.Support},
	} {
		if c.Value != "" {
			claims = append(claims, c)
		}
	}
	if m.Build.Reproducible {
		claims = append(claims, trust.Claim{What: "reproducible", Value: "yes"})
	}
	return claims
}

// refusal turns a failed check into a Refusal; other errors stay what they are.
// What would have come after it was not checked, and is told as such.
func (h *hearing) refusal(err error, rest []step) error {
	var failed *failure
	if !errors.As(err, &failed) {
		return err
	}
	for _, step := range rest {
		for _, id := range step.ids {
			h.unchecked(id, "", "it was refused before")
		}
	}
	r := newReceipt(h.item, h.item.Evidence, h.now)
	r.Outcome, r.Reason = Refused, failed.err.Error()
	return &Refusal{Evidence: h.item.Evidence, Target: h.item.Target.Path(), Err: failed.err, receipt: *r, target: h.item.Target}
}

func (h *hearing) pass(id, of, expected, found string) {
	h.item.Evidence.Add(trust.Check{ID: id, Result: trust.Pass, Of: of, Expected: expected, Found: found})
}

func (h *hearing) unchecked(id, of, why string) {
	h.item.Evidence.Add(trust.Check{ID: id, Result: trust.NotChecked, Of: of, Why: why})
}

// fail records the check and gives the error that ends the hearing.
func (h *hearing) fail(id, of, expected, found string, err error) error {
	h.item.Evidence.Add(trust.Check{ID: id, Result: trust.Fail, Of: of, Expected: expected, Found: found, Why: err.Error()})
	return &failure{err}
}

// disagree fails a check with ErrDisagree.
func (h *hearing) disagree(id, of, expected, found string) error {
	return h.fail(id, of, expected, found, fmt.Errorf("%w: %s: expected %s, found %s", ErrDisagree, of, expected, found))
}

func (h *hearing) warn(format string, args ...any) {
	h.warnings = append(h.warnings, fmt.Sprintf(format, args...))
}

// named looks at what the artifact's file is called. The bytes are those that
// the manifest lists; but whoever swaps two entries of a manifest leaves the
// names.
func (h *hearing) named(context.Context) error {
	if h.item.Product == "" || h.item.Paper {
		return nil
	}
	if h.item.Release == nil {
		h.unchecked(trust.CheckManifest, h.item.Target.Path(), "no manifest lists it as an artifact")
	}
	name, of := h.item.Target.Name(), h.item.Target.Path()
	listed := artifact.Platform{OS: h.item.Artifact.OS, Arch: h.item.Artifact.Arch, Variant: h.item.Artifact.Variant}
	tells := artifact.FileNameTells(name, h.item.Product)
	expected := fmt.Sprintf("a name whose %s fits %s %s for %s", strings.Join(tells, ", "), h.item.Product, h.item.Version, listed)
	if err := artifact.FileNameAgrees(name, h.item.Product, h.item.Version, listed); err != nil {
		return h.fail(trust.CheckName, of, expected, name, fmt.Errorf("%w: %w", ErrDisagree, err))
	}
	if len(tells) == 0 {
		h.unchecked(trust.CheckName, of, "the name tells neither version nor platform: "+name)
		return nil
	}
	h.pass(trust.CheckName, of, expected, name)
	return nil
}

// unchanged compares with the digest that was first seen under the path.
func (h *hearing) unchanged(ctx context.Context) error {
	if h.item.Product == "" {
		return nil // any other target may be replaced by a new one
	}
	return h.remembered(ctx, func(tx trust.Tx) (trust.Check, error) {
		return policy.CheckUnchanged(tx, h.subject.Repository, h.subject.Target, h.subject.Digests)
	}, policy.ErrChanged)
}

// ratcheted compares with the kinds of proof that older versions had.
func (h *hearing) ratcheted(ctx context.Context) error {
	if h.item.Product == "" || h.item.Paper {
		return nil
	}
	return h.remembered(ctx, func(tx trust.Tx) (trust.Check, error) {
		return policy.CheckRatchet(tx, h.remembers(), h.now)
	}, policy.ErrWeaker)
}

// remembered makes a check against the memory; the error that refuses by it is
// refused.
func (h *hearing) remembered(ctx context.Context, check func(trust.Tx) (trust.Check, error), refused error) error {
	var found trust.Check
	made := false
	err := h.prover.config.Memory.View(ctx, func(tx trust.Tx) (err error) {
		found, err = check(tx)
		made = err == nil || errors.Is(err, refused)
		if made && err != nil {
			return &failure{err}
		}
		return err
	})
	if made {
		h.item.Evidence.Add(found)
	}
	return err
}

// judged has the policy's rules look at all that was found.
func (h *hearing) judged(context.Context) error {
	h.setAside()
	checks, err := h.prover.config.Policy.Judge(h.subject, h.now)
	for _, check := range checks {
		h.item.Evidence.Add(check)
	}
	if err != nil {
		return &failure{err}
	}
	return nil
}

// aged tells how old the release is; it is for rules to say what is too old, or
// too young. A signature that others have observed shows since when there were
// these bytes, whatever the manifest claims.
func (h *hearing) aged(context.Context) error {
	for _, s := range h.item.Evidence.Signatures {
		if first := h.subject.Observed; !s.Signed.IsZero() && (first.IsZero() || s.Signed.Before(first)) {
			h.subject.Observed = s.Signed
		}
	}
	if h.item.Release == nil {
		return nil
	}
	built, published := h.subject.Built, h.subject.Published
	found := "published " + h.ago(published) + " as the manifest claims"
	if !built.IsZero() {
		found = "built " + h.ago(built) + ", " + found
	}
	if !h.subject.Observed.IsZero() {
		found += ", first signed " + h.ago(h.subject.Observed)
	}
	const expected = "built and then published, both in the past"
	early := !h.subject.Observed.IsZero() && h.subject.Observed.Before(built)
	if published.IsZero() || published.After(h.now) || built.After(published) || early {
		h.item.Evidence.Add(trust.Check{ID: trust.CheckAge, Result: trust.NotChecked, Expected: expected, Found: found, Why: "the manifest's dates can't be right"})
		h.warn("the dates of the release can't be right: %s", found)
		return nil
	}
	h.pass(trust.CheckAge, "", expected, found)
	return nil
}
