package provenance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"assay/internal/testrepo"
)

// Certificates on P-384 that signed over SHA-256 are judged as all others.
func TestEarlySignatures(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for preset, kind := range kinds {
		if preset == testrepo.PublicGoodV2 {
			continue // such a log takes no early signatures
		}
		early := testrepo.BundleOptions{Digest: fileDigest[0], Scheme: testrepo.P384, Preset: preset}
		s, err := l.verifier(kind).Verify(l.bundle(early), fileDigest)
		must(t, err)
		if s.Signer.Certificate == nil || len(s.Times) != 1 || s.Artifact != fileDigest[0] {
			t.Errorf("found %+v", s)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Error(err)
		}
		refused(t, l.verifier(kind), l.bundle(early), otherFile, ErrDigest)
		refused(t, newLab(t).verifier(kind), l.bundle(early), fileDigest, ErrCertificate)
		late := testrepo.BundleOptions{Statement: statement(t, fileDigest), Scheme: testrepo.P384, Preset: preset}
		if _, err := l.verifier(kind).Verify(l.bundle(late), fileDigest); err != nil {
			t.Error(err)
		}
		// A message over SHA-384: no such digest is known.
		refused(t, l.verifier(kind), l.bundle(testrepo.BundleOptions{Data: fileData, Scheme: testrepo.P384, Preset: preset}), fileDigest, ErrAlgorithm)
	}
}

func TestEarlySignaturesThatAreForged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for forgery, kind := range map[testrepo.BundleForgery]error{
		testrepo.WrongSignature: ErrSignature, testrepo.ForeignCertificate: ErrCertificate, testrepo.WrongKeyUsage: ErrCertificate,
		testrepo.ForeignSCT: ErrCertificate, testrepo.SignedEarly: ErrTime, testrepo.SignedLate: ErrTime,
		testrepo.NoInclusionProof: ErrLog, testrepo.NoInclusionPromise: ErrTime, testrepo.ForeignPromise: ErrLog,
		testrepo.ForeignCheckpoint: ErrLog, testrepo.WrongInclusion: ErrLog, testrepo.UnknownLog: ErrLog, testrepo.OtherEntry: ErrLog,
	} {
		o := testrepo.BundleOptions{Digest: fileDigest[0], Scheme: testrepo.P384, Forgeries: []testrepo.BundleForgery{forgery}}
		refused(t, l.verifier(PublicGood), l.bundle(o), fileDigest, kind)
	}
	for _, forgery := range []testrepo.BundleForgery{testrepo.ForeignTimestamp, testrepo.OtherTimestamp, testrepo.SignedLate} {
		o := testrepo.BundleOptions{Digest: fileDigest[0], Scheme: testrepo.P384, Preset: testrepo.GitHub, Forgeries: []testrepo.BundleForgery{forgery}}
		refused(t, l.verifier(GitHub), l.bundle(o), fileDigest, ErrTime)
	}
}

