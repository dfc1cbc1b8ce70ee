package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

// batch is how many entries are read in one transaction.
const batch = 256

// stored is an entry as it lies in the file.
type stored struct{ key, line []byte }

// entry reads it. What is no entry, does not fit its hash or has another's place is
// a *BreakError.
func (s stored) entry() (Entry, error) {
	e, err := decode(s.line)
	if err != nil {
		return Entry{}, &BreakError{seqOf(s.key), err.Error()}
	}
	switch sum, err := e.sum(); {
	case err != nil:
		return Entry{}, &BreakError{seqOf(s.key), err.Error()}
	case !bytes.Equal(s.key, keyOf(e.Seq)):
		return Entry{}, &BreakError{seqOf(s.key), fmt.Sprintf("expected it, found entry %d in its place", e.Seq)}
	case sum != e.Hash:
		return Entry{}, &BreakError{seqOf(s.key), fmt.Sprintf("expected the hash %v that it names, found %v", e.Hash, sum)}
	}
	return e, nil
}

// before reads a batch backwards from key, which is not in it; nil is the end.
func (l *Log) before(ctx context.Context, key []byte) (lines []stored, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		lines = nil
		cursor := tx.Bucket(bucketEntries).Cursor()
		found, line := cursor.Last()
		if key != nil {
			if found, _ = cursor.Seek(key); found == nil {
				return nil // it was the last, and is gone: another log lies there now
			}
			found, line = cursor.Prev()
		}
		for ; found != nil && len(lines) < batch; found, line = cursor.Prev() {
			lines = append(lines, stored{bytes.Clone(found), bytes.Clone(line)})
		}
		return nil
	})
	return lines, err
}

// seqOf is the number that a key stands for, 0 where it can be none.
func seqOf(key []byte) uint64 {
	if len(key) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key)
}

// forward visits the entries from the first on, a few in each transaction and
// without a lock between them, and then the head that is stored with the last.
func (l *Log) forward(ctx context.Context, visit func(stored) error, end func(Head) error) error {
	var next []byte
	for {
		var lines []stored
		var head Head
		var headErr error
		from := next
		err := l.view(ctx, func(tx *bbolt.Tx) error {
			lines, head, headErr = nil, Head{}, nil
			cursor := tx.Bucket(bucketEntries).Cursor()
			key, line := cursor.Seek(from)
			for ; key != nil && len(lines) < batch; key, line = cursor.Next() {
				lines = append(lines, stored{bytes.Clone(key), bytes.Clone(line)})
			}
			if next = bytes.Clone(key); key != nil {
				return nil
			}
			// What is appended from here on is not for this walk.
			head, headErr = storedHead(tx)
			return nil
		})
		if err != nil {
			return err
		}
		for _, s := range lines {
			if err := visit(s); err != nil {
				return err
			}
		}
		if next == nil && headErr != nil {
			return headErr
		}
		if next == nil {
			return end(head)
		}
	}
}
