package testrepo

import (
	"encoding/hex"
	"fmt"

	"assay/artifact"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Forgery changes how one role is published, once. Every field may be left out.
//
// The file's name and what snapshot or timestamp say of it follow the honest
// version, and length and hash follow the bytes that result, so that only what
// the forgery changes is wrong.
type Forgery struct {
	// Signed changes the part that gets signed, before it is: signed is a
	// *metadata.RootType, *metadata.TargetsType, *metadata.SnapshotType or
	// *metadata.TimestampType, by the role.
	Signed func(signed any)
	// Keys sign instead of the role's own; empty but not nil, nobody does.
	Keys []*Key
	// Bytes changes the finished file, after it was signed.
	Bytes func(data []byte) []byte
}

// Forge has the next publication of a role, which becomes due by this, done as
// the forgery says.
func (r *Repo) Forge(role string, forgery Forgery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.role(role)
	if err != nil {
		return err
	}
	found.dirty = true
	r.forgeries[role] = forgery
	return nil
}

// seal signs metadata, honestly or as the forgery says.
func seal[T metadata.Roles](name string, m *metadata.Metadata[T], forgery Forgery, keys []*Key) ([]byte, error) {
	if forgery.Signed != nil {
		forgery.Signed(&m.Signed)
	}
	if forgery.Keys != nil {
		keys = forgery.Keys
	}
	payload, err := cjson.EncodeCanonical(m.Signed)
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode %q: %w", name, err)
	}
	// go-tuf's Sign finds a key's id out by itself, and knows no P-384.
	for _, key := range keys {
		sig, err := key.Sign(payload)
		if err != nil {
			return nil, fmt.Errorf("testrepo: sign %q: %w", name, err)
		}
		m.Signatures = append(m.Signatures, metadata.Signature{KeyID: key.id, Signature: sig})
	}
	data, err := m.ToBytes(true)
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode %q: %w", name, err)
	}
	if forgery.Bytes != nil {
		data = forgery.Bytes(data)
	}
	return data, nil
}

// hashesOf is the metadata form of digests.
func hashesOf(digests artifact.Digests) metadata.Hashes {
	hashes := metadata.Hashes{}
	for _, d := range digests {
		raw, err := hex.DecodeString(d.Hex())
		if err != nil {
			panic("testrepo: a Digest that is not hex: " + d.Hex()) // artifact makes no such one
		}
		hashes[string(d.Algorithm())] = raw
	}
	return hashes
}
