package proof

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/provenance"
	"assay/trust/sbom"
)

// Held reads bytes that this machine has, by their digest, at most limit of them.
// What it does not have is trust.ErrNotHeld. What it gives is compared.
type Held func(ctx context.Context, digest artifact.Digest, limit int64) ([]byte, error)

// JudgeAgain has the policy of today judge what was proven before and is promised no
// longer, so that no Item can be made of it: by what is still held of its manifest,
// its bundles and its bill of materials, under the digests that the receipt has. The
// bundles are verified anew. What is not held counts for nothing. It was asked for by
// no channel and has no status, so that the rules for every channel are for it. The
// error that refuses is a Refusal; nothing is remembered. It does not say that the
// bytes are right, nor that they are not revoked.
func (p *Prover) JudgeAgain(ctx context.Context, before *Receipt, held Held) error {
	rules := p.config.Policy.Match(before.Repository, before.Product, "")
	if len(rules) == 0 {
		return nil
	}
	a := &again{held: held, before: before, hearing: p.reopen(before, rules)}
	for _, check := range []func(context.Context) error{
		a.read, a.signed, a.identified, a.built, a.parted, a.advised, a.aged, a.judged,
	} {
		if err := check(ctx); err != nil {
			return a.refusal(err)
		}
	}
	return nil
}

// again is a hearing without a promise.
type again struct {
	*hearing
	held   Held
	before *Receipt
}

// reopen begins a hearing with what a receipt says.
func (p *Prover) reopen(before *Receipt, rules []policy.Rule) *hearing {
	version, err := artifact.ParseVersion(before.Version)
	if err != nil {
		version = artifact.Version{} // of no release
	}
	h := &hearing{
		prover: p, now: p.config.Now().UTC(), rules: rules, direct: map[string]bool{},
		item: Item{
			Product: before.Product, Version: version, Platform: before.Platform, Documents: cleared{},
			Evidence: &trust.Evidence{Repository: before.Repository, Policy: p.config.Policy.Digest()},
		},
		subject: policy.Subject{
			Repository: before.Repository, Product: before.Product, Version: version, Platform: before.Platform,
			Target: before.Target, Digests: before.Digests,
			Rebuilders: p.config.Policy.Rebuilders(before.Repository, before.Product, ""),
		},
	}
	h.item.Evidence.Judged = h.now
	for _, r := range rules {
		h.accepted = append(h.accepted, r.Signers...)
	}
	h.anybody = p.config.Policy.Signers(before.Repository, before.Product, "")
	return h
}

// cleared are the documents beside what is promised no longer: there are none. What
// a receipt names of them was promised alike by all who must agree.
type cleared struct{}

func (cleared) Agreed(string) bool { return true }

func (cleared) Promise(context.Context, string) (trust.Target, error) {
	return trust.Target{}, trust.ErrNoTarget
}

func (cleared) Read(context.Context, trust.Target, int64) ([]byte, error) {
	return nil, trust.ErrNotHeld
}

func (cleared) Hash(context.Context, artifact.Algorithm) (artifact.Digest, error) {
	return artifact.Digest{}, trust.ErrNotHeld
}

// bytes are what is held under a digest; nil: nothing is, or something else.
func (a *again) bytes(ctx context.Context, digest artifact.Digest, limit int64) ([]byte, error) {
	if digest.IsZero() {
		return nil, nil
	}
	data, err := a.held(ctx, digest, limit)
	switch {
	case errors.Is(err, trust.ErrNotHeld):
		return nil, nil
	case err != nil:
		return nil, err
	case artifact.DigestOf(digest.Algorithm(), data) != digest:
		return nil, nil
	}
	return data, nil
}

