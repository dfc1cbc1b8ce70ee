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
	var space [256]byte // most keys fit, and then nothing is allocated
	data := binary.BigEndian.AppendUint64(space[:0], uint64(len(key)))
	data = append(data, key...)
	data = binary.BigEndian.AppendUint64(data, uint64(len(envelope)))
	data = append(data, envelope[:min(len(envelope), crc32.Size)]...)
	sum := sha256.Sum256(data)
	for i := range s.sum {
		s.sum[i] ^= sum[i]
	}
}

func (s *seal) bytes() []byte {
	return append(binary.BigEndian.AppendUint64(nil, s.count), s.sum[:]...)
}

// parse is the way back from bytes; it reports whether data can be a seal.
func (s *seal) parse(data []byte) bool {
	if len(data) != 8+len(s.sum) {
		return false
	}
	s.count = binary.BigEndian.Uint64(data)
	copy(s.sum[:], data[8:])
	return true
}

// table is a sealed bucket. Its values are envelopes: a CRC-32C, then the
// value; a large one has a bucket of its own. A nested table counts as an entry
// without a value.
type table struct {
	s      *session
	bucket *bbolt.Bucket
	path   string // its name, and before it those of the tables around it
	seal   seal
}

// openTable checks the seal of a bucket, unless this process did so before and
// the file stands as it was then. That each key is found where it is looked for
// was checked with the pages. The path names the table and those around it.
func (s *session) openTable(bucket *bbolt.Bucket, path string) (*table, error) {
	t := &table{s: s, bucket: bucket, path: path}
	var stored []byte
	err := s.guard(func() error {
		stored = bytes.Clone(bucket.Get(sealKey))
		if s.sealed[path] && t.seal.parse(stored) {
			return nil
		}
		return t.sum()
	})
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(stored, t.seal.bytes()) {
		return nil, s.damaged("the seal of table %q does not fit its %d entries", clip(path), t.seal.count)
	}
	s.sealed[path] = true
	return t, nil
}

// sum makes the seal from the entries as they are.
func (t *table) sum() error {
	t.seal = seal{}
	cursor := t.bucket.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if bytes.Equal(key, sealKey) {
			continue
		}
		if value == nil {
			value = t.large(key)
		}
		t.seal.count++
		t.seal.toggle(key, value)
	}
	return nil
}

// createTable makes a bucket that does not exist yet, with the seal of none.
func (s *session) createTable(create func([]byte) (*bbolt.Bucket, error), name, path string) (*table, error) {
	t := &table{s: s, path: path}
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
// ErrEntry.
func (t *table) get(key string) ([]byte, error) {
	value, err := t.stored(key)
	if err != nil || value == nil {
		return nil, err
	}
	err = t.s.guard(func() error { return checkEnvelope(t.entry([]byte(key))) })
	if err != nil {
		return nil, t.s.damaged("%w: %q: %w", ErrEntry, clip(key), err)
	}
	return value, nil
}

// stored returns a copy of the value as it is, nil if there is none.
func (t *table) stored(key string) (value []byte, err error) {
	err = t.s.guard(func() error {
		envelope := t.entry([]byte(key))
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
	if len(value) > largeValue {
		if err := t.s.raiseFormat(formatLarge); err != nil {
			return err
		}
	}
	t.s.file.Weigh(len(key) + len(value))
	return t.s.guard(func() error {
		t.forget(key)
		envelope := makeEnvelope(value)
		if err := t.store([]byte(key), envelope); err != nil {
			return err
		}
		t.seal.count++
		t.seal.toggle([]byte(key), envelope)
		return t.writeSeal()
	})
}

func (t *table) delete(key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return t.s.guard(func() error {
		t.forget(key)
		if err := t.remove([]byte(key)); err != nil {
			return err
		}
		return t.writeSeal()
	})
}

// forget takes an entry that is about to go out of the seal.
func (t *table) forget(key string) {
	if old := t.entry([]byte(key)); old != nil {
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
	return t.s.openTable(bucket, t.path+"/"+name)
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
	child, err = t.s.createTable(t.bucket.CreateBucket, name, t.path+"/"+name)
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
