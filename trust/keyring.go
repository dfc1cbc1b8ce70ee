package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/internal/strictjson"
)

// keyring is who may sign a role, in the words of one delegator.
type keyring struct {
	role      string
	keys      map[string]*metadata.Key
	ids       []string
	threshold int
}

// ringID names a keyring's content, so that a document need not be verified
// twice for the same one.
type ringID [sha256.Size]byte

// signersSet is who was found to have signed: the ids of the keys.
type signersSet struct{ ids []string }

// enoughBytes is from where on the signatures beyond the threshold are left
// unread: each costs a pass over the document.
const enoughBytes = 1 << 20

func (d *document) ring(role string) keyring {
	r := d.root.Roles[role]
	return keyring{role: role, keys: d.root.Keys, ids: r.KeyIDs, threshold: r.Threshold}
}

// id depends on the values of the keys, not only on their names.
func (k keyring) id() ringID {
	h := sha256.New()
	number := func(n int) { h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	number(k.threshold)
	number(len(k.ids))
	for _, id := range k.ids {
		words := []string{id}
		if key := k.keys[id]; key != nil {
			words = append(words, key.Type, key.Scheme, key.Value.PublicKey)
		}
		// With their number in front no two keyrings are written alike.
		number(len(words))
		for _, word := range words {
			number(len(word))
			h.Write([]byte(word))
		}
	}
	return ringID(h.Sum(nil))
}

// verify checks that a threshold of the keyring's keys have signed the document
// (specification 1.0, section 4.2.1 and 5.3.4). Keys are counted by their value,
// so that one that is listed under two ids counts once. A key that is missing,
// or of a kind that assay doesn't know, counts as one that has not signed. It
// returns the ids of those that have; beyond the threshold, of a large document,
// no more are looked at.
func (k keyring) verify(d *document) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ring := k.id()
	if known := d.verified[ring]; known != nil {
		return known.ids, nil
	}
	if k.threshold < 1 {
		return nil, fmt.Errorf("%s %d: %w: expected a threshold of at least 1, found %d", d.role, d.version, ErrSignature, k.threshold)
	}
	payload, err := d.canonical()
	if err != nil {
		return nil, err
	}
	signers := &signersSet{}
	counted, asked := map[[sha256.Size]byte]bool{}, map[string]bool{}
	for _, id := range k.ids {
		if asked[id] || len(d.signatures[id]) == 0 {
			continue
		}
		asked[id] = true
		if len(counted) >= k.threshold && len(payload) > enoughBytes {
			break
		}
		value, ok := checkSignature(k.keys[id], payload, d.signatures[id])
		if ok && !counted[value] {
			counted[value] = true
			signers.ids = append(signers.ids, id)
		}
	}
	if len(counted) < k.threshold {
		return nil, fmt.Errorf("%s %d: %w: expected those of %d of %d keys, found %d", d.role, d.version, ErrSignature, k.threshold, len(k.ids), len(counted))
	}
	d.verified[ring] = signers
	return signers.ids, nil
}

// canonical is the form of the signed part that signatures are over. It is a
// part of the document itself where that is written so. d.mu is held.
func (d *document) canonical() ([]byte, error) {
	if d.payload == nil {
		payload, err := strictjson.Canonical(d.signed)
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w: %w", d.role, d.version, ErrMalformed, err)
		}
		d.payload = payload
	}
	return d.payload, nil
}

// content is the digest of the signed part alone: the same content signed again
// keeps it.
func (d *document) content() (artifact.Digest, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.digest.IsZero() {
		return d.digest, nil
	}
	payload, err := d.canonical()
	if err != nil {
		return artifact.Digest{}, err
	}
	d.digest = artifact.DigestOf(artifact.SHA256, payload)
	return d.digest, nil
}

// letGo frees the canonical form, which may be as large as the document.
func (d *document) letGo() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.payload = nil
}

// checkSignature reports whether sig is the key's signature over payload, and a
// fingerprint of the key's value. The schemes are those of section 4.2.2, and
// ECDSA with P-384 and SHA-384.
func checkSignature(key *metadata.Key, payload, sig []byte) (value [sha256.Size]byte, ok bool) {
	public, value, err := publicKey(key)
	if err != nil {
		return value, false
	}
	switch public := public.(type) {
	case ed25519.PublicKey:
		return value, key.Scheme == metadata.KeySchemeEd25519 && ed25519.Verify(public, payload, sig)
	case *ecdsa.PublicKey:
		switch {
		case key.Scheme == metadata.KeySchemeECDSA_SHA2_P256 && public.Curve == elliptic.P256():
			return value, ecdsa.VerifyASN1(public, hashed(crypto.SHA256, payload), sig)
		case key.Scheme == metadata.KeySchemeECDSA_SHA2_P384 && public.Curve == elliptic.P384():
			return value, ecdsa.VerifyASN1(public, hashed(crypto.SHA384, payload), sig)
		}
	case *rsa.PublicKey:
		if key.Scheme == metadata.KeySchemeRSASSA_PSS_SHA256 && public.Size() >= minRSA && public.Size() <= maxRSA {
			options := &rsa.PSSOptions{Hash: crypto.SHA256}
			return value, rsa.VerifyPSS(public, crypto.SHA256, hashed(crypto.SHA256, payload), sig, options) == nil
		}
	}
	return value, false
}

// The bounds of RSA's modulus, in bytes, 2048 and 8192 bits, and of a key's text.
// What is longer only costs time: to check a signature of 2^18 bits takes seconds.
const (
	minRSA     = 256
	maxRSA     = 1024
	maxKeyText = 8 << 10
)

func hashed(algorithm crypto.Hash, payload []byte) []byte {
	h := algorithm.New()
	h.Write(payload)
	return h.Sum(nil)
}

// publicKey reads a key with go-tuf, and gives a fingerprint of its value.
func publicKey(key *metadata.Key) (public crypto.PublicKey, value [sha256.Size]byte, err error) {
	if key == nil {
		return nil, value, errors.New("expected a key, found none")
	}
	if len(key.Value.PublicKey) > maxKeyText {
		return nil, value, fmt.Errorf("expected a key of at most %d bytes, found more", maxKeyText)
	}
	known := *key
	if slices.Contains(p384Types, known.Type) {
		known.Type = metadata.KeyTypeECDSA_SHA2_P256 // go-tuf names all of ECDSA so
	}
	err = guard(func() error {
		if public, err = known.ToPublicKey(); err != nil {
			return err
		}
		if short, ok := public.(ed25519.PublicKey); ok && len(short) != ed25519.PublicKeySize {
			return fmt.Errorf("expected an Ed25519 key of %d bytes, found %d", ed25519.PublicKeySize, len(short))
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		value = sha256.Sum256(der)
		return err
	})
	return public, value, err
}

var p384Types = []string{"ecdsa-sha2-nistp384"}
