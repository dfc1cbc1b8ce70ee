package provenance

import (
	"encoding/asn1"
	"fmt"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"assay/internal/strictjson"
)

// Limits within a bundle, far above what is met (in brackets), so that no part
// keeps a parser busy. Entries and timestamps have the library's own limits.
const (
	maxEntries     = 32
	maxTimestamps  = 32
	maxCertificate = 64 << 10  // bytes (1 KB)
	maxChain       = 16        // certificates in a bundle of version 0.1 or 0.2 (3)
	maxSignature   = 4 << 10   // bytes (100, RSA 512)
	maxHint        = 1 << 10   // bytes (44)
	maxBody        = 256 << 10 // bytes of a log entry (4 KB)
	maxBodyDepth   = 32        // levels of its JSON (7)
	maxCheckpoint  = 64 << 10  // bytes (300)
	maxHashes      = 64        // of a proof of inclusion, as a tree has 2^63 leaves at most
	maxTimestamp   = 64 << 10  // bytes (6 KB)
	maxDERDepth    = 32        // levels of its ASN.1 (15)
)

// checkSizes refuses a bundle of which a part is beyond the limits.
func checkSizes(message *protobundle.Bundle) error {
	material := message.GetVerificationMaterial()
	chain := material.GetX509CertificateChain().GetCertificates()
	timestamps := material.GetTimestampVerificationData().GetRfc3161Timestamps()
	sizes := []size{
		{"log entries", len(material.GetTlogEntries()), maxEntries},
		{"timestamps", len(timestamps), maxTimestamps},
		{"certificates", len(chain), maxChain},
		{"bytes of certificate", len(material.GetCertificate().GetRawBytes()), maxCertificate},
		{"bytes of the key's hint", len(material.GetPublicKey().GetHint()), maxHint},
		{"bytes of signature", len(message.GetMessageSignature().GetSignature()), maxSignature},
	}
	for _, certificate := range chain {
		sizes = append(sizes, size{"bytes of certificate", len(certificate.GetRawBytes()), maxCertificate})
	}
	for _, signature := range message.GetDsseEnvelope().GetSignatures() {
		sizes = append(sizes, size{"bytes of signature", len(signature.GetSig()), maxSignature})
	}
	for _, timestamp := range timestamps {
		sizes = append(sizes, size{"bytes of timestamp", len(timestamp.GetSignedTimestamp()), maxTimestamp})
	}
	for _, entry := range material.GetTlogEntries() {
		sizes = append(sizes, entrySizes(entry)...)
	}
	for _, s := range sizes {
		if s.has > s.limit {
			return refuse(ErrTooLarge, fmt.Sprintf("at most %d %s", s.limit, s.what), fmt.Sprint(s.has))
		}
	}
	for _, timestamp := range timestamps {
		if err := checkDER(timestamp.GetSignedTimestamp(), maxDERDepth); err != nil {
			return refuse(ErrMalformed, fmt.Sprintf("a timestamp in DER of at most %d levels", maxDERDepth), "none").because(err)
		}
	}
	return checkBodies(material.GetTlogEntries())
}

// size is one part of a bundle and its limit.
type size struct {
	what       string
	has, limit int
}

func entrySizes(entry *protorekor.TransparencyLogEntry) []size {
	proof := entry.GetInclusionProof()
	return []size{
		{"bytes of log entry", len(entry.GetCanonicalizedBody()), maxBody},
		{"bytes of the log's promise", len(entry.GetInclusionPromise().GetSignedEntryTimestamp()), maxSignature},
		{"bytes of checkpoint", len(proof.GetCheckpoint().GetEnvelope()), maxCheckpoint},
		{"hashes in a proof of inclusion", len(proof.GetHashes()), maxHashes},
	}
}

// checkBodies screens what the logs hold before the library's parsers see it:
// three of them read it, each in its own way.
func checkBodies(entries []*protorekor.TransparencyLogEntry) error {
	for i, entry := range entries {
		limits := strictjson.Limits{Bytes: maxBody, Depth: maxBodyDepth, AllowNull: true}
		if err := strictjson.Screen(entry.GetCanonicalizedBody(), limits); err != nil {
			return refuse(ErrMalformed, fmt.Sprintf("strict JSON in log entry %d", i+1), "none").because(err)
		}
	}
	return nil
}

// checkDER walks through ASN.1 of definite lengths down to the given depth. The
// library's parser for timestamps calls itself for each level, and copies all
// that is below it.
func checkDER(data []byte, depth int) error {
	for len(data) > 0 {
		var value asn1.RawValue
		rest, err := asn1.Unmarshal(data, &value)
		if err != nil {
			return err
		}
		if value.IsCompound {
			if depth == 0 {
				return asn1.StructuralError{Msg: "nested too deeply"}
			}
			if err := checkDER(value.Bytes, depth-1); err != nil {
				return err
			}
		}
		data = rest
	}
	return nil
}
