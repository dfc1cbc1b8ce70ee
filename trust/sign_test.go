package trust_test

import (
	"encoding/hex"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/internal/testrepo"
)

// signed replaces the signatures of doc by those of the given keys.
func signed[T metadata.Roles](t *testing.T, doc *metadata.Metadata[T], keys []*testrepo.Key) []byte {
	t.Helper()
	payload, err := cjson.EncodeCanonical(doc.Signed)
	must(t, err)
	doc.ClearSignatures()
	for _, key := range keys {
		sig, err := key.Sign(payload)
		must(t, err)
		raw, err := hex.DecodeString(hex.EncodeToString(sig))
		must(t, err)
		doc.Signatures = append(doc.Signatures, metadata.Signature{KeyID: key.ID(), Signature: raw})
	}
	data, err := doc.ToBytes(false)
	must(t, err)
	return data
}

func timestampOf(t *testing.T, data []byte) *metadata.Metadata[metadata.TimestampType] {
	t.Helper()
	doc, err := metadata.Timestamp().FromBytes(data)
	must(t, err)
	return doc
}

func sha256Hex(text string) string {
	return artifact.DigestOf(artifact.SHA256, []byte(text)).Hex()
}
