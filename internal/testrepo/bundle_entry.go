package testrepo

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

// entry is what a log of a generation has of a signature.
func (x *signing) entry(version LogVersion) (*protorekor.KindVersion, []byte, error) {
	switch {
	case version == Rekor2:
		body, err := x.hashedRekord2()
		return &protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.2"}, body, err
	case x.opts.Statement != nil:
		body, err := x.dsseEntry()
		return &protorekor.KindVersion{Kind: "dsse", Version: "0.0.1"}, body, err
	default:
		body, err := x.hashedRekord1()
		return &protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.1"}, body, err
	}
}

// hashedRekord1 is a message signature in Rekor v1
// (https://github.com/sigstore/rekor/tree/main/pkg/types/hashedrekord/v0.0.1).
func (x *signing) hashedRekord1() ([]byte, error) {
	_, text := x.verifier()
	return canonical(map[string]any{
		"apiVersion": "0.0.1", "kind": "hashedrekord",
		"spec": map[string]any{
			"data":      map[string]any{"hash": textDigest(x.hash, x.digest)},
			"signature": map[string]any{"content": x.signature, "publicKey": map[string]any{"content": text}},
		},
	})
}

// dsseEntry is an envelope in Rekor v1
// (https://github.com/sigstore/rekor/tree/main/pkg/types/dsse/v0.0.1). The log
// keeps the digests of payload and envelope only.
func (x *signing) dsseEntry() ([]byte, error) {
	_, text := x.verifier()
	signature := base64.StdEncoding.EncodeToString(x.signature)
	envelope, err := canonical(map[string]any{
		"payload": x.opts.Statement, "payloadType": x.opts.PayloadType,
		"signatures": []dsse.Signature{{Sig: signature}},
	})
	if err != nil {
		return nil, err
	}
	sum := func(data []byte) map[string]any {
		digest := sha256.Sum256(data)
		return textDigest(crypto.SHA256, digest[:])
	}
	return canonical(map[string]any{
		"apiVersion": "0.0.1", "kind": "dsse",
		"spec": map[string]any{
			"envelopeHash": sum(envelope), "payloadHash": sum(x.opts.Statement),
			"signatures": []map[string]any{{"signature": signature, "verifier": text}},
		},
	})
}

// hashedRekord2 is either in Rekor v2: for an envelope, the digest is that of
// its encoding (https://github.com/sigstore/rekor-tiles, hashedrekord 0.0.2).
func (x *signing) hashedRekord2() ([]byte, error) {
	der, _ := x.verifier()
	form, err := x.key.scheme.form()
	if err != nil {
		return nil, err
	}
	verifier := map[string]any{"keyDetails": form.details.String()}
	if x.certificate != nil {
		verifier["x509Certificate"] = map[string]any{"rawBytes": der}
	} else {
		verifier["publicKey"] = map[string]any{"rawBytes": der}
	}
	return canonical(map[string]any{
		"apiVersion": "0.0.2", "kind": "hashedrekord",
		"spec": map[string]any{"hashedRekordV002": map[string]any{
			"data":      map[string]any{"algorithm": hashNames(x.hash).proto.String(), "digest": x.digest},
			"signature": map[string]any{"content": x.signature, "verifier": verifier},
		}},
	})
}

func textDigest(hash crypto.Hash, digest []byte) map[string]any {
	return map[string]any{"algorithm": hashNames(hash).text, "value": hex.EncodeToString(digest)}
}

// hashName is what Sigstore's formats call a hash.
type hashName struct {
	text  string
	proto protocommon.HashAlgorithm
}

func hashNames(hash crypto.Hash) hashName {
	switch hash {
	case crypto.SHA384:
		return hashName{"sha384", protocommon.HashAlgorithm_SHA2_384}
	case crypto.SHA512:
		return hashName{"sha512", protocommon.HashAlgorithm_SHA2_512}
	default:
		return hashName{"sha256", protocommon.HashAlgorithm_SHA2_256}
	}
}
