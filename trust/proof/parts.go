package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/artifact/release"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/sbom"
)

// parted finds the artifact's components: all that signed statements and the bill
// of materials beside it list, together, as a statement must not hide what the
// other names; without either, what the manifest lists.
func (h *hearing) parted(ctx context.Context) error {
	if err := h.attestedParts(); err != nil {
		return err
	}
	if err := h.documentParts(ctx); err != nil {
		return err
	}
	if h.item.Release == nil {
		return nil
	}
	claimed := claimedParts(h.item.Release)
	if h.subject.HasSBOM {
		// A component that an empty bill leaves out is no less in it.
		h.subject.Components = union(h.subject.Components, claimed)
		return nil
	}
	h.subject.Components = union(h.subject.Components, claimed)
	if len(h.subject.Components) == 0 {
		h.unchecked(trust.CheckSBOM, "", "neither a bill of materials nor the manifest lists components")
		return nil
	}
	h.unchecked(trust.CheckSBOM, "", fmt.Sprintf("there is no bill of materials; the manifest claims %d components", len(h.subject.Components)))
	return nil
}

// claimedParts are the components that a manifest lists.
func claimedParts(m *release.Release) (claimed []sbom.Component) {
	for _, c := range m.Components {
		claimed = append(claimed, sbom.Component{Name: c.Name, Version: c.Version, PURL: c.PURL, License: c.License})
	}
	return claimed
}

// attestedParts reads the bills of materials among the verified statements about
// the artifact itself. Those of strangers, where rules name signers, are none that a
// rule may ask for; but the components that they list are judged all the same.
func (h *hearing) attestedParts() error {
	for _, s := range h.subject.Signatures {
		if s.Statement == nil || sbom.PredicateFormat(s.Statement.PredicateType) == "" {
			continue
		}
		if !h.direct[s.Of] {
			h.unchecked(trust.CheckSBOM, s.Of, "it is about the checksums file")
			continue
		}
		doc, err := sbom.ParsePredicate(s.Statement.PredicateType, s.Statement.Predicate)
		if err != nil {
			return h.fail(trust.CheckSBOM, s.Of, "a bill of materials", "something else", fmt.Errorf("%s: %w: %w", s.Of, ErrDocument, err))
		}
		if !h.counts(&s.Signed) {
			h.subject.Components = union(h.subject.Components, doc.Components)
			h.unchecked(trust.CheckSBOM, s.Of, fmt.Sprintf("signed by %s, whom no rule names; its %d components are judged all the same", signerName(s.Signer), len(doc.Components)))
			continue
		}
		h.addParts(s.Of, "a signed bill of materials", doc)
	}
	return nil
}

// addParts takes the components of a document that was read.
func (h *hearing) addParts(of, what string, doc *sbom.Document) {
	found := fmt.Sprintf("%s %s with %d components", doc.Format, doc.SpecVersion, len(doc.Components))
	if len(doc.Components) == 0 {
		h.unchecked(trust.CheckSBOM, of, "it lists nothing: "+found)
		return
	}
	if !h.item.Documents.Agreed(of) {
		h.subject.Components = union(h.subject.Components, doc.Components)
		h.unchecked(trust.CheckSBOM, of, "only "+h.subject.Repository+" promises it, of those that must agree; its components are judged all the same: "+found)
		return
	}
	h.pass(trust.CheckSBOM, of, what, found)
	h.subject.HasSBOM = true
	h.subject.Components = union(h.subject.Components, doc.Components)
}

// union adds components to a list, but those that it has.
func union(list, more []sbom.Component) []sbom.Component {
	known := map[sbom.Component]bool{}
	for _, c := range list {
		known[c] = true
	}
	for _, c := range more {
		if !known[c] {
			list = append(list, c)
		}
	}
	return list
}

// documentParts reads the bill of materials beside the artifact. An earlier proof
// that read the same document need not be repeated, unless a rule asks for
// components, or the caller does and the document can be had.
func (h *hearing) documentParts(ctx context.Context) error {
	path := h.item.Artifact.SBOM
	if h.item.Release == nil || path == "" {
		return nil
	}
	target, err := h.item.Documents.Promise(ctx, path)
	if errors.Is(err, trust.ErrNoTarget) {
		return h.fail(trust.CheckSBOM, path, "promised by "+h.subject.Repository, "no such target", fmt.Errorf("%w: the manifest lists the bill of materials %s: %w", ErrDisagree, path, err))
	}
	if err != nil {
		return err
	}
	h.sbom = target.Digests().Primary()
	isKnown := h.before != nil && h.before.SBOM == h.sbom && !h.asksParts()
	if isKnown && !h.item.Parts {
		h.readBefore(path)
		return nil
	}
	data, err := h.document(ctx, trust.CheckSBOM, target, sbom.MaxBytes)
	if isKnown && errors.Is(err, trust.ErrNotHeld) {
		h.readBefore(path)
		return nil
	}
	if err != nil {
		return err
	}
	doc, err := sbom.Parse(data)
	if err != nil {
		return h.fail(trust.CheckSBOM, path, "a bill of materials", "something else", fmt.Errorf("%s: %w: %w", path, ErrDocument, err))
	}
	h.addParts(path, "a bill of materials", doc)
	return nil
}

