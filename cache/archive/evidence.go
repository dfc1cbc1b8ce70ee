package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"assay/artifact"
	"assay/internal/strictjson"
)

// evidenceSchema is that of the files in evidence/.
const evidenceSchema = "assay.cache-evidence/v1"

// maxClaims is how many receipts the evidence of one blob has.
const maxClaims = 1024

type evidenceDoc struct {
	Schema   string            `json:"schema"`
	Digest   artifact.Digest   `json:"digest"`
	Receipts []json.RawMessage `json:"receipts"`
}

// Claim is what a receipt in an archive says. Whoever made the archive may have
// written anything into it.
type Claim struct {
	Outcome    string    `json:"outcome"` // proven or refused
	At         time.Time `json:"at,omitzero"`
	Repository string    `json:"repository,omitempty"`
	Target     string    `json:"target,omitempty"`
	Product    string    `json:"product,omitempty"`
	Version    string    `json:"version,omitempty"`
}

// Evidence makes the evidence of a blob from receipts, which are JSON objects. More
// than an archive holds of them, or of bytes, is ErrInvalid.
func Evidence(d artifact.Digest, receipts []json.RawMessage) ([]byte, error) {
	text, err := json.Marshal(evidenceDoc{evidenceSchema, d, receipts})
	if err == nil {
		_, err = decodeClaims(manifestBlob{Digest: d}, text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: evidence of %v: %w", ErrInvalid, d, err)
	}
	return text, nil
}

// decodeClaims reads what evidence says in short.
func decodeClaims(b manifestBlob, text []byte) ([]Claim, error) {
	const depth = 64
	if err := strictjson.Screen(text, strictjson.Limits{Bytes: maxEvidence, Depth: depth, AllowNull: true}); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrArchive, b.evidenceName(), err)
	}
	var doc evidenceDoc
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrArchive, b.evidenceName(), err)
	}
	if doc.Schema != evidenceSchema || doc.Digest != b.Digest || len(doc.Receipts) > maxClaims {
		return nil, fmt.Errorf("%w: %s: expected the schema %s, that digest and at most %d receipts, found %q, %v and %d",
			ErrArchive, b.evidenceName(), evidenceSchema, maxClaims, clip(doc.Schema), doc.Digest, len(doc.Receipts))
	}
	var claims []Claim
	for _, receipt := range doc.Receipts {
		var c Claim
		if err := json.Unmarshal(receipt, &c); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrArchive, b.evidenceName(), err)
		}
		claims = append(claims, c)
	}
	return claims, nil
}
