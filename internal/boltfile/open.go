package boltfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// maxPoll is the longest pause between two tries for the lock. A try takes some 20 µs.
const maxPoll = 5 * time.Millisecond

// Begin opens the file at path, which it never creates, and starts a
// transaction. It waits for the file's lock, shared for a reader and exclusive
// for a writer, until deadline or the end of ctx; one try is made in any case.
// The error is an *Error, or that of ctx. The caller closes the session.
func Begin(ctx context.Context, path string, writable bool, deadline time.Time) (*Session, error) {
	return new(Memory).Begin(ctx, path, writable, deadline)
}

// Begin is the function of that name, but does not look at the pages of a file
// that is known: one that stands as the last session of this Memory left it.
func (m *Memory) Begin(ctx context.Context, path string, writable bool, deadline time.Time) (*Session, error) {
	s, err := m.open(ctx, path, writable, deadline)
	if err != nil {
		if !errors.Is(err, ErrBusy) {
			m.forget()
		}
		return nil, err
	}
	s.memory, s.known = m, m.recall(s)
	m.note(s)
	return s.begin(writable, nil)
}

// open gives a session on a file that is known or was looked at. Only a reader
// may look at pages, as opening for writing already follows the list of free
// pages. A writer looks first and opens again; what other writers do in between
// is well formed.
func (m *Memory) open(ctx context.Context, path string, writable bool, deadline time.Time) (*Session, error) {
	if writable && m.knows(path) {
		s, err := lock(ctx, path, options{writable: true}, deadline)
		if err != nil || m.recall(s) {
			return s, err
		}
		s.Close()
	}
	s, err := lock(ctx, path, options{}, deadline)
	if err != nil {
		return nil, err
	}
	if !m.recall(s) {
		if err := s.checkPages(); err != nil {
			s.Close()
			return nil, err
		}
	}
	if !writable {
		return s, nil
	}
	s.Close()
	return lock(ctx, path, options{writable: true}, deadline)
}

// Create is Begin for a writer on a file that is there and empty, as
// durable.Create and os.CreateTemp leave it. It looks at no pages: one that
// another process filled meanwhile is taken as it is.
func Create(ctx context.Context, path string, deadline time.Time) (*Session, error) {
	s, err := lock(ctx, path, options{writable: true, fill: true}, deadline)
	if err != nil {
		return nil, err
	}
	return s.begin(true, nil)
}

// begin starts the transaction of an open session, or closes it over err.
func (s *Session) begin(writable bool, err error) (*Session, error) {
	if err == nil {
		err = s.Guard(func() (err error) { s.tx, err = s.bolt.Begin(writable); return err })
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// options are the ways to open a file.
type options struct {
	writable bool
	fill     bool // an empty file becomes a database
	// unlocked is for tests: it runs between opening and locking. It may be nil.
	unlocked func()
}

// lock opens the file and takes its lock. bbolt would poll every 50 ms and know
// no context, so it is asked for one try at a time.
func lock(ctx context.Context, path string, opts options, deadline time.Time) (*Session, error) {
	waited := false
	for wait := time.Millisecond; ; wait = min(2*wait, maxPoll) {
		s, err := open(path, opts)
		if !errors.Is(err, ErrBusy) || time.Now().After(deadline) {
			if s != nil {
				s.waited = waited
			}
			return s, err
		}
		waited = true
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// open makes one try.
func open(path string, opts options) (*Session, error) {
	s := &Session{path: path, writable: opts.writable}
	settings := &bbolt.Options{
		Timeout:      time.Nanosecond, // one try
		ReadOnly:     !opts.writable,
		NoStatistics: true,
		OpenFile: func(path string, flag int, perm os.FileMode) (*os.File, error) {
			if opts.unlocked != nil {
				defer opts.unlocked()
			}
			return s.openFile(path, flag&^os.O_CREATE, perm, opts.fill)
		},
	}
	err := Guard(func() (err error) { s.bolt, err = bbolt.Open(path, 0o600, settings); return err })
	if err == nil && s.isNamed() {
		return s, nil
	}
	if err == nil {
		s.Close()
		return nil, s.fail(ErrBusy, errors.New("the file was replaced while it was opened"))
	}
	s.release()
	return nil, s.explain(err)
}

// isNamed reports whether the locked file still has its name. Who had the lock
// before may have put another in its place, as Compact does: a commit to this one
// would be lost.
func (s *Session) isNamed() bool {
	mine, err := s.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(s.path)
	return err == nil && os.SameFile(mine, there)
}

func (s *Session) openFile(path string, flag int, perm os.FileMode, fill bool) (_ *os.File, err error) {
	if s.info, err = os.Stat(path); err != nil {
		return nil, err
	}
	if !s.info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	}
	// bbolt would take it for a new one, and write its first pages, even through
	// a reader's file.
	if s.info.Size() == 0 && !fill {
		return nil, s.fail(ErrEmpty, errors.New("the file is empty"))
	}
	s.file, err = os.OpenFile(path, flag, perm)
	return s.file, err
}

// explain sorts an error of opening.
func (s *Session) explain(err error) error {
	var known *Error
	var withPath *fs.PathError
	var number syscall.Errno
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, bolterrors.ErrTimeout):
		return s.fail(ErrBusy, err)
	case errors.As(err, &withPath) && errors.Is(err, fs.ErrNotExist):
		return s.fail(ErrAbsent, err)
	case errors.As(err, &withPath), errors.As(err, &number):
		return s.fail(ErrDisk, err)
	default:
		return s.fail(ErrDamaged, err)
	}
}

func (s *Session) checkPages() error {
	info, err := s.file.Stat()
	if err != nil {
		return s.fail(ErrDisk, err)
	}
	if err := CheckPages(s.file, info.Size()); err != nil {
		return s.explainPages(err)
	}
	return nil
}

// explainPages tells pages that are damaged from those that can't be read.
func (s *Session) explainPages(err error) error {
	if errors.Is(err, ErrPages) {
		return s.fail(ErrDamaged, err)
	}
	return s.fail(ErrDisk, err)
}

// pause waits, and returns the error of ctx where that has ended by then.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return ctx.Err()
}
