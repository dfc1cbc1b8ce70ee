package audit

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
)

// Options are the outside of a Log; each has a default.
type Options struct {
	// LockWait is how long a call waits for other processes, 5 s if zero.
	LockWait time.Duration
	// Now gives the time of an entry, time.Now if nil.
	Now func() time.Time
}

// Log is the audit log of one user on one machine. It holds nothing open between
// calls and may be used by several goroutines, which share transactions.
type Log struct {
	path     string
	lockWait time.Duration
	now      func() time.Time
	group    *boltfile.Group
}

// Open prepares the use of audit.db in folder dir. Nothing is created or read
// before the first call that needs it.
func Open(dir string, opts Options) (*Log, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: expected the path of the state directory, found an empty one", ErrInvalid)
	}
	path := filepath.Join(dir, "audit.db")
	l := &Log{path: path, lockWait: opts.LockWait, now: opts.Now, group: boltfile.NewGroup(path, nil)}
	if l.lockWait <= 0 {
		l.lockWait = 5 * time.Second
	}
	if l.now == nil {
		l.now = time.Now
	}
	return l, nil
}

// Path is where the log is, or will be.
func (l *Log) Path() string { return l.path }

// The buckets of audit.db. Entries are under their Seq in eight bytes, the
// highest first, in the canonical form; the last of them also stands as a Head.
var (
	bucketMeta    = []byte("meta")
	bucketEntries = []byte("entries")
	keyFormat     = []byte("format")
	keyHead       = []byte("head")
)

func keyOf(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// Append adds an entry behind the last one, and returns it as it is kept: with
// its number, time and hashes, and with its texts cut and cleaned. Where the end
// of the log is not what was written, nothing is added, and the error is an
// ErrBroken: a chain must not go on from what somebody else put there.
//
// Entries that several goroutines append at once may get in by one transaction, one
// behind the other in the chain. A crash before bbolt writes its meta page leaves
// the log without them, after that with all of them; never a part of one, nor an
// entry without the head.
func (l *Log) Append(ctx context.Context, e Entry) (Entry, error) {
	e, err := e.screen()
	if err != nil {
		return Entry{}, err
	}
	var kept Entry
	err = l.update(ctx, func(tx *bbolt.Tx) (err error) {
		kept, err = l.enter(tx, e)
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return kept, nil
}

// enter puts an entry behind the last one.
func (l *Log) enter(tx *bbolt.Tx, e Entry) (Entry, error) {
	last, err := lastHead(tx)
	if err != nil {
		return Entry{}, err
	}
	e.Seq, e.Prev = last.Seq+1, last.Hash
	e.Time = l.now().UTC().Truncate(time.Millisecond)
	if e.Hash, err = e.sum(); err != nil {
		return Entry{}, err
	}
	line, err := e.encode()
	if err != nil {
		return Entry{}, err
	}
	if err := tx.Bucket(bucketMeta).Put(keyHead, []byte(Head{e.Seq, e.Hash}.String())); err != nil {
		return Entry{}, err
	}
	return e, tx.Bucket(bucketEntries).Put(keyOf(e.Seq), line)
}

// Head returns the end of the log, of which only the last entry is looked at; the
// zero Head where there is none.
func (l *Log) Head(ctx context.Context) (h Head, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		h, err = lastHead(tx)
		return err
	})
	if err != nil {
		return Head{}, err
	}
	return h, nil
}

// lastHead is the end of the log; the last entry and the stored head must agree.
func lastHead(tx *bbolt.Tx) (Head, error) {
	head, err := storedHead(tx)
	if err != nil {
		return Head{}, err
	}
	var last stored
	if last.key, last.line = tx.Bucket(bucketEntries).Cursor().Last(); last.key == nil {
		return head, compareHead(head, Head{})
	}
	e, err := last.entry()
	if err != nil {
		return Head{}, err
	}
	return head, compareHead(head, Head{e.Seq, e.Hash})
}

func storedHead(tx *bbolt.Tx) (Head, error) {
	text := tx.Bucket(bucketMeta).Get(keyHead)
	if text == nil {
		return Head{}, nil
	}
	h, err := ParseHead(string(text))
	if err != nil {
		return Head{}, &BreakError{1, "the stored head: " + err.Error()}
	}
	return h, nil
}

// compareHead wants the log to end where the stored head says.
func compareHead(stored, found Head) error {
	if stored == found {
		return nil
	}
	return &BreakError{min(stored.Seq, found.Seq) + 1, fmt.Sprintf("expected the log to end with %v, found its end at %v", stored, found)}
}
