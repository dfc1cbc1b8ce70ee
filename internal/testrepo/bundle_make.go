package testrepo

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"time"

	"assay/artifact"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
)

// signing is a bundle in the making.
type signing struct {
	opts        BundleOptions
	key         *SigningKey       // the one that verifies
	certificate *x509.Certificate // nil for a plain key
	hash        crypto.Hash       // of digest
	digest      []byte            // of the message, or of the envelope's encoding
	signature   []byte
	observed    time.Time // by log and timestamp authority
}

// Bundle signs, and returns the bundle as a file (.sigstore.json). Errors about
// options wrap ErrOptions.
func (s *Sigstore) Bundle(opts BundleOptions) ([]byte, error) {
	opts, err := opts.withDefaults(s.now())
	if err != nil {
		return nil, err
	}
	x, err := s.begin(opts)
	if err != nil {
		return nil, err
	}
	bundle, err := x.bundle()
	if err != nil {
		return nil, err
	}
	if err := s.prove(x, bundle.VerificationMaterial); err != nil {
		return nil, err
	}
	return encodeProto(bundle)
}

// begin signs and has the key certified.
func (s *Sigstore) begin(opts BundleOptions) (*signing, error) {
	x := &signing{opts: opts, key: opts.Key, observed: opts.SignedAt}
	switch {
	case x.forged(SignedEarly):
		x.observed = opts.SignedAt.Add(-time.Hour)
	case x.forged(SignedLate):
		x.observed = opts.SignedAt.Add(time.Hour)
	}
	if err := x.sign(); err != nil || opts.Plain {
		return x, err
	}
	var err error
	x.certificate, err = s.certify(x)
	return x, err
}

// another is a good signature over the same by another key, for which there is
// a good certificate.
func (s *Sigstore) another(x *signing) (*signing, error) {
	opts := x.opts
	opts.Forgeries = nil
	var err error
	if opts.Key, err = NewSigningKey(x.key.scheme); err != nil {
		return nil, err
	}
	other, err := s.begin(opts)
	if err != nil {
		return nil, err
	}
	other.opts.Forgeries, other.observed = x.opts.Forgeries, x.observed // what comes later is forged as told
	return other, nil
}

// sign makes digest and signature.
func (x *signing) sign() error {
	form, err := x.key.scheme.form()
	if err != nil {
		return err
	}
	x.hash = form.hash
	signer := x.key
	if x.forged(WrongSignature) {
		if signer, err = NewSigningKey(x.key.scheme); err != nil {
			return err
		}
	}
	if x.opts.Statement != nil {
		encoding := dsse.PAE(x.opts.PayloadType, x.opts.Statement)
		x.digest = digestBy(x.hash, encoding)
		x.signature, err = signer.signEnvelope(encoding)
		return err
	}
	x.digest = digestBy(x.hash, x.opts.Data)
	if !x.opts.Digest.IsZero() {
		if x.hash, x.digest, err = rawDigest(x.opts.Digest); err != nil {
			return err
		}
	}
	x.signature, err = signer.signDigest(x.digest, x.hash)
	return err
}

// rawDigest is a digest as crypto has it.
func rawDigest(d artifact.Digest) (crypto.Hash, []byte, error) {
	raw, err := hex.DecodeString(d.Hex())
	if err != nil {
		return 0, nil, fmt.Errorf("testrepo: decode a digest: %w", err)
	}
	if d.Algorithm() == artifact.SHA512 {
		return crypto.SHA512, raw, nil
	}
	return crypto.SHA256, raw, nil
}

// certify issues the certificate for the key.
func (s *Sigstore) certify(x *signing) (*x509.Certificate, error) {
	from := s.real
	if x.forged(ForeignCertificate) {
		from = s.twin
	}
	usage := x509.ExtKeyUsageCodeSigning
	if x.forged(WrongKeyUsage) {
		usage = x509.ExtKeyUsageClientAuth
	}
	var sct *sctSigner
	if x.opts.Proofs.SCT {
		id, err := keyID(s.real.ctLog)
		if err != nil {
			return nil, err
		}
		sct = &sctSigner{logID: id, key: s.real.ctLog}
		if x.forged(ForeignSCT) {
			sct.key = s.twin.ctLog
		}
	}
	return from.fulcio.leaf(x.opts.Claims, x.key.private.Public(), x.opts.SignedAt.Add(-time.Second), usage, sct)
}

