package cache

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// indexFormat and factsFormat are the versions of what index.db and facts.db hold.
const (
	indexFormat = 1
	factsFormat = 1
)

// The buckets of index.db. An entry is a CRC-32C and then JSON; its key is the
// digest in the form ALG:HEX.
var (
	bucketFormat = []byte("format")
	bucketBlobs  = []byte("blobs")
	keyVersion   = []byte("version")
)

// record is an entry as it is stored.
type record struct {
	Length int64     `json:"length"`
	Added  time.Time `json:"added"`
	Noted  time.Time `json:"noted,omitzero"`
	Names  []Name    `json:"names,omitempty"` // the newest last
}

// corruptEntry says that an entry does not read as one.
type corruptEntry struct{ what string }

func (e *corruptEntry) Error() string { return e.what }

// lookup finds the entry of a digest.
func (s *Store) lookup(ctx context.Context, d artifact.Digest) (r record, found bool, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) (err error) {
		r, found, err = getRecord(tx, d)
		return err
	})
	return r, found, err
}

// enter makes sure that the index has an entry for a held blob that has just come,
// or was found without one. An old entry of it, as is left of one that was lost,
// keeps its names; further ones are added.
func (s *Store) enter(ctx context.Context, d artifact.Digest, length int64, names ...Name) error {
	return s.update(ctx, func(tx *bbolt.Tx) error {
		r, _, err := getRecord(tx, d)
		if err != nil {
			return err
		}
		r.Length = length
		r.Added = s.now().UTC()
		if len(names) > 0 {
			r.note(r.Added, names)
		}
		return putRecord(tx, d, r)
	})
}

// errNoNotes is for what can't be told without an index.
func (s *Store) errNoNotes() error {
	if s.index != nil {
		return nil
	}
	return fmt.Errorf("%w: expected a cache with an index, found that %s keeps none", ErrInvalid, s.dir)
}

// view runs fn on the index; where there is neither index nor blob, fn is not
// run and nothing is created.
func (s *Store) view(ctx context.Context, fn func(*bbolt.Tx) error) error {
	return s.index.run(ctx, false, fn)
}

// update runs fn and keeps all that it wrote, or nothing.
func (s *Store) update(ctx context.Context, fn func(*bbolt.Tx) error) error {
	return s.index.run(ctx, true, fn)
}

func getRecord(tx *bbolt.Tx, d artifact.Digest) (r record, found bool, err error) {
	value := tx.Bucket(bucketBlobs).Get([]byte(d.String()))
	if value == nil {
		return record{}, false, nil
	}
	r, err = decodeRecord(value)
	return r, err == nil, err
}

func decodeRecord(value []byte) (r record, err error) {
	if len(value) < crc32.Size || binary.BigEndian.Uint32(value) != checksum(value[crc32.Size:]) {
		return record{}, &corruptEntry{"the checksum of an entry does not hold"}
	}
	if err := json.Unmarshal(value[crc32.Size:], &r); err != nil || r.Length < 0 {
		return record{}, &corruptEntry{"an entry does not read as one"}
	}
	return r, nil
}

func putRecord(tx *bbolt.Tx, d artifact.Digest, r record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	value := binary.BigEndian.AppendUint32(make([]byte, 0, crc32.Size+len(text)), checksum(text))
	return tx.Bucket(bucketBlobs).Put([]byte(d.String()), append(value, text...))
}

func checksum(text []byte) uint32 {
	return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli))
}
