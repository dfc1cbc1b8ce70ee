package boltfile

import (
	"errors"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"
)

// Session is one transaction on a file, from open to close. It is for one
// goroutine.
type Session struct {
	path string
	info fs.FileInfo
	file *os.File // holds the lock; closed with bolt, or instead of it
	bolt *bbolt.DB
	tx   *bbolt.Tx
	// memory is told of what this session commits; nil: nobody is.
	memory *Memory
	known  bool
	// writable tells how the file is open and locked, which is not of its transaction.
	writable bool
	waited   bool  // for the lock
	weight   int64 // see Weigh
	// abandoned is set after a panic inside bbolt. Its own locks may be held
	// then, so it is not called again: the file's lock is given up without it,
	// and the mapping stays until the process ends.
	abandoned bool
}

// Tx is the transaction. Each use of it, and of what it handed out, belongs
// inside Guard, and ends with Commit or Close; then it is nil.
func (s *Session) Tx() *bbolt.Tx { return s.tx }

// Info describes the file as it was when it was opened, for os.SameFile.
func (s *Session) Info() fs.FileInfo { return s.info }

// Known reports that the file stood, when the session began, as the last session
// of the same Memory left it, so that nobody has written to it since.
func (s *Session) Known() bool { return s.known }

// Weigh tells how many bytes were put, so that a Group lets no more functions into a
// transaction that has become large.
func (s *Session) Weigh(bytes int) { s.weight += int64(bytes) }

// Guard runs one step on the transaction and returns its error as it is. A
// panic or a memory fault in it is an *Error of kind ErrDamaged and abandons the
// session: its lock is gone, and every further step is refused as ErrDamaged
// without being run.
func (s *Session) Guard(step func() error) error {
	if s.abandoned {
		return s.fail(ErrDamaged, errors.New("the database was abandoned after a fault"))
	}
	err := Guard(step)
	if errors.Is(err, ErrPanic) {
		s.abandoned = true
		if s.memory != nil {
			s.memory.forget()
		}
		s.release()
		return s.fail(ErrDamaged, err)
	}
	return err
}

// Commit ends the transaction, which must be a writable one that is not ended
// yet, and makes it durable. An *Error of kind ErrDisk leaves open whether it
// is kept: whole, or not at all.
//
// A crash before bbolt writes its meta page leaves the file as it was, with
// unused pages that the next writer takes; after it, the whole update.
func (s *Session) Commit() error {
	var failed error
	err := s.Guard(func() error { failed = s.tx.Commit(); return nil })
	s.tx = nil
	if err == nil && failed != nil {
		err = s.fail(ErrDisk, failed)
	}
	switch {
	case s.memory == nil:
	case err != nil:
		s.memory.forget()
	default:
		s.memory.note(s)
	}
	return err
}

// again begins another transaction, under the lock that is still held: what was not
// committed is dropped. A session that reads may not write.
func (s *Session) again(writable bool) error {
	if s.tx != nil {
		s.Guard(s.tx.Rollback) // as in Close
		s.tx = nil
	}
	s.weight, s.known, s.waited = 0, true, false
	return s.Guard(func() (err error) { s.tx, err = s.bolt.Begin(writable); return err })
}

// Close gives up the lock, and the transaction where it was not committed. It
// may be called again, and after any error.
func (s *Session) Close() {
	if s.tx != nil {
		// The file as it was before is what counts: nothing to do on an error.
		s.Guard(s.tx.Rollback)
		s.tx = nil
	}
	if s.bolt != nil {
		s.Guard(s.bolt.Close)
		s.bolt = nil
	}
	s.release()
}

// release gives up the file and its lock. Both fail where bbolt did it, which
// is the usual way.
func (s *Session) release() {
	if s.file == nil {
		return
	}
	unlock(s.file)
	s.file.Close()
}

func (s *Session) fail(kind, cause error) error {
	return &Error{Kind: kind, Path: s.path, Info: s.info, Cause: cause}
}
