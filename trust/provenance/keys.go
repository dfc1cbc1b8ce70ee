package provenance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore/pkg/signature"

	"assay/artifact"
)

// Limits of the keys of a profile.
const (
	maxKeys     = 64       // keys
	maxKeyBytes = 16 << 10 // of one key's PEM; RSA keys of 4096 bits have 800
)

// errKeyForm is the reason within ErrProfile for a malformed key.
var errKeyForm = errors.New("not a public key")

// publicKey is one key of a profile.
type publicKey struct {
	key    crypto.PublicKey
	digest artifact.Digest // of its SubjectPublicKeyInfo
}

// KeyDigest is the name by which a key is known: the SHA-256 of its
// SubjectPublicKeyInfo in DER, always in the same encoding. The text must be one
// PEM block "PUBLIC KEY" of at most 16 KiB with a key for ECDSA (P-256, P-384,
// P-521), Ed25519, or RSA of 2048, 3072 or 4096 bits. The error wraps ErrProfile.
func KeyDigest(text []byte) (artifact.Digest, error) {
	k, err := parseKey(text)
	if err != nil {
		return artifact.Digest{}, fmt.Errorf("%w: %w", ErrProfile, err)
	}
	return k.digest, nil
}

func parseKey(text []byte) (publicKey, error) {
	if len(text) > maxKeyBytes {
		return publicKey{}, fmt.Errorf("%w: expected at most %d bytes, found %d", errKeyForm, maxKeyBytes, len(text))
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "" {
		return publicKey{}, fmt.Errorf("%w: expected one PEM block %q", errKeyForm, "PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return publicKey{}, fmt.Errorf("%w: expected a SubjectPublicKeyInfo: %s", errKeyForm, quote(err.Error()))
	}
	if _, err := signature.LoadDefaultVerifier(key); err != nil {
		return publicKey{}, fmt.Errorf("%w: expected ECDSA, Ed25519, or RSA of 2048, 3072 or 4096 bits: %s", errKeyForm, quote(err.Error()))
	}
	// Written anew, so that another encoding of the same key is the same key.
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return publicKey{}, fmt.Errorf("%w: %s", errKeyForm, quote(err.Error()))
	}
	return publicKey{key: key, digest: artifact.DigestOf(artifact.SHA256, der)}, nil
}

// parseKeys reads the keys of a profile, each value once.
func parseKeys(texts [][]byte) ([]publicKey, error) {
	if len(texts) == 0 || len(texts) > maxKeys {
		return nil, fmt.Errorf("%w: expected 1 to %d keys, found %d", errKeyForm, maxKeys, len(texts))
	}
	var keys []publicKey
	seen := map[artifact.Digest]bool{}
	for i, text := range texts {
		k, err := parseKey(text)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if !seen[k.digest] {
			seen[k.digest] = true
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// verifiers are the ways in which the key may have signed. For a message they
// depend on the algorithm of its digest, which is all the library gets to see:
// it would hand an Ed25519 verifier an empty message instead, and a signature
// over nothing would vouch for everything. So Ed25519 means Ed25519ph there.
func (k publicKey) verifiers(message artifact.Algorithm) []signature.Verifier {
	var found []signature.Verifier
	add := func(v signature.Verifier, err error) {
		if err == nil {
			found = append(found, v)
		}
	}
	early := false // early clients signed by SHA-256 whatever the curve
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		early = key.Curve != elliptic.P256()
		if message == artifact.SHA512 && key.Curve == elliptic.P521() {
			add(signature.LoadECDSAVerifier(key, crypto.SHA512))
		}
		if message == artifact.SHA256 {
			add(signature.LoadECDSAVerifier(key, crypto.SHA256))
		}
	case ed25519.PublicKey:
		if message == artifact.SHA512 {
			add(signature.LoadED25519phVerifier(key))
		}
	case *rsa.PublicKey:
		if message == artifact.SHA256 {
			add(signature.LoadRSAPKCS1v15Verifier(key, crypto.SHA256))
		}
	}
	if message == "" {
		add(signature.LoadDefaultVerifier(k.key))
		if early {
			add(signature.LoadVerifier(k.key, crypto.SHA256))
		}
	}
	return found
}

// isHinted reports whether a bundle's hint names the key: by the SHA-256 of its
// SubjectPublicKeyInfo in base64 or hex, as clients write it. A hint is not
// signed; it only makes an error more exact.
func (k publicKey) isHinted(hint string) bool {
	_, name, found := strings.Cut(hint, ":")
	if !found {
		name = hint
	}
	raw, err := hex.DecodeString(name)
	if err != nil {
		raw, _ = base64.RawStdEncoding.DecodeString(strings.TrimRight(name, "="))
	}
	return hex.EncodeToString(raw) == k.digest.Hex()
}
