package testrepo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"assay/artifact"
)

// Preset is how the bundles of some instance of Sigstore look.
type Preset string

// The presets, and what signatures have there.
const (
	PublicGood   Preset = "public-good"    // SCT and an entry in a log of Rekor v1
	PublicGoodV2 Preset = "public-good-v2" // SCT, an entry in a log of Rekor v2, a timestamp
	GitHub       Preset = "github"         // a timestamp
	Private      Preset = "private"        // an entry in a log of Rekor v1
	Bare         Preset = "bare"           // nothing, which suits plain keys
)

// Proofs are what a bundle has beside the signature.
type Proofs struct {
	SCT       bool       // a signed certificate timestamp, in the certificate
	Log       LogVersion // an entry in that log; empty: none
	Both      bool       // entries in the logs of both generations, that of Log first
	Timestamp bool       // of the timestamp authority
}

// logs are those in which there is an entry.
func (p Proofs) logs() []LogVersion {
	switch {
	case p.Log == "":
		return nil
	case p.Both && p.Log == Rekor1:
		return []LogVersion{Rekor1, Rekor2}
	case p.Both:
		return []LogVersion{Rekor2, Rekor1}
	default:
		return []LogVersion{p.Log}
	}
}

func (p Preset) proofs() (Proofs, error) {
	switch p {
	case PublicGood:
		return Proofs{SCT: true, Log: Rekor1}, nil
	case PublicGoodV2:
		return Proofs{SCT: true, Log: Rekor2, Timestamp: true}, nil
	case GitHub:
		return Proofs{Timestamp: true}, nil
	case Private:
		return Proofs{Log: Rekor1}, nil
	case Bare:
		return Proofs{}, nil
	default:
		return Proofs{}, fmt.Errorf("%w: preset %q", ErrOptions, p)
	}
}

// StatementType is the payload type of in-toto statements.
const StatementType = "application/vnd.in-toto+json"

// BundleOptions say what Bundle signs, and as whom. One of Data, Digest and
// Statement is needed, the rest has defaults.
type BundleOptions struct {
	// Version of the bundle's form: "0.1", "0.2" or "0.3", the default. In 0.1
	// log entries have a promise and no proof.
	Version string

	Data      []byte          // a message signature over these bytes
	Digest    artifact.Digest // a message signature over the bytes with this digest
	Statement []byte          // a signed statement, in a DSSE envelope
	// PayloadType is what the envelope says the statement is; default
	// StatementType.
	PayloadType string

	// Claims are those of the certificate; default a workflow of acme/hello.
	Claims Claims
	// Key signs, and is the one in the certificate; default a fresh one of
	// Scheme.
	Key    *SigningKey
	Scheme Scheme // of a fresh key; default ECDSA
	// Plain leaves the certificate out: the bundle names Key by Hint, whose
	// default is the key's own.
	Plain bool
	Hint  string

	// Preset says which proofs there are; default PublicGood, where Plain Bare.
	Preset Preset
	// Proofs are used instead of those of the preset.
	Proofs *Proofs
	// SignedAt is the time of the signature, of its proofs, and a second after
	// the beginning of the certificate; default the instance's present.
	SignedAt time.Time

	// Forgeries are what is wrong with the bundle.
	Forgeries []BundleForgery
	// Stated is the digest that a bundle with a message signature names,
	// instead of the digest of what was signed.
	Stated artifact.Digest
}

// withDefaults returns a checked copy in which Version, Claims, Key, Hint,
// Preset, Proofs, PayloadType and SignedAt are set.
func (o BundleOptions) withDefaults(now time.Time) (BundleOptions, error) {
	kinds := 0
	for _, given := range []bool{o.Data != nil, !o.Digest.IsZero(), o.Statement != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return o, fmt.Errorf("%w: bundle: expected one of Data, Digest and Statement, found %d", ErrOptions, kinds)
	}
	o.Version = cmp.Or(o.Version, "0.3")
	if !slices.Contains([]string{"0.1", "0.2", "0.3"}, o.Version) {
		return o, fmt.Errorf(`%w: bundle: expected version "0.1", "0.2" or "0.3", found %q`, ErrOptions, o.Version)
	}
	if o.Claims == (Claims{}) {
		o.Claims = WorkflowClaims("https://github.com/acme/hello", ".github/workflows/release.yml", "refs/tags/v1.0.0", inventedID("commit"))
	}
	if o.Key == nil {
		key, err := NewSigningKey(cmp.Or(o.Scheme, ECDSA))
		if err != nil {
			return o, err
		}
		o.Key = key
	}
	o.Hint = cmp.Or(o.Hint, o.Key.Hint())
	if o.Preset == "" {
		o.Preset = PublicGood
		if o.Plain {
			o.Preset = Bare
		}
	}
	if o.Proofs == nil {
		proofs, err := o.Preset.proofs()
		if err != nil {
			return o, err
		}
		o.Proofs = &proofs
	}
	if log := o.Proofs.Log; log != "" && log != Rekor1 && log != Rekor2 || log == "" && o.Proofs.Both {
		return o, fmt.Errorf("%w: bundle: expected log %q or %q, found %q", ErrOptions, Rekor1, Rekor2, log)
	}
	if o.Proofs.SCT && o.Plain {
		return o, fmt.Errorf("%w: bundle: a plain key has no certificate for an SCT to be in", ErrOptions)
	}
	o.PayloadType = cmp.Or(o.PayloadType, StatementType)
	if o.SignedAt.IsZero() {
		o.SignedAt = now
	}
	o.SignedAt = o.SignedAt.UTC().Truncate(time.Second) // certificates and logs have no finer time
	return o, o.checkForgeries()
}
