package testrepo_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	sgverify "github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

var (
	fileData   = []byte("hello, verified world\n")
	fileDigest = artifact.DigestOf(artifact.SHA256, fileData)
)

func lab(t *testing.T) *testrepo.Sigstore {
	t.Helper()
	s, err := testrepo.NewSigstore(func() time.Time { return noon })
	must(t, err)
	return s
}

func bundleOf(t *testing.T, s *testrepo.Sigstore, o testrepo.BundleOptions) []byte {
	t.Helper()
	data, err := s.Bundle(o)
	must(t, err)
	return data
}

// demand is what a verifier of each preset asks for.
func demand(p testrepo.Preset) []sgverify.VerifierOption {
	switch p {
	case testrepo.GitHub:
		return []sgverify.VerifierOption{sgverify.WithSignedTimestamps(1)}
	case testrepo.Private:
		return []sgverify.VerifierOption{sgverify.WithTransparencyLog(1), sgverify.WithObserverTimestamps(1)}
	case testrepo.Bare:
		return []sgverify.VerifierOption{sgverify.WithNoObserverTimestamps()}
	default:
		return []sgverify.VerifierOption{sgverify.WithSignedCertificateTimestamps(1), sgverify.WithTransparencyLog(1), sgverify.WithObserverTimestamps(1)}
	}
}

// check verifies a bundle with the library that clients use.
func check(material root.TrustedMaterial, asked []sgverify.VerifierOption, data []byte, digest artifact.Digest, identity ...sgverify.PolicyOption) (*sgverify.VerificationResult, error) {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	v, err := sgverify.NewVerifier(material, asked...)
	if err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(digest.Hex())
	if err != nil {
		return nil, err
	}
	if len(identity) == 0 {
		identity = []sgverify.PolicyOption{sgverify.WithoutIdentitiesUnsafe()}
	}
	return v.Verify(&b, sgverify.NewPolicy(sgverify.WithArtifactDigest(string(digest.Algorithm()), raw), identity...))
}

func trusted(t *testing.T, s *testrepo.Sigstore) *root.TrustedRoot {
	t.Helper()
	material, err := root.NewTrustedRootFromJSON(s.TrustedRoot())
	must(t, err)
	return material
}

func statementOf(t *testing.T, digest artifact.Digest) []byte {
	t.Helper()
	data, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{Subjects: []testrepo.Subject{
		{Name: "hello_1.0.0_linux_amd64.tar.gz", Digests: artifact.Digests{digest}},
	}})
	must(t, err)
	return data
}

// signed are the two kinds of bundles.
func signed(t *testing.T) map[string]testrepo.BundleOptions {
	return map[string]testrepo.BundleOptions{
		"message": {Data: fileData}, "statement": {Statement: statementOf(t, fileDigest)},
	}
}

func TestBundlesVerify(t *testing.T) {
	t.Parallel()
	s, other := lab(t), lab(t)
	material, stranger := trusted(t, s), trusted(t, other)
	for kind, o := range signed(t) {
		for _, preset := range []testrepo.Preset{testrepo.PublicGood, testrepo.PublicGoodV2, testrepo.GitHub, testrepo.Private} {
			for _, version := range []string{"0.1", "0.2", "0.3"} {
				t.Run(fmt.Sprintf("%s %s %s", kind, preset, version), func(t *testing.T) {
					if preset == testrepo.PublicGoodV2 && version == "0.1" {
						t.Skip("such bundles need a promise, which Rekor v2 does not make")
					}
					o.Version, o.Preset = version, preset
					data := bundleOf(t, s, o)
					result, err := check(material, demand(preset), data, fileDigest, identity(t, "refs/tags/v1.0.0"))
					must(t, err)
					if len(result.VerifiedTimestamps) == 0 || !result.VerifiedTimestamps[0].Timestamp.Equal(noon) {
						t.Errorf("expected the time %v, found %v", noon, result.VerifiedTimestamps)
					}
					fails(t, "threshold|certificate verification|not enough", func() error {
						_, err := check(stranger, demand(preset), data, fileDigest)
						return err
					})
					fails(t, "digest", func() error {
						_, err := check(material, demand(preset), data, artifact.DigestOf(artifact.SHA256, []byte("other")))
						return err
					})
					fails(t, "no matching CertificateIdentity", func() error {
						_, err := check(material, demand(preset), data, fileDigest, identity(t, "refs/heads/main"))
						return err
					})
				})
			}
		}
	}
}

