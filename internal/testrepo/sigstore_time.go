package testrepo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"time"

	"github.com/digitorus/timestamp"
)

// timestampAuthority says when it has seen a signature (RFC 3161).
type timestampAuthority struct {
	*authority
	leaf *x509.Certificate
	key  *ecdsa.PrivateKey // of the leaf
}

func newTimestampAuthority(now time.Time) (*timestampAuthority, error) {
	a, err := newAuthority("sigstore-tsa", x509.ExtKeyUsageTimeStamping, now)
	if err != nil {
		return nil, err
	}
	key, err := newP256()
	if err != nil {
		return nil, err
	}
	// The key's purpose must be critical, and no other (RFC 3161, section 2.3);
	// crypto/x509 by itself does not mark it so.
	purpose, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode a key's purpose: %w", err)
	}
	leaf, err := issue(&x509.Certificate{
		Subject:   pkix.Name{CommonName: "sigstore-tsa-leaf", Organization: []string{"sigstore.example"}},
		NotBefore: earliest(now), NotAfter: latest(now), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: purpose}},
	}, a.intermediate, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return &timestampAuthority{authority: a, leaf: leaf, key: key}, nil
}

// stamp is a response over a signature.
func (a *timestampAuthority) stamp(signature []byte, at time.Time) ([]byte, error) {
	digest := sha256.Sum256(signature)
	token := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Time: at.UTC(),
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
	}
	response, err := token.CreateResponseWithOpts(a.leaf, a.key, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("testrepo: make a timestamp: %w", err)
	}
	return response, nil
}