// read takes what the manifest says.
func (a *again) read(ctx context.Context) error {
	data, err := a.bytes(ctx, a.before.Manifest.Primary(), release.MaxReleaseBytes)
	if err != nil || data == nil {
		return err
	}
	doc, err := release.DecodeRelease(data, a.item.Product, a.item.Version)
	if err != nil {
		return nil // it was read once; by another assay, with other rules
	}
	i := slices.IndexFunc(doc.Artifacts, func(listed release.Artifact) bool {
		return artifact.Digests(listed.Digests).Agree(a.before.Digests) && listed.Platform() == a.before.Platform
	})
	if i < 0 {
		return nil
	}
	a.item.Release, a.item.Artifact = doc, doc.Artifacts[i]
	a.item.Evidence.Claims = claimsOf(doc)
	a.subject.Published, a.subject.License, a.subject.Built = doc.Published, doc.License, doc.Build.Finished
	return nil
}

// signed verifies the bundles that were verified before. That they are about this
// artifact was found then, and follows from the same bytes.
func (a *again) signed(ctx context.Context) error {
	for _, key := range slices.Sorted(maps.Keys(a.before.Verdicts)) {
		earlier := a.before.Verdicts[key]
		data, err := a.bytes(ctx, earlier.Bundle, provenance.MaxBundleBytes)
		if err != nil {
			return err
		}
		of := "the bundle " + earlier.Bundle.String()
		if data == nil {
			a.unchecked(trust.CheckSignature, of, "it is not held any more")
			continue
		}
		for _, name := range a.profiles() {
			v, err := a.prover.verifier(ctx, name)
			if err != nil {
				return err
			}
			signed, err := v.Verify(data, artifact.Digests{earlier.Artifact})
			if err != nil {
				a.unchecked(trust.CheckSignature, of, fmt.Sprintf("by the profile %s: %s", name, clip(err.Error())))
				continue
			}
			a.pass(trust.CheckSignature, of, "accepted by the profile "+name, describe(*signed))
			a.direct[of] = slices.Contains(a.before.Digests, earlier.Artifact)
			a.subject.Signatures = append(a.subject.Signatures, policy.Signature{Signed: *signed, Of: of})
			a.item.Evidence.Signatures = append(a.item.Evidence.Signatures, SignatureOf(of, signed))
			break
		}
	}
	return nil
}

// parted finds the components. Where a rule asks about them, all that were known
// must be: what is not held might be what the rule denies.
func (a *again) parted(ctx context.Context) error {
	if err := a.attestedParts(); err != nil {
		return err
	}
	data, err := a.bytes(ctx, a.before.SBOM, sbom.MaxBytes)
	if err != nil {
		return err
	}
	if data != nil {
		doc, err := sbom.Parse(data)
		if err != nil {
			return a.fail(trust.CheckSBOM, a.before.SBOM.String(), "a bill of materials", "something else", fmt.Errorf("%w: %w", ErrDocument, err))
		}
		a.addParts(a.before.SBOM.String(), "a bill of materials", doc)
	}
	if a.item.Release != nil {
		a.subject.Components = union(a.subject.Components, claimedParts(a.item.Release))
	}
	lacking := ""
	switch {
	case a.before.Product != "" && a.item.Release == nil:
		lacking = "its manifest"
	case !a.before.SBOM.IsZero() && data == nil:
		lacking = "its bill of materials"
	}
	asks := slices.ContainsFunc(a.rules, func(r policy.Rule) bool {
		return r.Components != nil || r.Licenses != nil || r.Advisories == policy.Deny
	})
	if lacking == "" || !asks {
		return nil
	}
	check := trust.Check{ID: trust.CheckSBOM, Result: trust.Fail, Of: a.before.Target, Expected: "all components that the policy asks about", Found: "that " + lacking + " is not held"}
	a.item.Evidence.Add(check)
	return &failure{&policy.Refusal{Checks: []trust.Check{check}}}
}

// refusal is the Refusal for a failed check; other errors stay what they are.
func (a *again) refusal(err error) error {
	var failed *failure
	if !errors.As(err, &failed) {
		return err
	}
	r := *a.before
	r.Outcome, r.Reason, r.At, r.Evidence = Refused, failed.err.Error(), a.now, a.item.Evidence
	return &Refusal{Evidence: a.item.Evidence, Target: r.Target, Err: failed.err, receipt: r}
}
