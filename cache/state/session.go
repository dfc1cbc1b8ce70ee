package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
)

// errAbsent: there is no database yet.
var errAbsent = errors.New("no database")

// session is one transaction on the database, from open to close. Each step on
// tx is run by guard.
type session struct {
	place
	file *boltfile.Session
	tx   *bbolt.Tx
	// format is that of the database, at most this program's.
	format int
	// sealed are the paths of the tables whose seals were compared with their
	// entries, since the file was last written by somebody else.
	sealed map[string]bool
}

// begin opens the database and starts a transaction, waiting for its lock
// until deadline or the end of ctx. A missing file is errAbsent for a reader and
// is created for a writer. An empty one is damaged: create gives the file its
// name only when it is whole.
func (f *file) begin(ctx context.Context, writable bool, deadline time.Time) (*session, error) {
	if writable {
		if err := f.create(ctx); err != nil {
			return nil, err
		}
	}
	opened, err := f.memory.Begin(ctx, f.path, writable, deadline)
	if err != nil {
		return nil, f.refused(ctx, f.path, err)
	}
	if !opened.Known() {
		f.sealed = map[string]bool{}
	}
	return newSession(f.place, opened, f.sealed, (*session).checkFormat)
}

// newSession makes sure that the database has this program's format, or gives
// it to a new one.
func newSession(at place, file *boltfile.Session, sealed map[string]bool, format func(*session) error) (*session, error) {
	s := &session{place: at, file: file, tx: file.Tx(), sealed: sealed}
	if err := format(s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// refused says why the file at path gave no session.
func (f *file) refused(ctx context.Context, path string, err error) error {
	switch {
	case errors.Is(err, boltfile.ErrBusy):
		return fmt.Errorf("%w: %s: another process has held it for %v; try again", ErrBusy, path, f.lockWait)
	case errors.Is(err, boltfile.ErrAbsent):
		return errAbsent
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return context.Cause(ctx)
	default:
		return place{path, f.kind}.explain(err)
	}
}

// explain puts what is wrong with the file into this package's words, and
// leaves other errors alone.
func (p place) explain(err error) error {
	var file *boltfile.Error
	switch {
	case !errors.As(err, &file):
		return err
	case file.Kind == boltfile.ErrDamaged, file.Kind == boltfile.ErrEmpty:
		return p.damaged("%w", file.Cause)
	default:
		return disk(p.path, file.Cause)
	}
}

// guard runs one step on the transaction. A fault in it is ErrDamaged, and then
// so is every further step.
func (s *session) guard(step func() error) error { return s.explain(s.file.Guard(step)) }

// commit makes the transaction durable.
func (s *session) commit() error { return s.explain(s.file.Commit()) }

// close gives up the lock, and the transaction where it was not committed.
func (s *session) close() { s.file.Close() }