// fails wants an error that has one of some words.
func fails(t *testing.T, words string, do func() error) {
	t.Helper()
	err := do()
	for word := range strings.SplitSeq(words, "|") {
		if err != nil && strings.Contains(err.Error(), word) {
			return
		}
	}
	t.Errorf("expected an error about %q, found %v", words, err)
}

// identity is that of the default claims, at a ref.
func identity(t *testing.T, ref string) sgverify.PolicyOption {
	t.Helper()
	c := testrepo.WorkflowClaims("https://github.com/acme/hello", ".github/workflows/release.yml", ref, "")
	san, err := sgverify.NewSANMatcher(c.Identity, "")
	must(t, err)
	issuer, err := sgverify.NewIssuerMatcher(testrepo.GitHubIssuer, "")
	must(t, err)
	found, err := sgverify.NewCertificateIdentity(san, issuer, certificate.Extensions{SourceRepositoryURI: c.SourceRepository, SourceRepositoryRef: ref})
	must(t, err)
	return sgverify.WithCertificateIdentity(found)
}

// TestForgeriesFailAsMeant holds each forgery to the one check that finds it.
func TestForgeriesFailAsMeant(t *testing.T) {
	t.Parallel()
	s := lab(t)
	material := trusted(t, s)
	type kind struct{ preset, version, words string }
	for forgery, cases := range map[testrepo.BundleForgery][]kind{
		testrepo.WrongSignature: {
			{"public-good", "0.3", "could not verify message|could not verify envelope|invalid signature"},
			{"github", "0.3", "could not verify message|could not verify envelope|invalid signature"},
		},
		testrepo.ForeignCertificate: {{"public-good", "0.3", "leaf certificate verification failed"}, {"github", "0.3", "leaf certificate verification failed"}},
		testrepo.WrongKeyUsage:      {{"public-good", "0.3", "leaf certificate verification failed"}},
		testrepo.ForeignSCT:         {{"public-good", "0.3", "only able to verify 0 SCT entries"}},
		testrepo.SignedEarly: {
			{"public-good", "0.3", "integrated time outside certificate validity"},
			{"github", "0.3", "leaf certificate verification failed"}, {"public-good-v2", "0.3", "leaf certificate verification failed"},
		},
		testrepo.SignedLate: {
			{"public-good", "0.3", "integrated time outside certificate validity"},
			{"github", "0.3", "leaf certificate verification failed"}, {"public-good-v2", "0.3", "leaf certificate verification failed"},
		},
		testrepo.NoInclusionProof:   {{"public-good", "0.3", "inclusion proof missing in bundle"}, {"public-good-v2", "0.3", "inclusion proof missing in bundle"}},
		testrepo.NoInclusionPromise: {{"public-good", "0.1", "inclusion promises missing in bundle"}, {"public-good", "0.3", "threshold not met for verified signed & log entry integrated timestamps"}},
		testrepo.ForeignPromise:     {{"public-good", "0.1", "not enough verified log entries"}, {"public-good", "0.3", "not enough verified log entries"}},
		testrepo.ForeignCheckpoint:  {{"public-good", "0.3", "signature"}, {"public-good-v2", "0.3", "signature"}},
		testrepo.WrongInclusion:     {{"public-good", "0.3", "root"}, {"public-good-v2", "0.3", "root"}},
		testrepo.UnknownLog:         {{"public-good", "0.1", "not enough verified log entries"}, {"public-good-v2", "0.3", "not enough verified log entries"}},
		testrepo.OtherEntry:         {{"public-good", "0.3", "transparency log signature does not match"}, {"public-good-v2", "0.3", "root"}},
		testrepo.ForeignTimestamp:   {{"github", "0.3", "error while verifying signature|does not match the provided TSA|signer"}},
		testrepo.OtherTimestamp:     {{"github", "0.3", "hashed messages don't match"}},
		testrepo.TwoSignatures:      {{"public-good", "0.3", "exactly one signature"}},
	} {
		for _, c := range cases {
			for form, o := range signed(t) {
				if forgery == testrepo.TwoSignatures && form == "message" {
					continue
				}
				t.Run(fmt.Sprintf("%s %s %s %s", forgery, c.preset, c.version, form), func(t *testing.T) {
					o.Preset, o.Version, o.Forgeries = testrepo.Preset(c.preset), c.version, []testrepo.BundleForgery{forgery}
					data := bundleOf(t, s, o)
					fails(t, c.words, func() error {
						_, err := check(material, demand(o.Preset), data, fileDigest)
						return err
					})
				})
			}
		}
	}
}

