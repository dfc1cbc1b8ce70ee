package provenance

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// isEarly reports whether a certificate on P-384 or P-521 signed over SHA-256, as
// early clients did (for CPython's releases until August 2024 still), and whether
// that signature is right. The library takes such signatures in its Verify, too,
// but writes a line to stderr for each, as it does for any wrong signature by such
// a certificate.
func (c claim) isEarly(e *entity) bool {
	leaf := e.content.Certificate()
	if leaf == nil {
		return false
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
		return false
	}
	verifier, err := signature.LoadECDSAVerifier(key, crypto.SHA256)
	return err == nil && c.checkBy(e, verifier) == nil
}

// checkBy checks the bundle's signature by the given verifier.
func (c claim) checkBy(e *entity, verifier signature.Verifier) error {
	raw := bytes.NewReader(e.signature.Signature())
	if c.statement == nil {
		return verifier.VerifySignature(raw, bytes.NewReader(nil), options.WithDigest(c.itself[0].Digest))
	}
	envelope := e.Bundle.GetDsseEnvelope()
	return verifier.VerifySignature(raw, bytes.NewReader(dsse.PAE(envelope.GetPayloadType(), envelope.GetPayload())))
}
