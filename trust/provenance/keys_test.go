package provenance

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
	"assay/internal/testrepo"
)

func newKey(t testing.TB, scheme testrepo.Scheme) *testrepo.SigningKey {
	t.Helper()
	key, err := testrepo.NewSigningKey(scheme)
	must(t, err)
	return key
}

func keyVerifier(t testing.TB, keys ...*testrepo.SigningKey) *Verifier {
	t.Helper()
	p := Profile{Name: "keys", Kind: Keys}
	for _, key := range keys {
		p.Keys = append(p.Keys, key.PublicPEM())
	}
	return verifier(t, p)
}

func TestPlainKeys(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, scheme := range []testrepo.Scheme{testrepo.ECDSA, testrepo.P384, testrepo.Ed25519, testrepo.RSA} {
		t.Run(string(scheme), func(t *testing.T) {
			key, other := newKey(t, scheme), newKey(t, testrepo.ECDSA)
			v := keyVerifier(t, other, key)
			for form, o := range forms(t) {
				o.Key, o.Plain, o.Hint = key, true, "whatever it says"
				if form == "message" && scheme == testrepo.P384 {
					o.Data, o.Digest = nil, fileDigest[0]
				}
				data := l.bundle(o)
				s, err := v.Verify(data, fileDigest)
				must(t, err)
				if s.Signer != (Signer{Key: key.Digest().String()}) || s.Kind != Keys || s.Root != v.Root() || len(s.Times) != 0 {
					t.Errorf("found %+v", s)
				}
				refused(t, v, data, otherFile, ErrDigest)
				refused(t, keyVerifier(t, other), data, fileDigest, ErrKey)
			}
		})
	}
}

// Who signed is told from the signature. The hint only says whether a wrong
// signature is one by a key that is believed.
func TestHints(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key := newKey(t, testrepo.ECDSA)
	v := keyVerifier(t, key, newKey(t, testrepo.Ed25519))
	raw, err := hex.DecodeString(key.Digest().Hex())
	must(t, err)
	for hint, kind := range map[string]error{
		key.Hint(): ErrSignature, "SHA256:" + base64.RawStdEncoding.EncodeToString(raw): ErrSignature, key.Digest().String(): ErrSignature,
		strings.ToUpper(key.Digest().Hex()): ErrSignature, "key-1": ErrKey, "AAAA": ErrKey, "!": ErrKey,
	} {
		o := testrepo.BundleOptions{Data: fileData, Key: key, Plain: true, Hint: hint, Forgeries: []testrepo.BundleForgery{testrepo.WrongSignature}}
		refused(t, v, l.bundle(o), fileDigest, kind)
	}
}

func TestKeysAndCertificatesAreNotExchanged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key := newKey(t, testrepo.ECDSA)
	certified := l.bundle(testrepo.BundleOptions{Data: fileData, Key: key, Preset: testrepo.GitHub})
	refused(t, keyVerifier(t, key), certified, fileDigest, ErrInapplicable)
	plain := l.bundle(testrepo.BundleOptions{Data: fileData, Key: key, Plain: true, Preset: testrepo.GitHub})
	refused(t, l.verifier(GitHub), plain, fileDigest, ErrInapplicable)
}

// A plain Ed25519 signature over nothing: a verifier that is handed a digest and
// no message, as the library does, would take it for one over every artifact.
func TestEd25519OverNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	v := verifier(t, Profile{Name: "keys", Kind: Keys, Keys: [][]byte{encodeKey(t, public)}})
	o := testrepo.BundleOptions{Digest: fileDigest[1], Key: newKey(t, testrepo.Ed25519), Plain: true}
	nothing := base64.StdEncoding.EncodeToString(ed25519.Sign(private, nil))
	replaced := edited(t, l.bundle(o), func(b object) { at(b, "messageSignature")["signature"] = nothing })
	refused(t, v, replaced, fileDigest, ErrKey)
	short := edited(t, replaced, func(b object) {
		digest := at(b, "messageSignature", "messageDigest")
		digest["algorithm"], digest["digest"] = "SHA2_256", base64.StdEncoding.EncodeToString(rawOf(t, fileDigest[0]))
	})
	refused(t, v, short, fileDigest, ErrKey)
	sum := sha512.Sum512(fileData)
	good, err := private.Sign(rand.Reader, sum[:], &ed25519.Options{Hash: 7})
	must(t, err)
	_, err = v.Verify(edited(t, replaced, func(b object) {
		at(b, "messageSignature")["signature"] = base64.StdEncoding.EncodeToString(good)
	}), fileDigest)
	must(t, err)
}

func rawOf(t testing.TB, d artifact.Digest) []byte {
	t.Helper()
	raw, err := hex.DecodeString(d.Hex())
	must(t, err)
	return raw
}