func TestStatedDigestIsNotTheSignedOne(t *testing.T) {
	t.Parallel()
	s := lab(t)
	stated := artifact.DigestOf(artifact.SHA256, []byte("other"))
	data := bundleOf(t, s, testrepo.BundleOptions{Data: fileData, Stated: stated, Preset: testrepo.GitHub})
	fails(t, "could not verify message|invalid signature", func() error {
		_, err := check(trusted(t, s), demand(testrepo.GitHub), data, stated)
		return err
	})
}

// keyMaterial trusts one key, in the way in which it signs.
func keyMaterial(t *testing.T, k *testrepo.SigningKey, message bool) root.TrustedMaterial {
	t.Helper()
	block, _ := pem.Decode(k.PublicPEM())
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	must(t, err)
	var how []signature.LoadOption
	if message {
		how = append(how, options.WithED25519ph())
	}
	verifier, err := signature.LoadDefaultVerifier(public, how...)
	must(t, err)
	return root.NewTrustedPublicKeyMaterial(func(hint string) (root.TimeConstrainedVerifier, error) {
		if hint != k.Hint() {
			return nil, fmt.Errorf("hint %q", hint)
		}
		return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
	})
}

func TestPlainKeys(t *testing.T) {
	t.Parallel()
	s := lab(t)
	for _, scheme := range []testrepo.Scheme{testrepo.ECDSA, testrepo.P384, testrepo.Ed25519, testrepo.RSA} {
		t.Run(string(scheme), func(t *testing.T) {
			t.Parallel()
			key, err := testrepo.NewSigningKey(scheme)
			must(t, err)
			// The signature is over a digest by the key's own hash, of which
			// artifact knows no SHA-384.
			digest := fileDigest
			if scheme == testrepo.Ed25519 {
				digest = artifact.DigestOf(artifact.SHA512, fileData)
			}
			message := testrepo.BundleOptions{Data: fileData, Key: key, Plain: true}
			if scheme != testrepo.P384 {
				_, err = check(keyMaterial(t, key, true), demand(testrepo.Bare), bundleOf(t, s, message), digest, sgverify.WithKey())
				must(t, err)
			}
			statement := testrepo.BundleOptions{Statement: statementOf(t, fileDigest), Key: key, Plain: true}
			_, err = check(keyMaterial(t, key, false), demand(testrepo.Bare), bundleOf(t, s, statement), fileDigest, sgverify.WithKey())
			must(t, err)
			message.Forgeries = []testrepo.BundleForgery{testrepo.WrongSignature}
			fails(t, "could not verify message|invalid signature|digest", func() error {
				_, err := check(keyMaterial(t, key, true), demand(testrepo.Bare), bundleOf(t, s, message), digest, sgverify.WithKey())
				return err
			})
		})
	}
}

// TestKeysInTheLogs enters plain keys, and certificates of other keys, into
// both generations of the log.
func TestKeysInTheLogs(t *testing.T) {
	t.Parallel()
	s := lab(t)
	for _, scheme := range []testrepo.Scheme{testrepo.ECDSA, testrepo.P384, testrepo.Ed25519} {
		for _, log := range []testrepo.LogVersion{testrepo.Rekor1, testrepo.Rekor2} {
			for _, plain := range []bool{false, true} {
				t.Run(fmt.Sprint(scheme, log, plain), func(t *testing.T) {
					key, err := testrepo.NewSigningKey(scheme)
					must(t, err)
					o := testrepo.BundleOptions{
						Statement: statementOf(t, fileDigest), Key: key, Plain: plain,
						Proofs: &testrepo.Proofs{Log: log, Timestamp: true},
					}
					// Keys are in a root of their own; logs and authorities in ours.
					material := root.TrustedMaterialCollection{trusted(t, s), keyMaterial(t, key, false)}
					who := sgverify.WithoutIdentitiesUnsafe()
					if plain {
						who = sgverify.WithKey()
					}
					_, err = check(material, demand(testrepo.Private), bundleOf(t, s, o), fileDigest, who)
					must(t, err)
				})
			}
		}
	}
}

