package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"go.etcd.io/bbolt"
)

// The limits of what one table takes, in bytes. A value is a whole metadata
// file at most.
const (
	maxKey   = 4096
	maxValue = 512 << 20
)

// sealKey sorts before every key that put accepts.
var sealKey = []byte{0}

// seal sums up the entries of a table: their number, and the exclusive or of a
// hash of each. A page that lost or swapped entries no longer fits it.
type seal struct {
	count uint64
	sum   [16]byte
}

func (s *seal) toggle(key, envelope []byte) {
	// The checksum at the head of the envelope stands for the value, so that
	// checking a table reads no large value.
	h := sha256.New()
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(key)))
	h.Write(length[:])
	h.Write(key)
	binary.BigEndian.PutUint64(length[:], uint64(len(envelope)))
	h.Write(length[:])
	h.Write(envelope[:min(len(envelope), crc32.Size)])
	var sum [sha256.Size]byte
	for i, b := range h.Sum(sum[:0])[:len(s.sum)] {
		s.sum[i] ^= b
	}
}

func (s *seal) bytes() []byte {
	return append(binary.BigEndian.AppendUint64(nil, s.count), s.sum[:]...)
}

// table is a sealed bucket. Its values are envelopes: a CRC-32C, then the
// value. A nested bucket counts as an entry without a value.
type table struct {
	s      *session
	bucket *bbolt.Bucket
	seal   seal
}

func (s *session) damaged(format string, args ...any) error { return damaged(s.path, format, args...) }