// readBefore passes over a bill of materials that an earlier proof has read.
func (h *hearing) readBefore(path string) {
	h.pass(trust.CheckSBOM, path, "a bill of materials", "the one that was read before: "+h.sbom.String())
	h.subject.HasSBOM, h.partial = true, true
}

// asksParts reports whether anything looks at single components.
func (h *hearing) asksParts() bool {
	return h.prover.config.Advisories != nil || slices.ContainsFunc(h.rules, func(r policy.Rule) bool {
		return r.Components != nil || r.Licenses != nil || r.Advisories != "" || slices.Contains(r.Require, policy.KindSBOM)
	})
}

const withoutAdvisory = "no component with an advisory"

// advised looks the components up in the configured advisories.
func (h *hearing) advised(ctx context.Context) error {
	if h.prover.config.Advisories == nil {
		return nil
	}
	set, err := h.prover.config.Advisories(ctx)
	if err != nil && context.Cause(ctx) == nil && !slices.ContainsFunc(h.rules, func(r policy.Rule) bool { return r.Advisories != "" }) {
		h.unchecked(trust.CheckAdvisories, "", "the advisories can't be read: "+clip(err.Error()))
		h.warn("the advisories can't be read: %v", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("advisories: %w", err)
	}
	h.subject.Advisories = set.Names()
	h.subject.Findings = set.Find(advisory.Product{Name: h.item.Product, Version: h.item.Version.String()}, h.subject.Components)
	var affected []string
	for _, f := range h.subject.Findings {
		if troubles(f) {
			affected = append(affected, f.ID)
			h.warn("%s", findingText(f))
		}
	}
	cleared := clearedText(h.subject.Findings)
	switch {
	case len(h.subject.Components) == 0:
		h.unchecked(trust.CheckAdvisories, "", "no components are known"+cleared)
	case len(affected) > 0:
		h.item.Evidence.Add(trust.Check{
			ID: trust.CheckAdvisories, Result: trust.NotChecked, Expected: withoutAdvisory,
			Found: fmt.Sprintf("%d in %d components: %s", len(affected), len(h.subject.Components), clip(strings.Join(affected, ", "))) + cleared,
			Why:   "they are for policy to judge",
		})
	default:
		h.pass(trust.CheckAdvisories, "", withoutAdvisory, fmt.Sprintf("none of %d", len(h.subject.Components))+cleared)
	}
	return nil
}

// clearedText tells what VEX statements clear, by whose word and why: whoever
// reads that all is well should see on whom it rests.
func clearedText(findings []advisory.Finding) string {
	const shown = 5
	var parts []string
	count := 0
	for _, f := range findings {
		if !f.Cleared() {
			continue
		}
		if count++; count > shown {
			continue
		}
		text := fmt.Sprintf("%s in %s %s, %s by the word of %s", f.ID, f.Component.Name, f.Component.Version, f.State, f.By)
		if f.Why != "" {
			text += ": " + f.Why
		}
		parts = append(parts, clip(text))
	}
	if count > shown {
		parts = append(parts, fmt.Sprintf("and %d more", count-shown))
	}
	if parts == nil {
		return ""
	}
	return "; cleared: " + strings.Join(parts, "; ")
}

// troubles reports whether a finding says that a component is affected, or that
// nobody can tell.
func troubles(f advisory.Finding) bool {
	return f.State == advisory.Affected || f.State == advisory.Unknown
}

// Affected tells, in a line each, of the components that advisories speak of.
func (p *Proof) Affected() []string {
	var lines []string
	for _, f := range p.Subject.Findings {
		if troubles(f) {
			lines = append(lines, findingText(f))
		}
	}
	return lines
}

// findingText is a finding in a line.
func findingText(f advisory.Finding) string {
	text := fmt.Sprintf("%s %s: %s", f.Component.Name, f.Component.Version, f.ID)
	if f.Summary != "" {
		text += ": " + clip(f.Summary)
	}
	if f.State == advisory.Unknown {
		text += " (whether it is affected is not known: " + f.Why + ")"
	}
	if f.Fixed != "" {
		text += "; fixed in " + f.Fixed
	}
	return text
}
