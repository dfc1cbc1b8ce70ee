package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/artifact"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// maxBundleSum is how many bytes the bundles of one artifact may have together.
const maxBundleSum = 16 << 20

// maxBundles is how many signature bundles of one artifact are read, those over
// its checksums file included. Builders and rebuilders together are a handful.
const maxBundles = 64

// advertised is a bundle that is said to vouch for some bytes.
type advertised struct {
	path    string           // of the bundle
	digests artifact.Digests // of the bytes
	of      string           // the base name of the bytes' file
	whole   bool             // the bytes are the artifact itself, not a list that has it
	hash    func(context.Context, artifact.Algorithm) (artifact.Digest, error)
}

// signed verifies every bundle that is advertised. What is advertised must
// verify; where no profile may judge it, it is not checked.
func (h *hearing) signed(ctx context.Context) error {
	bundles, err := h.advertised(ctx)
	if err != nil {
		return err
	}
	names := h.profiles()
	switch {
	case len(bundles) == 0:
		h.unchecked(trust.CheckSignature, "", "no signature is advertised besides the repository's own")
		return nil
	case len(bundles) > maxBundles:
		return h.fail(trust.CheckSignature, "", fmt.Sprintf("at most %d bundles", maxBundles), fmt.Sprint(len(bundles)),
			fmt.Errorf("%w: expected at most %d bundles, found %d", ErrDocument, maxBundles, len(bundles)))
	case len(names) == 0:
		for _, b := range bundles {
			h.unchecked(trust.CheckSignature, b.path, "no trust profile is configured for "+h.subject.Repository)
		}
		return nil
	}
	for _, b := range bundles {
		if err := h.bundle(ctx, b, names); err != nil {
			return err
		}
	}
	return nil
}

// advertised lists the bundles of the manifest, over the artifact and over the
// checksums file that lists it. A target that no manifest lists may have one
// beside it, by the usual name.
func (h *hearing) advertised(ctx context.Context) ([]advertised, error) {
	target := h.item.Target
	var list []advertised
	add := func(path string) {
		list = append(list, advertised{path: path, digests: target.Digests(), of: target.Name(), whole: true, hash: h.item.Documents.Hash})
	}
	if h.item.Release == nil {
		if len(h.profiles()) == 0 {
			return nil, nil
		}
		path := target.Path() + ".sigstore.json"
		_, err := h.item.Documents.Promise(ctx, path)
		if err == nil {
			add(path)
		}
		if errors.Is(err, trust.ErrNoTarget) {
			err = nil
		}
		return list, err
	}
	for _, path := range h.item.Artifact.Bundles {
		add(path)
	}
	sums := h.item.Release.Checksums
	if sums == nil || !h.inChecksums {
		return list, nil
	}
	of, err := h.item.Documents.Promise(ctx, sums.Target)
	if err != nil {
		return nil, err
	}
	for _, path := range sums.Bundles {
		if !slices.ContainsFunc(list, func(a advertised) bool { return a.path == path }) {
			list = append(list, advertised{path: path, digests: of.Digests(), of: of.Name(), hash: h.hashOf(of)})
		}
	}
	return list, nil
}

// bundle verifies one bundle by the profiles that may judge it: one that accepts
// it is enough.
func (h *hearing) bundle(ctx context.Context, b advertised, names []string) error {
	target, err := h.item.Documents.Promise(ctx, b.path)
	if errors.Is(err, trust.ErrNoTarget) {
		return h.fail(trust.CheckSignature, b.path, "promised by "+h.subject.Repository, "no such target", fmt.Errorf("%w: the manifest lists the bundle %s: %w", ErrDisagree, b.path, err))
	}
	if err != nil {
		return err
	}
	if h.bundleBytes += target.Length(); h.bundleBytes > maxBundleSum {
		return h.fail(trust.CheckSignature, b.path, fmt.Sprintf("at most %d bytes of bundles together", maxBundleSum), "more",
			fmt.Errorf("%w: expected bundles of at most %d bytes together, found more at %s", provenance.ErrTooLarge, maxBundleSum, b.path))
	}
	var refused, inapplicable error
	for _, name := range names {
		v, err := h.prover.verifier(ctx, name)
		if err != nil {
			return err
		}
		signed, err := h.verify(ctx, v, target, b)
		switch {
		case err == nil:
			return h.accept(v, b, signed)
		case errors.Is(err, provenance.ErrInapplicable):
			inapplicable = errors.Join(inapplicable, fmt.Errorf("%s: %w", name, err))
		case isVerdict(err):
			refused = errors.Join(refused, fmt.Errorf("by the profile %s: %w", name, err))
		default:
			return err
		}
	}
	if refused == nil {
		h.unchecked(trust.CheckSignature, b.path, strings.ReplaceAll(inapplicable.Error(), "\n", "; "))
		return nil
	}
	return h.fail(trust.CheckSignature, b.path, "a bundle that "+strings.Join(names, " or ")+" accepts", "one that none does",
		fmt.Errorf("%s: %w", b.path, refused))
}

