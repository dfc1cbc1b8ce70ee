package testrepo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"

	"assay/artifact"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
)

// SigningKey signs artifacts and statements, by itself or as the subject of a
// certificate. It signs as clients of Sigstore do: RSA keys with PKCS #1 v1.5,
// Ed25519 keys messages as Ed25519ph and statements as plain Ed25519.
type SigningKey struct {
	scheme  Scheme
	private crypto.Signer
	der     []byte // SubjectPublicKeyInfo
}

// keyForm is what depends on a key's scheme.
type keyForm struct {
	hash    crypto.Hash // of messages, where no digest is given
	details protocommon.PublicKeyDetails
}

func (s Scheme) form() (keyForm, error) {
	switch s {
	case ECDSA:
		return keyForm{crypto.SHA256, protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256}, nil
	case P384:
		return keyForm{crypto.SHA384, protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384}, nil
	case Ed25519:
		return keyForm{crypto.SHA512, protocommon.PublicKeyDetails_PKIX_ED25519_PH}, nil
	case RSA:
		return keyForm{crypto.SHA256, protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256}, nil
	default:
		return keyForm{}, fmt.Errorf("%w: scheme %q", ErrOptions, s)
	}
}

// NewSigningKey makes a random key.
func NewSigningKey(scheme Scheme) (*SigningKey, error) {
	var private crypto.Signer
	var err error
	switch scheme {
	case ECDSA:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case Ed25519:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case RSA:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		return nil, fmt.Errorf("%w: scheme %q", ErrOptions, scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("testrepo: make a %s key: %w", scheme, err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode a public key: %w", err)
	}
	return &SigningKey{scheme: scheme, private: private, der: der}, nil
}

// PublicPEM is the public key as a PEM file.
func (k *SigningKey) PublicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.der})
}

// Digest is the SHA-256 of the public key's SubjectPublicKeyInfo.
func (k *SigningKey) Digest() artifact.Digest { return artifact.DigestOf(artifact.SHA256, k.der) }

// Hint is what clients of Sigstore call the key by in a bundle: the same digest
// in base64.
func (k *SigningKey) Hint() string {
	sum := sha256.Sum256(k.der)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// signDigest signs a message by its digest.
func (k *SigningKey) signDigest(digest []byte, hash crypto.Hash) ([]byte, error) {
	signature, err := k.private.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, fmt.Errorf("%w: sign with %s and %s: %w", ErrOptions, k.scheme, hash, err)
	}
	return signature, nil
}

// signEnvelope signs the encoding of a statement.
func (k *SigningKey) signEnvelope(message []byte) ([]byte, error) {
	if k.scheme == Ed25519 {
		return k.signDigest(message, crypto.Hash(0))
	}
	form, err := k.scheme.form()
	if err != nil {
		return nil, err
	}
	return k.signDigest(digestBy(form.hash, message), form.hash)
}

func digestBy(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}