// Only certificates on the larger curves are asked, and only signatures over
// SHA-256 are taken; in a message and in an envelope.
func TestIsEarly(t *testing.T) {
	t.Parallel()
	payload := []byte("{}")
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		must(t, err)
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, &key.PublicKey, key)
		must(t, err)
		leaf, err := x509.ParseCertificate(der)
		must(t, err)
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			want := hash == crypto.SHA256 && curve != elliptic.P256()
			sum := func(data []byte) []byte {
				h := hash.New()
				h.Write(data)
				return h.Sum(nil)
			}
			sign := func(digest []byte) []byte {
				signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
				must(t, err)
				return signature
			}
			e := &entity{content: bundle.NewCertificate(leaf)}
			digest := sum(payload)
			e.signature = bundle.NewMessageSignature(digest, "", sign(digest))
			message := claim{message: "any", itself: []verify.ArtifactDigest{{Digest: digest}}}
			if found := message.isEarly(e); found != want {
				t.Errorf("message, %s, %s: expected %v, found %v", curve.Params().Name, hash, want, found)
			}
			envelope := &protodsse.Envelope{Payload: payload, PayloadType: "x"}
			e.Bundle = &bundle.Bundle{Bundle: &protobundle.Bundle{Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: envelope}}}
			e.signature = bundle.NewMessageSignature(nil, "", sign(sum(dsse.PAE("x", payload))))
			if found := (claim{statement: new(Statement)}).isEarly(e); found != want {
				t.Errorf("envelope, %s, %s: expected %v, found %v", curve.Params().Name, hash, want, found)
			}
		}
	}
	other := newLab(t)
	for _, scheme := range []testrepo.Scheme{testrepo.RSA, testrepo.Ed25519} {
		e := opened(t, other.bundle(testrepo.BundleOptions{Data: fileData, Scheme: scheme, Preset: testrepo.GitHub}))
		if (claim{statement: new(Statement)}).isEarly(e) {
			t.Errorf("%s is early", scheme)
		}
	}
	plain := opened(t, other.bundle(testrepo.BundleOptions{Data: fileData, Plain: true}))
	if (claim{statement: new(Statement)}).isEarly(plain) {
		t.Error("a plain key is early")
	}
}

// The library tells stderr of each early signature, and of each wrong one on the
// larger curves. This test runs alone, as it holds the process's stderr.
func TestNothingIsPrinted(t *testing.T) {
	l := newLab(t)
	v := l.verifier(GitHub)
	var bundles [][]byte
	for _, o := range []testrepo.BundleOptions{{Digest: fileDigest[0]}, {Statement: statement(t, fileDigest)}} {
		o.Scheme, o.Preset = testrepo.P384, testrepo.GitHub
		bundles = append(bundles, l.bundle(o))
		o.Forgeries = []testrepo.BundleForgery{testrepo.WrongSignature}
		bundles = append(bundles, l.bundle(o))
	}
	r, w, err := os.Pipe()
	must(t, err)
	stderr := os.Stderr
	os.Stderr = w
	for _, data := range bundles {
		_, err = v.Verify(data, fileDigest)
	}
	os.Stderr = stderr
	must(t, w.Close())
	printed, readErr := io.ReadAll(r)
	must(t, readErr)
	if len(printed) > 0 || err == nil {
		t.Errorf("expected a quiet refusal, found %q, %v", printed, err)
	}
}

// steps accepts what the library's Verify accepts, with the same facts, and
// nothing that it refuses: early signatures depend on that.
func TestStepsAreThoseOfTheLibrary(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key := newKey(t, testrepo.ECDSA)
	plain := verifier(t, Profile{Name: "keys", Kind: Keys, Keys: [][]byte{key.PublicPEM()}, Root: l.TrustedRoot(), Least: Thresholds{LogEntries: 1, Times: 1}})
	for preset, kind := range kinds {
		for form, o := range forms(t) {
			for _, v := range []*Verifier{l.verifier(kind), plain} {
				o.Preset = preset
				if v == plain {
					o.Plain, o.Key, o.Proofs = true, key, &testrepo.Proofs{Log: testrepo.Rekor1, Timestamp: true}
				}
				e := opened(t, l.bundle(o))
				c, err := claimOf(e, fileDigest)
				must(t, err)
				j, err := v.judgeFor(e, c)
				must(t, err)
				want, err := j.check(e, c, v.signerPolicy())
				must(t, err)
				found, err := j.steps(e)
				must(t, err)
				if fmt.Sprint(found.times) != fmt.Sprint(want.times) || (found.certificate == nil) != (want.certificate == nil) ||
					found.certificate != nil && *found.certificate != *want.certificate {
					t.Errorf("%s %s: expected %+v, found %+v", preset, form, want, found)
				}
				if err, ok := j.diagnose(e, c, os.ErrInvalid).(*VerifyError); !ok || err.Kind != ErrSignature || err.Detail == "" {
					t.Errorf("%s %s: expected %v, found %v", preset, form, ErrSignature, err)
				}
			}
		}
	}
}