// bundle is all but the proofs.
func (x *signing) bundle() (*protobundle.Bundle, error) {
	material := &protobundle.VerificationMaterial{}
	bundle := &protobundle.Bundle{
		MediaType: "application/vnd.dev.sigstore.bundle+json;version=" + x.opts.Version, VerificationMaterial: material,
	}
	if x.opts.Version == "0.3" {
		bundle.MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	}
	switch {
	case x.opts.Plain:
		material.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: x.opts.Hint}}
	case x.opts.Version == "0.3":
		material.Content = &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: x.certificate.Raw}}
	default:
		material.Content = &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
			Certificates: []*protocommon.X509Certificate{{RawBytes: x.certificate.Raw}},
		}}
	}
	if x.opts.Statement == nil {
		message, err := x.message()
		bundle.Content = &protobundle.Bundle_MessageSignature{MessageSignature: message}
		return bundle, err
	}
	envelope, err := x.envelope()
	bundle.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: envelope}
	return bundle, err
}

// message is the signature over an artifact's bytes.
func (x *signing) message() (*protocommon.MessageSignature, error) {
	hash, digest := x.hash, x.digest
	if !x.opts.Stated.IsZero() {
		var err error
		if hash, digest, err = rawDigest(x.opts.Stated); err != nil {
			return nil, err
		}
	}
	return &protocommon.MessageSignature{
		MessageDigest: &protocommon.HashOutput{Algorithm: hashNames(hash).proto, Digest: digest},
		Signature:     x.signature,
	}, nil
}

// envelope is the signed statement.
func (x *signing) envelope() (*protodsse.Envelope, error) {
	envelope := &protodsse.Envelope{
		Payload: x.opts.Statement, PayloadType: x.opts.PayloadType, Signatures: []*protodsse.Signature{{Sig: x.signature}},
	}
	if x.forged(TwoSignatures) {
		other, err := NewSigningKey(ECDSA)
		if err != nil {
			return nil, err
		}
		second, err := other.signEnvelope(dsse.PAE(x.opts.PayloadType, x.opts.Statement))
		if err != nil {
			return nil, err
		}
		envelope.Signatures = append(envelope.Signatures, &protodsse.Signature{Sig: second})
	}
	return envelope, nil
}

// prove has the signature logged and stamped.
func (s *Sigstore) prove(x *signing, into *protobundle.VerificationMaterial) error {
	logged, stamped := x, x
	if x.forged(OtherEntry) || x.forged(OtherTimestamp) {
		other, err := s.another(x)
		if err != nil {
			return err
		}
		if x.forged(OtherEntry) {
			logged = other
		}
		if x.forged(OtherTimestamp) {
			stamped = other
		}
	}
	for _, version := range x.opts.Proofs.logs() {
		log, twin := s.real.rekor[version], s.twin.rekor[version]
		if x.forged(UnknownLog) {
			log = twin
		}
		entry, err := log.enter(logged, twin)
		if err != nil {
			return err
		}
		into.TlogEntries = append(into.TlogEntries, entry)
	}
	if !x.opts.Proofs.Timestamp {
		return nil
	}
	authority := s.real.timestamp
	if x.forged(ForeignTimestamp) {
		authority = s.twin.timestamp
	}
	response, err := authority.stamp(stamped.signature, x.observed)
	if err != nil {
		return err
	}
	into.TimestampVerificationData = &protobundle.TimestampVerificationData{
		Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: response}},
	}
	return nil
}

// verifier is the certificate, or the key, as DER and as PEM.
func (x *signing) verifier() (der, text []byte) {
	if x.certificate == nil {
		return x.key.der, x.key.PublicPEM()
	}
	return x.certificate.Raw, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.certificate.Raw})
}