func TestDigestIsSigned(t *testing.T) {
	t.Parallel()
	s := lab(t)
	data := bundleOf(t, s, testrepo.BundleOptions{Digest: fileDigest})
	_, err := check(trusted(t, s), demand(testrepo.PublicGood), data, fileDigest)
	must(t, err)
	// A P-384 key over SHA-256, as old clients did: the library takes it, though
	// it says so on stderr.
	old := bundleOf(t, s, testrepo.BundleOptions{Digest: fileDigest, Scheme: testrepo.P384, Preset: testrepo.GitHub})
	_, err = check(trusted(t, s), demand(testrepo.GitHub), old, fileDigest)
	must(t, err)
	if _, err := s.Bundle(testrepo.BundleOptions{Digest: fileDigest, Scheme: testrepo.Ed25519}); !errors.Is(err, testrepo.ErrOptions) {
		t.Errorf("Ed25519ph over SHA-256: expected %v, found %v", testrepo.ErrOptions, err)
	}
}

func TestImpossibleBundles(t *testing.T) {
	t.Parallel()
	s := lab(t)
	forge := func(f testrepo.BundleForgery) []testrepo.BundleForgery { return []testrepo.BundleForgery{f} }
	for name, o := range map[string]testrepo.BundleOptions{
		"nothing signed":        {},
		"two things":            {Data: fileData, Digest: fileDigest},
		"version":               {Data: fileData, Version: "0.4"},
		"scheme":                {Data: fileData, Scheme: "dsa"},
		"preset":                {Data: fileData, Preset: "best"},
		"log":                   {Data: fileData, Proofs: &testrepo.Proofs{Log: "v3"}},
		"both of no logs":       {Data: fileData, Proofs: &testrepo.Proofs{Both: true}},
		"identity":              {Data: fileData, Claims: testrepo.Claims{Identity: "me"}},
		"URI":                   {Data: fileData, Claims: testrepo.Claims{Identity: "https://a b/%"}},
		"SCT without a leaf":    {Data: fileData, Plain: true, Preset: testrepo.PublicGood},
		"no timestamp to forge": {Data: fileData, Forgeries: forge(testrepo.ForeignTimestamp)},
		"no log to forge":       {Data: fileData, Preset: testrepo.GitHub, Forgeries: forge(testrepo.OtherEntry)},
		"no proof to forge":     {Data: fileData, Version: "0.1", Forgeries: forge(testrepo.WrongInclusion)},
		"no promise to forge":   {Data: fileData, Preset: testrepo.PublicGoodV2, Forgeries: forge(testrepo.ForeignPromise)},
		"no envelope":           {Data: fileData, Forgeries: forge(testrepo.TwoSignatures)},
		"no certificate":        {Data: fileData, Plain: true, Forgeries: forge(testrepo.SignedLate)},
		"no SCT to forge":       {Data: fileData, Preset: testrepo.Private, Forgeries: forge(testrepo.ForeignSCT)},
		"unknown forgery":       {Data: fileData, Forgeries: forge("all")},
		"statement's digest":    {Statement: []byte("{}"), Stated: fileDigest},
	} {
		if _, err := s.Bundle(o); !errors.Is(err, testrepo.ErrOptions) {
			t.Errorf("%s: expected %v, found %v", name, testrepo.ErrOptions, err)
		}
	}
}

