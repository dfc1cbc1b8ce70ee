package trust

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"assay/artifact"
)

// pieceSize is the length of a stored value from where on bytes are cut: a
// transaction that writes one should be short, and its memory bounded.
const pieceSize = 4 << 20

func keyMeta(sum artifact.Digest) string { return keyMetaPrefix + sum.Hex() }

func keyPiece(sum artifact.Digest, i int) string { return fmt.Sprintf("%s/%04d", keyMeta(sum), i) }

// storePieces writes the bytes of a verified document ahead of the transaction
// that accepts it, if they are large: each piece in a transaction of its own. A
// crash leaves pieces that no record names; the next sweep deletes them.
func (r *Repository) storePieces(ctx context.Context, d *document) error {
	if len(d.raw) <= pieceSize {
		return nil
	}
	for i := 0; i*pieceSize < len(d.raw); i++ {
		err := r.store.Update(ctx, func(tx Tx) error { return tx.Put(keyPiece(d.sum, i), piece(d.raw, i)) })
		if err != nil {
			return err
		}
	}
	return nil
}

func piece(raw []byte, i int) []byte { return raw[i*pieceSize : min(len(raw), (i+1)*pieceSize)] }

// putBytes makes sure that the bytes of a document are stored. Pieces are there
// already, unless another process has swept them away in the meantime.
func putBytes(tx Tx, d *document) error {
	if len(d.raw) <= pieceSize {
		return tx.Put(keyMeta(d.sum), d.raw)
	}
	stored, err := tx.Keys(keyMeta(d.sum) + "/")
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, key := range stored {
		there[key] = true
	}
	for i := 0; i*pieceSize < len(d.raw); i++ {
		if key := keyPiece(d.sum, i); !there[key] {
			if err := tx.Put(key, piece(d.raw, i)); err != nil {
				return err
			}
		}
	}
	return tx.Delete(keyMeta(d.sum)) // damaged bytes under the whole's key
}

// storedBytes reads the bytes that a record names; nil where they are not there,
// or no longer what their digest says: then they are fetched again.
func (r *Repository) storedBytes(ctx context.Context, sum artifact.Digest) (raw []byte, err error) {
	var pieces []string
	err = r.store.View(ctx, func(tx Tx) (err error) {
		pieces = nil
		raw, err = tx.Get(keyMeta(sum))
		if err != nil || artifact.DigestOf(artifact.SHA256, raw) == sum {
			return err
		}
		raw = nil
		pieces, err = tx.Keys(keyMeta(sum) + "/")
		return err
	})
	if err == nil && len(pieces) > 0 {
		raw, err = r.join(ctx, sum, len(pieces))
	}
	return raw, err
}

// join reads each piece in a transaction of its own: a Store may keep all that
// one transaction reads in memory until that ends. nil: they are not the bytes.
func (r *Repository) join(ctx context.Context, sum artifact.Digest, count int) ([]byte, error) {
	raw := make([]byte, 0, count*pieceSize)
	for i := range count {
		var piece []byte
		err := r.store.View(ctx, func(tx Tx) (err error) {
			piece, err = tx.Get(keyPiece(sum, i))
			return err
		})
		if err != nil {
			return nil, err
		}
		raw = append(raw, piece...)
	}
	if artifact.DigestOf(artifact.SHA256, raw) != sum {
		return nil, nil
	}
	return raw, nil
}

// sweep deletes the metadata bytes that neither the complete record nor that of a
// role names.
func sweep(tx Tx, complete completeRecord) error {
	keep := map[string]bool{}
	for _, sum := range []artifact.Digest{complete.Timestamp, complete.Snapshot, complete.Targets} {
		keep[sum.Hex()] = true
	}
	roles, err := tx.Keys(keyRolePrefix)
	if err != nil {
		return err
	}
	for _, key := range roles {
		var record roleRecord
		if _, err := getRecord(tx, key, &record); err != nil && !errors.Is(err, errRecord) {
			return err
		}
		keep[record.Sum.Hex()] = true
	}
	stored, err := tx.Keys(keyMetaPrefix)
	if err != nil {
		return err
	}
	for _, key := range stored {
		digits, _, _ := strings.Cut(strings.TrimPrefix(key, keyMetaPrefix), "/")
		if keep[digits] {
			continue
		}
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	return nil
}
