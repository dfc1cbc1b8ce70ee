package provenance

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"assay/artifact"
)

// Verifier judges bundles by one Profile. It is made once and may be used by
// several goroutines.
type Verifier struct {
	profile  Profile // without Root and Keys
	digest   artifact.Digest
	material root.TrustedMaterial
	keys     []publicKey
	ask      Thresholds
}

// NewVerifier reads the profile's trusted root and keys. The error wraps
// ErrProfile: for a root or a key that is malformed or beyond its limits, and for
// a root that could never meet the thresholds.
func NewVerifier(p Profile) (*Verifier, error) {
	v, err := newVerifier(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrProfile, quote(p.Name), err)
	}
	return v, nil
}

func newVerifier(p Profile) (*Verifier, error) {
	if p.Name == "" {
		return nil, fmt.Errorf("expected a name, found none")
	}
	ask, err := p.thresholds()
	if err != nil {
		return nil, err
	}
	v := &Verifier{profile: Profile{Name: p.Name, Kind: p.Kind, Least: p.Least}, ask: ask}
	issuers := 1
	if p.Kind == Keys {
		issuers = 0
		if v.keys, err = parseKeys(p.Keys); err != nil {
			return nil, err
		}
	} else if len(p.Keys) > 0 {
		return nil, fmt.Errorf("expected no keys in a profile of kind %s, found %d", p.Kind, len(p.Keys))
	}
	if v.material, err = parseRoot(p.Root); err != nil {
		return nil, err
	}
	v.digest = rootDigest(p.Root, v.keys)
	return v, canMeet(v.material, ask, issuers)
}

// rootDigest names what is believed: the trusted root's bytes, or the keys by
// their values, or both.
func rootDigest(trustedRoot []byte, keys []publicKey) artifact.Digest {
	if len(keys) == 0 {
		return artifact.DigestOf(artifact.SHA256, trustedRoot)
	}
	var lines []string
	for _, k := range keys {
		lines = append(lines, "key "+k.digest.Hex())
	}
	slices.Sort(lines)
	if len(trustedRoot) > 0 {
		lines = append(lines, fmt.Sprintf("root %x", sha256.Sum256(trustedRoot)))
	}
	return artifact.DigestOf(artifact.SHA256, []byte(strings.Join(lines, "\n")+"\n"))
}

// Root is the SHA-256 of the profile's trusted root, or of its keys: of a sorted
// list of their digests, and that of the root if there is one, too. It is the
// same as Signed.Root.
func (v *Verifier) Root() artifact.Digest { return v.digest }

// judge is the library's verifier, set up for one bundle.
type judge struct {
	library  *verify.Verifier
	material root.TrustedMaterial
	ask      Thresholds
	key      publicKey // that it tries, in a profile of kind Keys
}

// keyMaterial is a trusted root and one key, which is the key whatever hint the
// bundle gives: hints are not signed.
type keyMaterial struct {
	root.TrustedMaterial
	key root.TimeConstrainedVerifier
}

func (m keyMaterial) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	return m.key, nil
}

// newJudge makes the library's verifier. Where the bundle has an entry of a log
// that is known, one must verify even if none is asked for; and its time counts.
func (v *Verifier) newJudge(e *entity, material root.TrustedMaterial, key publicKey) (judge, error) {
	j := judge{material: material, key: key, ask: v.ask}
	if j.ask.LogEntries == 0 && slices.ContainsFunc(e.entries, j.knowsLog) {
		j.ask.LogEntries = 1
	}
	options := []verify.VerifierOption{verify.WithoutStatementPredicate()}
	for _, option := range []struct {
		asked int
		with  func(int) verify.VerifierOption
	}{
		{j.ask.SCTs, verify.WithSignedCertificateTimestamps},
		{j.ask.LogEntries, verify.WithTransparencyLog},
		{j.ask.Times, verify.WithObserverTimestamps},
		{j.ask.SignedTimestamps, verify.WithSignedTimestamps},
	} {
		if option.asked > 0 {
			options = append(options, option.with(option.asked))
		}
	}
	if j.ask.Times == 0 && j.ask.SignedTimestamps == 0 {
		options = append(options, verify.WithNoObserverTimestamps())
	}
	var err error
	j.library, err = verify.NewVerifier(material, options...)
	return j, err
}