func encodeKey(t testing.TB, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// P-521 keys sign messages over SHA-512, or over SHA-256.
func TestP521(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	private, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	must(t, err)
	v := verifier(t, Profile{Name: "keys", Kind: Keys, Keys: [][]byte{encodeKey(t, &private.PublicKey)}})
	for _, d := range fileDigest {
		signature, err := ecdsa.SignASN1(rand.Reader, private, rawOf(t, d))
		must(t, err)
		key := newKey(t, testrepo.ECDSA)
		if d.Algorithm() == artifact.SHA512 {
			key = newKey(t, testrepo.Ed25519)
		}
		data := edited(t, l.bundle(testrepo.BundleOptions{Digest: d, Key: key, Plain: true}), func(o object) {
			at(o, "messageSignature")["signature"] = base64.StdEncoding.EncodeToString(signature)
		})
		s, err := v.Verify(data, fileDigest)
		must(t, err)
		if s.Artifact != d {
			t.Errorf("expected %s, found %s", d, s.Artifact)
		}
	}
}

// With a trusted root, a profile of keys can ask for log entries and times.
func TestKeysWithRoot(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key := newKey(t, testrepo.ECDSA)
	with := func(least Thresholds) *Verifier {
		return verifier(t, Profile{Name: "keys", Kind: Keys, Keys: [][]byte{key.PublicPEM()}, Root: l.TrustedRoot(), Least: least})
	}
	bare := l.bundle(testrepo.BundleOptions{Data: fileData, Key: key, Plain: true})
	logged := testrepo.BundleOptions{Data: fileData, Key: key, Plain: true, Proofs: &testrepo.Proofs{Log: testrepo.Rekor1, Timestamp: true}}
	if _, err := with(Thresholds{}).Verify(bare, fileDigest); err != nil {
		t.Error(err)
	}
	refused(t, with(Thresholds{LogEntries: 1}), bare, fileDigest, ErrLog)
	refused(t, with(Thresholds{Times: 1}), bare, fileDigest, ErrTime)
	refused(t, with(Thresholds{SignedTimestamps: 1}), bare, fileDigest, ErrTime)
	s, err := with(Thresholds{LogEntries: 1, Times: 2, SignedTimestamps: 1}).Verify(l.bundle(logged), fileDigest)
	must(t, err)
	if len(s.Logged) != 1 || len(s.Times) != 2 {
		t.Errorf("expected a log entry and two times, found %+v", s)
	}
	logged.Forgeries = []testrepo.BundleForgery{testrepo.OtherEntry}
	refused(t, with(Thresholds{}), l.bundle(logged), fileDigest, ErrLog)
}

// A key is its value: a second encoding or name of it is no second key.
func TestKeyDigest(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	text := encodeKey(t, &private.PublicKey)
	want, err := KeyDigest(text)
	must(t, err)
	padded := append([]byte("a comment\n\n"), append(text, " \n"...)...)
	for name, other := range map[string][]byte{"padded": padded, "twice the same": text} {
		found, err := KeyDigest(other)
		if err != nil || found != want {
			t.Errorf("%s: expected %s, found %s, %v", name, want, found, err)
		}
	}
	v, err := parseKeys([][]byte{text, padded})
	if err != nil || len(v) != 1 {
		t.Errorf("expected one key, found %d, %v", len(v), err)
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	good := newKey(t, testrepo.ECDSA).PublicPEM()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	if _, err := parseKeys(slices.Repeat([][]byte{good}, maxKeys)); err != nil {
		t.Error(err)
	}
	_, err = KeyDigest(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}))
	if err == nil || !strings.Contains(err.Error(), "expected a SubjectPublicKeyInfo") {
		t.Errorf("found %v", err)
	}
	for name, keys := range map[string][][]byte{
		"none":        nil,
		"too many":    slices.Repeat([][]byte{good}, maxKeys+1),
		"empty":       {nil},
		"no PEM":      {[]byte("key")},
		"two in one":  {append(append([]byte{}, good...), good...)},
		"another PEM": {[]byte(strings.ReplaceAll(string(good), "PUBLIC KEY", "CERTIFICATE"))},
		"no key":      {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})},
		"too long":    {append([]byte(strings.Repeat("\n", maxKeyBytes)), good...)},
		"weak RSA":    {encodeKey(t, &weak.PublicKey)},
		"small curve": {encodeKey(t, &small.PublicKey)},
	} {
		if _, err := NewVerifier(Profile{Name: "keys", Kind: Keys, Keys: keys}); !errors.Is(err, ErrProfile) || !errors.Is(err, errKeyForm) {
			t.Errorf("%s: expected %v, found %v", name, errKeyForm, err)
		}
	}
	if _, err := KeyDigest([]byte("key")); !errors.Is(err, ErrProfile) {
		t.Errorf("expected %v, found %v", ErrProfile, err)
	}
}
