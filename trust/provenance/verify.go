package provenance

import (
	"errors"
	"fmt"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"assay/artifact"
)

// Verify judges a bundle for the artifact that has these digests: all of them
// must be digests of the same bytes, taken by the caller; at least one. The
// error is a *VerifyError.
func (v *Verifier) Verify(bundle []byte, digests artifact.Digests) (*Signed, error) {
	signed, err := v.verify(bundle, digests)
	if err == nil {
		return signed, nil
	}
	refusal, ok := errors.AsType[*VerifyError](err)
	if !ok {
		refusal = refuse(ErrMalformed, "a bundle that can be judged", "none").because(err)
	}
	if len(bundle) <= MaxBundleBytes {
		refusal.Bundle = artifact.DigestOf(artifact.SHA256, bundle)
	}
	return nil, refusal
}

func (v *Verifier) verify(bundle []byte, digests artifact.Digests) (signed *Signed, err error) {
	wanted, err := artifact.NewDigests(digests...)
	if err != nil {
		return nil, refuse(ErrDigest, "digests of the artifact", "none that can be used").because(err)
	}
	e, err := parse(bundle)
	if err != nil {
		return nil, err
	}
	c, err := claimOf(e, wanted)
	if err != nil {
		return nil, err
	}
	// The library and what it uses may panic on what it reads.
	err = guarded(func() (err error) {
		if signed, err = v.judge(e, c); err == nil {
			signed.Bundle = artifact.DigestOf(artifact.SHA256, bundle)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return signed, nil
}

// judge asks the library. A bundle that is about other bytes is refused last, so
// that one that is wrong anyway is told as such.
func (v *Verifier) judge(e *entity, c claim) (*Signed, error) {
	j, err := v.judgeFor(e, c)
	if err != nil {
		return nil, err
	}
	if e.broken != nil {
		return nil, j.diagnose(e, c, e.broken)
	}
	facts, err := j.check(e, c, v.signerPolicy())
	if err != nil {
		return nil, err
	}
	if err := j.checkEntries(e); err != nil {
		return nil, err
	}
	switch {
	case len(c.shared) > 0:
		return v.signed(j, e, c, facts), nil
	case c.comparable:
		return nil, refuse(ErrDigest, c.wanted, c.about)
	default:
		return nil, refuse(ErrAlgorithm, c.wanted, c.about)
	}
}

// facts are what the library has verified.
type facts struct {
	certificate *certificate.Summary // nil for a key
	times       []verify.TimestampVerificationResult
}

// check is the library's Verify, except for signatures in the early form. Where
// the bundle is about other bytes, it is checked whether it is sound at all.
func (j judge) check(e *entity, c claim, signer verify.PolicyOption) (facts, error) {
	if c.isEarly(e) {
		return j.steps(e)
	}
	artifactPolicy := c.policy()
	if len(c.shared) == 0 {
		artifactPolicy = c.anyPolicy()
	}
	result, err := j.library.Verify(e, verify.NewPolicy(artifactPolicy, signer))
	if err != nil {
		return facts{}, j.diagnose(e, c, err)
	}
	return facts{result.Signature.Certificate, result.VerifiedTimestamps}, nil
}

// signerPolicy tells the library who may sign: in a profile of keys only a key,
// else any certificate, as the caller compares identities afterwards.
func (v *Verifier) signerPolicy() verify.PolicyOption {
	if v.profile.Kind == Keys {
		return verify.WithKey()
	}
	return verify.WithoutIdentitiesUnsafe()
}

// judgeFor finds who may judge the bundle: in a profile of keys the key that made
// the signature.
func (v *Verifier) judgeFor(e *entity, c claim) (judge, error) {
	isCertificate := e.content.Certificate() != nil
	if v.profile.Kind != Keys {
		if !isCertificate {
			return judge{}, refuse(ErrInapplicable, "a certificate", "a plain key")
		}
		return v.newJudge(e, v.material, publicKey{})
	}
	if isCertificate {
		return judge{}, refuse(ErrInapplicable, "a signature by a plain key", "a certificate")
	}
	hint, kind := e.content.PublicKey().Hint(), ErrKey
	for _, k := range v.keys {
		for _, verifier := range k.verifiers(c.message) {
			material := keyMaterial{v.material, root.NewExpiringKey(verifier, time.Time{}, time.Time{})}
			if c.checkSignature(e, material) == nil {
				return v.newJudge(e, material, k)
			}
		}
		if k.isHinted(hint) {
			kind = ErrSignature
		}
	}
	return judge{}, refuse(kind, fmt.Sprintf("a signature by one of %d keys", len(v.keys)), "one with the hint "+quote(hint))
}