// openTable checks the seal of a bucket, and that each key is found where it
// is looked for: the way there leads over copies of keys in branch pages, which
// a walk from entry to entry does not see.
func (s *session) openTable(bucket *bbolt.Bucket, name string) (*table, error) {
	t := &table{s: s, bucket: bucket}
	err := s.guard(func() error {
		var stored []byte
		cursor := bucket.Cursor()
		for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
			if bytes.Equal(key, sealKey) {
				stored = value
				continue
			}
			if value != nil && len(bucket.Get(key)) != len(value) {
				return s.damaged("the key %q of table %q can't be found", clip(string(key)), clip(name))
			}
			if value == nil && bucket.Bucket(key) == nil {
				return s.damaged("the table %q in table %q can't be found", clip(string(key)), clip(name))
			}
			t.seal.count++
			t.seal.toggle(key, value)
		}
		if !bytes.Equal(stored, t.seal.bytes()) {
			return s.damaged("the seal of table %q does not fit its %d entries", clip(name), t.seal.count)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// createTable makes a bucket that does not exist yet, with the seal of none.
func (s *session) createTable(create func([]byte) (*bbolt.Bucket, error), name string) (*table, error) {
	t := &table{s: s}
	err := s.guard(func() (err error) {
		if t.bucket, err = create([]byte(name)); err != nil {
			return err
		}
		return t.writeSeal()
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (t *table) writeSeal() error { return t.bucket.Put(sealKey, t.seal.bytes()) }

// get returns a copy of the value, nil if there is none. A wrong checksum is
// ErrDamaged.
func (t *table) get(key string) ([]byte, error) {
	value, err := t.stored(key)
	if err != nil || value == nil {
		return nil, err
	}
	err = t.s.guard(func() error { return checkEnvelope(t.bucket.Get([]byte(key))) })
	if err != nil {
		return nil, t.s.damaged("the entry %q: %w", clip(key), err)
	}
	return value, nil
}

// stored returns a copy of the value as it is, nil if there is none.
func (t *table) stored(key string) (value []byte, err error) {
	err = t.s.guard(func() error {
		envelope := t.bucket.Get([]byte(key))
		if envelope == nil || key == string(sealKey) {
			return nil
		}
		// Never nil: an empty value is there, too.
		value = append([]byte{}, envelope[min(len(envelope), crc32.Size):]...)
		return nil
	})
	return value, err
}

func (t *table) put(key string, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if len(value) > maxValue {
		return fmt.Errorf("%w: expected at most %d bytes under %q, found %d", ErrInvalid, maxValue, clip(key), len(value))
	}
	return t.s.guard(func() error {
		t.forget(key)
		envelope := makeEnvelope(value)
		t.seal.count++
		t.seal.toggle([]byte(key), envelope)
		if err := t.bucket.Put([]byte(key), envelope); err != nil {
			return err
		}
		return t.writeSeal()
	})
}

func (t *table) delete(key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return t.s.guard(func() error {
		t.forget(key)
		if err := t.bucket.Delete([]byte(key)); err != nil {
			return err
		}
		return t.writeSeal()
	})
}

// forget takes an entry that is about to go out of the seal.
func (t *table) forget(key string) {
	if old := t.bucket.Get([]byte(key)); old != nil {
		t.seal.count--
		t.seal.toggle([]byte(key), old)
	}
}

// keys lists the keys with a prefix, sorted, nested tables included.
func (t *table) keys(prefix string) (list []string, err error) {
	err = t.s.guard(func() error {
		cursor := t.bucket.Cursor()
		for key, _ := cursor.Seek([]byte(prefix)); key != nil; key, _ = cursor.Next() {
			if !strings.HasPrefix(string(key), prefix) {
				break
			}
			if !bytes.Equal(key, sealKey) {
				list = append(list, string(key))
			}
		}
		return nil
	})
	return list, err
}

// child opens the nested table name; it is nil where there is none.
func (t *table) child(name string) (*table, error) {
	var bucket *bbolt.Bucket
	err := t.s.guard(func() error { bucket = t.bucket.Bucket([]byte(name)); return nil })
	if bucket == nil || err != nil {
		return nil, err
	}
	return t.s.openTable(bucket, name)
}

// makeChild opens the nested table name, and creates it where there is none.
func (t *table) makeChild(name string) (*table, error) {
	child, err := t.child(name)
	if child != nil || err != nil {
		return child, err
	}
	if err := checkKey(name); err != nil {
		return nil, err
	}
	child, err = t.s.createTable(t.bucket.CreateBucket, name)
	if err != nil {
		return nil, err
	}
	t.seal.count++
	t.seal.toggle([]byte(name), nil)
	return child, t.s.guard(t.writeSeal)
}

// dropChild removes the nested table name with all it holds, and reports
// whether there was one.
func (t *table) dropChild(name string) (bool, error) {
	child, err := t.child(name)
	if child == nil || err != nil {
		return false, err
	}
	return true, t.s.guard(func() error {
		if err := t.bucket.DeleteBucket([]byte(name)); err != nil {
			return err
		}
		t.seal.count--
		t.seal.toggle([]byte(name), nil)
		return t.writeSeal()
	})
}

func checkKey(key string) error {
	if key == "" || len(key) > maxKey || key[0] == 0 {
		return fmt.Errorf("%w: expected a key of 1 to %d bytes that does not begin with a zero byte, found %q", ErrInvalid, maxKey, clip(key))
	}
	return nil
}

func makeEnvelope(value []byte) []byte {
	envelope := make([]byte, crc32.Size, crc32.Size+len(value))
	binary.BigEndian.PutUint32(envelope, checksum(value))
	return append(envelope, value...)
}

// checkEnvelope compares the value in an envelope with its checksum.
func checkEnvelope(envelope []byte) error {
	if len(envelope) < crc32.Size {
		return fmt.Errorf("expected a checksum of %d bytes, found %d bytes", crc32.Size, len(envelope))
	}
	want := binary.BigEndian.Uint32(envelope)
	if got := checksum(envelope[crc32.Size:]); got != want {
		return fmt.Errorf("expected checksum %08x, found %08x", want, got)
	}
	return nil
}

func checksum(value []byte) uint32 {
	return crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli))
}
