package testrepo

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Scheme is a kind of signing key.
type Scheme string

// The schemes of the TUF specification, section 4.2.
const (
	Ed25519 Scheme = "ed25519"
	ECDSA   Scheme = "ecdsa-sha2-nistp256"
	P384    Scheme = "ecdsa-sha2-nistp384"
	RSA     Scheme = "rsassa-pss-sha256" // 2048 bits: slow to make, some 100 ms each
)

// Key is a private key with the public half as metadata lists it.
type Key struct {
	id     string
	public *metadata.Key
	signer signature.Signer
}

// NewKey makes a random key.
func NewKey(scheme Scheme) (*Key, error) {
	var signer signature.Signer
	switch scheme {
	case Ed25519:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("testrepo: make a %s key: %w", scheme, err)
		}
		if signer, err = signature.LoadED25519Signer(private); err != nil {
			return nil, fmt.Errorf("testrepo: load a %s key: %w", scheme, err)
		}
	case ECDSA, P384:
		curve, hash := elliptic.P256(), crypto.SHA256
		if scheme == P384 {
			curve, hash = elliptic.P384(), crypto.SHA384
		}
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("testrepo: make a %s key: %w", scheme, err)
		}
		if signer, err = signature.LoadECDSASigner(private, hash); err != nil {
			return nil, fmt.Errorf("testrepo: load a %s key: %w", scheme, err)
		}
	case RSA:
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("testrepo: make a %s key: %w", scheme, err)
		}
		salt := &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: rsa.PSSSaltLengthEqualsHash}
		if signer, err = signature.LoadRSAPSSSigner(private, crypto.SHA256, salt); err != nil {
			return nil, fmt.Errorf("testrepo: load a %s key: %w", scheme, err)
		}
	default:
		return nil, fmt.Errorf("%w: scheme %q", ErrOptions, scheme)
	}
	return keyOf(scheme, signer)
}

func keyOf(scheme Scheme, signer signature.Signer) (*Key, error) {
	public, err := signer.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("testrepo: public half of a key: %w", err)
	}
	listed, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("testrepo: public half of a key: %w", err)
	}
	listed.Scheme = string(scheme) // go-tuf takes every ECDSA key for a P-256 one
	id, err := listed.ID()
	if err != nil {
		return nil, fmt.Errorf("testrepo: identifier of a key: %w", err)
	}
	return &Key{id: id, public: listed, signer: signer}, nil
}

// ID is the key's identifier in metadata, 64 hex digits.
func (k *Key) ID() string { return k.id }

// Public is the key as metadata lists it, for a Forgery that adds it
// somewhere. It must not be changed.
func (k *Key) Public() *metadata.Key { return k.public }

// Sign signs a message, which for metadata is the canonical JSON of its
// "signed" part.
func (k *Key) Sign(message []byte) ([]byte, error) {
	return k.signer.SignMessage(bytes.NewReader(message))
}

// newKeys makes n keys of the scheme.
func newKeys(scheme Scheme, n int) ([]*Key, error) {
	keys := make([]*Key, n)
	for i := range keys {
		key, err := NewKey(scheme)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}