// isVerdict reports whether an error is about the bundle, and not about the means
// to read it.
func isVerdict(err error) bool {
	var verdict *provenance.VerifyError
	return errors.As(err, &verdict)
}

// verify takes over the verdict of an earlier proof of the same bytes, by the
// same bundle, trust root and policy; else it reads the bundle and verifies it.
// A verdict never expires by itself: a signature is judged at the time at which
// it was made. Revocation and expiry are of the metadata, which is checked anew
// each time.
func (h *hearing) verify(ctx context.Context, v *verifier, target trust.Target, b advertised) (provenance.Signed, error) {
	key := h.verdictKey(v, target, b)
	if h.before != nil {
		if signed, ok := h.before.Verdicts[key]; ok {
			h.verdicts[key] = signed
			return signed, nil
		}
	}
	// What is promised to be too large is not fetched to be found so.
	if target.Length() > provenance.MaxBundleBytes {
		return provenance.Signed{}, &provenance.VerifyError{
			Kind: provenance.ErrTooLarge, Bundle: target.Digests().Primary(),
			Expected: fmt.Sprintf("at most %d bytes", provenance.MaxBundleBytes), Found: fmt.Sprintf("%d bytes promised", target.Length()),
		}
	}
	data, err := h.item.Documents.Read(ctx, target, provenance.MaxBundleBytes)
	if err != nil {
		return provenance.Signed{}, err
	}
	signed, err := v.Verify(data, b.digests)
	if errors.Is(err, provenance.ErrAlgorithm) {
		signed, err = h.verifyOther(ctx, v, data, b, err)
	}
	if err != nil {
		return provenance.Signed{}, err
	}
	if isKept(signed) {
		h.verdicts[key] = *signed
	}
	return *signed, nil
}

// maxVerdict is how long the predicate of a remembered verdict may be, in bytes.
// Provenance has some 10 KiB; what is longer is verified each time.
const maxVerdict = 128 << 10

func isKept(s *provenance.Signed) bool {
	return s.Statement == nil || len(s.Statement.Predicate) <= maxVerdict
}

// verifyOther verifies a bundle that vouches for the bytes under an algorithm
// that their target does not list: the digest has to be computed from them.
func (h *hearing) verifyOther(ctx context.Context, v *verifier, data []byte, b advertised, lacking error) (*provenance.Signed, error) {
	digests := slices.Clone(b.digests)
	for _, algorithm := range []artifact.Algorithm{artifact.SHA256, artifact.SHA512} {
		if _, ok := digests.Of(algorithm); ok {
			continue
		}
		digest, err := b.hash(ctx, algorithm)
		if errors.Is(err, trust.ErrNotHeld) {
			return nil, fmt.Errorf("%w: %w", provenance.ErrInapplicable, lacking)
		}
		if err != nil {
			return nil, err
		}
		digests = append(digests, digest)
	}
	return v.Verify(data, digests)
}

// verdictKey names a verdict by everything that it depends on.
func (h *hearing) verdictKey(v *verifier, bundle trust.Target, b advertised) string {
	of := fmt.Appendf(nil, "%v\n%v\n%s\n%s", b.digests, bundle.Digests(), v.key, h.item.Evidence.Policy)
	return artifact.DigestOf(artifact.SHA256, of).Hex()
}

// accept takes a verified signature into the evidence, once its statement was
// found to be about this artifact.
func (h *hearing) accept(v *verifier, b advertised, signed provenance.Signed) error {
	expected := fmt.Sprintf("accepted by the profile %s (%s), whose root is %s", signed.Profile, signed.Kind, v.from)
	found := describe(signed)
	if v.own == h.subject.Repository {
		found += "; the trust root comes from the repository that publishes the artifact"
	}
	h.pass(trust.CheckSignature, b.path, expected, found)
	if err := h.bind(b, signed); err != nil {
		return err
	}
	h.item.Evidence.Signatures = append(h.item.Evidence.Signatures, SignatureOf(b.path, &signed))
	h.direct[b.path] = b.whole
	h.subject.Signatures = append(h.subject.Signatures, policy.Signature{Signed: signed, Of: b.path})
	return nil
}

