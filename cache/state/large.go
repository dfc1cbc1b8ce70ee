package state

import (
	"fmt"
	"hash/crc32"
)

// largeValue is the length in bytes above which a value lies in a bucket of its
// own, under wholeKey. A page of bbolt holds at least two entries, and is
// written anew with all of them when one changes: beside values of some
// megabytes each small entry would cost as much as they do.
const largeValue = 32 << 10

// wholeKey is a key that put does not accept, so that no table has it.
var wholeKey = []byte{0, 1}

// entry is the envelope under a key, nil if there is none or it is a nested
// table.
func (t *table) entry(key []byte) []byte {
	if envelope := t.bucket.Get(key); envelope != nil {
		return envelope
	}
	return t.large(key)
}

// large is the envelope of a large value, nil if that is not what is there.
func (t *table) large(key []byte) []byte {
	if own := t.bucket.Bucket(key); own != nil {
		return own.Get(wholeKey)
	}
	return nil
}

// store puts an envelope in the place of what is under the key.
func (t *table) store(key, envelope []byte) error {
	if err := t.remove(key); err != nil {
		return err
	}
	if len(envelope) <= crc32.Size+largeValue {
		return t.bucket.Put(key, envelope)
	}
	own, err := t.bucket.CreateBucket(key)
	if err != nil {
		return err
	}
	return own.Put(wholeKey, envelope)
}

// remove takes out what is under the key, if anything; never a nested table.
func (t *table) remove(key []byte) error {
	own := t.bucket.Bucket(key)
	switch {
	case own == nil:
		return t.bucket.Delete(key)
	case own.Get(wholeKey) == nil:
		return fmt.Errorf("%w: expected a key with a value, found the table %q", ErrInvalid, clip(string(key)))
	default:
		return t.bucket.DeleteBucket(key)
	}
}