// TestLogGrows enters many signatures, some at once: each is proven in the tree
// as it was when it came in.
func TestLogGrows(t *testing.T) {
	t.Parallel()
	s := lab(t)
	material := trusted(t, s)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				data, err := s.Bundle(testrepo.BundleOptions{Data: fileData})
				if err == nil {
					_, err = check(material, demand(testrepo.PublicGood), data, fileDigest)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var b bundle.Bundle
	must(t, b.UnmarshalJSON(bundleOf(t, s, testrepo.BundleOptions{Data: fileData})))
	entries, err := b.TlogEntries()
	must(t, err)
	if entries[0].LogIndex() != 40 {
		t.Errorf("expected index 40, found %d", entries[0].LogIndex())
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	s := lab(t)
	material := trusted(t, s)
	c := testrepo.Claims{
		Identity: "https://forge.example/w@r", Issuer: "https://issuer.example",
		BuildSigner: "a", BuildSignerDigest: "b", RunnerEnvironment: "c", SourceRepository: "d", SourceDigest: "e",
		SourceRef: "f", BuildConfig: "g", BuildConfigDigest: "h", BuildTrigger: "i", RunInvocation: "j",
	}
	result, err := check(material, demand(testrepo.PublicGood), bundleOf(t, s, testrepo.BundleOptions{Data: fileData, Claims: c}), fileDigest)
	must(t, err)
	want := certificate.Extensions{
		Issuer: c.Issuer, BuildSignerURI: "a", BuildSignerDigest: "b", RunnerEnvironment: "c", SourceRepositoryURI: "d",
		SourceRepositoryDigest: "e", SourceRepositoryRef: "f", BuildConfigURI: "g", BuildConfigDigest: "h", BuildTrigger: "i",
		RunInvocationURI: "j",
	}
	if found := result.Signature.Certificate; found.Extensions != want || found.SubjectAlternativeName != c.Identity {
		t.Errorf("expected %+v, found %+v", want, found)
	}
	mail := testrepo.Claims{Identity: "dev@acme.example", Issuer: "https://accounts.example"}
	result, err = check(material, demand(testrepo.PublicGood), bundleOf(t, s, testrepo.BundleOptions{Data: fileData, Claims: mail}), fileDigest)
	must(t, err)
	if found := result.Signature.Certificate; found.SubjectAlternativeName != mail.Identity || found.Issuer != mail.Issuer {
		t.Errorf("expected %+v, found %+v", mail, found)
	}
}

// TestMoreThanOneLog meets a threshold of two log entries.
func TestMoreThanOneLog(t *testing.T) {
	t.Parallel()
	s := lab(t)
	two := []sgverify.VerifierOption{sgverify.WithTransparencyLog(2), sgverify.WithObserverTimestamps(2)}
	for _, first := range []testrepo.LogVersion{testrepo.Rekor1, testrepo.Rekor2} {
		o := testrepo.BundleOptions{Data: fileData, Proofs: &testrepo.Proofs{Log: first, Both: true, Timestamp: true}}
		_, err := check(trusted(t, s), two, bundleOf(t, s, o), fileDigest)
		must(t, err)
		o.Proofs = &testrepo.Proofs{Log: first, Timestamp: true}
		fails(t, "not enough verified log entries from transparency log: 1 < 2", func() error {
			_, err := check(trusted(t, s), two, bundleOf(t, s, o), fileDigest)
			return err
		})
	}
}

func TestNamesInABundleAreAsGiven(t *testing.T) {
	t.Parallel()
	s := lab(t)
	var b bundle.Bundle
	o := testrepo.BundleOptions{Statement: []byte("null"), PayloadType: "text/plain", Plain: true, Hint: "ours"}
	must(t, b.UnmarshalJSON(bundleOf(t, s, o)))
	if e := b.GetDsseEnvelope(); e.GetPayloadType() != "text/plain" || string(e.GetPayload()) != "null" || b.VerificationMaterial.GetPublicKey().GetHint() != "ours" {
		t.Errorf("found %v", b.Bundle)
	}
}

func TestSigningKeyNames(t *testing.T) {
	t.Parallel()
	key, err := testrepo.NewSigningKey(testrepo.ECDSA)
	must(t, err)
	block, rest := pem.Decode(key.PublicPEM())
	if block.Type != "PUBLIC KEY" || len(rest) > 0 || artifact.DigestOf(artifact.SHA256, block.Bytes) != key.Digest() {
		t.Errorf("wrong PEM or digest: %s, %s", block.Type, key.Digest())
	}
	if _, err := testrepo.NewSigningKey("dsa"); !errors.Is(err, testrepo.ErrOptions) {
		t.Errorf("expected %v, found %v", testrepo.ErrOptions, err)
	}
}