// SignatureOf tells evidence of a verified bundle, named of; its time is the
// earliest that somebody else has observed.
func SignatureOf(of string, signed *provenance.Signed) trust.Signature {
	s := trust.Signature{
		Of: of, Bundle: signed.Bundle, Profile: signed.Profile, Root: signed.Root,
		Issuer: signed.Signer.Issuer, Signer: signerName(signed.Signer),
	}
	for _, at := range signed.Times {
		if s.Signed.IsZero() || at.At.Before(s.Signed) {
			s.Signed = at.At.UTC()
		}
	}
	for _, entry := range signed.Logged {
		s.Logged = append(s.Logged, trust.LogEntry{Log: entry.Log, Index: entry.Index})
	}
	if signed.Statement != nil {
		s.Statement = signed.Statement.PredicateType
	}
	return s
}

// signerName is the identity in the certificate, or the key's digest.
func signerName(s provenance.Signer) string { return cmp.Or(s.Identity, s.Key) }

// describe tells who signed, and how it is known when.
func describe(signed provenance.Signed) string {
	text := "signed by " + signerName(signed.Signer)
	for _, at := range signed.Times {
		text += fmt.Sprintf(", %s by a %s", at.At.UTC().Format("2006-01-02T15:04:05Z"), at.Source)
		break
	}
	for _, entry := range signed.Logged {
		text += fmt.Sprintf(", log index %d", entry.Index)
	}
	return text
}

// counts reports whether a signature counts for what rules ask for: where any
// names signers, it must be by one that some rule names, as a signer, as a
// rebuilder, or for a builder. What the others say against the artifact is heard
// all the same: one more rule must never let pass what was refused.
func (h *hearing) counts(s *provenance.Signed) bool {
	return len(h.accepted) == 0 || slices.ContainsFunc(h.anybody, func(id provenance.Identity) bool { return id.Matches(s) })
}

// setAside takes the signatures that do not count out of what is judged.
func (h *hearing) setAside() {
	h.subject.Signatures = slices.DeleteFunc(slices.Clone(h.subject.Signatures), func(s policy.Signature) bool { return !h.counts(&s.Signed) })
}

// remembers is the subject as the memory is to see it: without the signatures of
// those whom only a project's rules name.
func (h *hearing) remembers() policy.Subject {
	s := h.subject
	if len(h.accepted) > 0 {
		s.Signatures = byOneOf(s.Signatures, h.prover.config.Policy.Hosts(h.subject.Repository, h.item.Product, h.item.Asked))
	}
	return s
}

func byOneOf(signatures []policy.Signature, identities []provenance.Identity) []policy.Signature {
	return slices.DeleteFunc(slices.Clone(signatures), func(s policy.Signature) bool {
		return !slices.ContainsFunc(identities, func(id provenance.Identity) bool { return id.Matches(&s.Signed) })
	})
}

// isAccepted reports whether the policy names the signer.
func (h *hearing) isAccepted(s *provenance.Signed) bool {
	return slices.ContainsFunc(h.accepted, func(id provenance.Identity) bool { return id.Matches(s) })
}

// identified asks whether a signer is one that is accepted. Of several
// signatures one is enough here; how many it takes is for the rules to say.
func (h *hearing) identified(context.Context) error {
	if len(h.subject.Signatures) == 0 {
		return nil
	}
	if len(h.accepted) == 0 {
		for _, s := range h.subject.Signatures {
			h.unchecked(trust.CheckIdentity, s.Of, fmt.Sprintf("signed by %s; no policy says whether that is right", s.Signer))
		}
		return nil
	}
	var matched int
	var found []string
	for _, s := range h.subject.Signatures {
		i := slices.IndexFunc(h.accepted, func(id provenance.Identity) bool { return id.Matches(&s.Signed) })
		if name := s.Signer.String(); !slices.Contains(found, name) {
			found = append(found, name)
		}
		if i < 0 {
			h.unchecked(trust.CheckIdentity, s.Of, fmt.Sprintf("signed by %s, whom no rule names: it counts for nothing", s.Signer))
			continue
		}
		matched++
		h.pass(trust.CheckIdentity, s.Of, h.accepted[i].String(), s.Signer.String())
	}
	if matched == 0 {
		var expected []string
		for _, id := range h.accepted {
			expected = append(expected, id.String())
		}
		want, got := strings.Join(expected, " or "), strings.Join(found, ", ")
		return h.fail(trust.CheckIdentity, "", want, got, fmt.Errorf("%w: expected %s, found %s", ErrIdentity, want, got))
	}
	return nil
}
