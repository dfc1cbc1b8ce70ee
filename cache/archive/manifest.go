package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"assay/artifact"
	"assay/cache"
	"assay/internal/strictjson"
)

// The names of the entries.
const (
	manifestName   = "assay-cache.json"
	blobFolder     = "blobs/"
	evidenceFolder = "evidence/"
)

// schema is that of assay-cache.json.
const schema = "assay.cache-export/v1"

// The limits of an archive; lengths are in bytes.
const (
	maxManifest = 64 << 20
	maxBlobs    = 100_000
	maxNames    = 64
	maxEvidence = 16 << 20
	// maxEvidences bounds what all evidence together has: its claims are held in
	// memory.
	maxEvidences = 512 << 20
)

// manifest is assay-cache.json.
type manifest struct {
	Schema string         `json:"schema"`
	Blobs  []manifestBlob `json:"blobs"` // ascending by digest, each once
}

// manifestBlob announces a blob.
type manifestBlob struct {
	Digest   artifact.Digest `json:"digest"`
	Length   int64           `json:"length"`             // in bytes
	Evidence int64           `json:"evidence,omitempty"` // length in bytes; 0: there is none
	Names    []cache.Name    `json:"names,omitempty"`    // the newest first
}

func (b manifestBlob) blobName() string {
	return blobFolder + string(b.Digest.Algorithm()) + "/" + b.Digest.Hex()
}

func (b manifestBlob) evidenceName() string {
	return evidenceFolder + string(b.Digest.Algorithm()) + "-" + b.Digest.Hex() + ".json"
}

func (m manifest) encode() ([]byte, error) {
	text, err := json.Marshal(m)
	return append(text, '\n'), err
}

// decodeManifest reads assay-cache.json, which must have the form in which Write
// writes it, and be in itself possible.
func decodeManifest(text []byte) (manifest, error) {
	const depth = 5
	if err := strictjson.Screen(text, strictjson.Limits{Bytes: maxManifest, Depth: depth}); err != nil {
		return manifest{}, fmt.Errorf("%w: %s: %w", ErrArchive, manifestName, err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return manifest{}, fmt.Errorf("%w: %s: %w", ErrArchive, manifestName, err)
	}
	version := 0 // stays so where none can be read
	_, _ = fmt.Sscanf(m.Schema, "assay.cache-export/v%d", &version)
	if version > 1 {
		return manifest{}, fmt.Errorf("%w: expected the schema %s, found %q", ErrNewer, schema, clip(m.Schema))
	}
	if err := m.check(); err != nil {
		return manifest{}, err
	}
	if again, err := m.encode(); err != nil || !bytes.Equal(again, text) {
		return manifest{}, fmt.Errorf("%w: %s: expected it as assay writes it, found something added or left out", ErrArchive, manifestName)
	}
	return m, nil
}

func (m manifest) check() error {
	if m.Schema != schema {
		return fmt.Errorf("%w: %s: expected the schema %s, found %q", ErrArchive, manifestName, schema, clip(m.Schema))
	}
	if len(m.Blobs) > maxBlobs {
		return fmt.Errorf("%w: expected at most %d blobs, found %d", ErrArchive, maxBlobs, len(m.Blobs))
	}
	total, evidence := int64(0), int64(0)
	for i, b := range m.Blobs {
		switch {
		case b.Digest.IsZero():
			return fmt.Errorf("%w: blob %d: expected a digest, found none", ErrArchive, i)
		case i > 0 && m.Blobs[i-1].Digest.String() >= b.Digest.String():
			return fmt.Errorf("%w: expected digests in ascending order, each once, found %v behind %v", ErrArchive, b.Digest, m.Blobs[i-1].Digest)
		case b.Length < 0 || b.Length > math.MaxInt64-total:
			return fmt.Errorf("%w: %v: expected a length of 0 or more, and a sum below 2^63, found %d", ErrArchive, b.Digest, b.Length)
		case b.Evidence < 0 || b.Evidence > maxEvidence:
			return fmt.Errorf("%w: %v: expected evidence of at most %d bytes, found %d", ErrArchive, b.Digest, maxEvidence, b.Evidence)
		case len(b.Names) > maxNames:
			return fmt.Errorf("%w: %v: expected at most %d names, found %d", ErrArchive, b.Digest, maxNames, len(b.Names))
		}
		total += b.Length
		evidence += b.Evidence
	}
	if evidence > maxEvidences {
		return fmt.Errorf("%w: expected at most %d bytes of evidence, found %d", ErrArchive, maxEvidences, evidence)
	}
	return nil
}

// total is the sum of the blobs' lengths, in bytes.
func (m manifest) total() (sum int64) {
	for _, b := range m.Blobs {
		sum += b.Length
	}
	return sum
}
