package state

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"assay/internal/boltfile"
)

// errAbsent: there is no database yet.
var errAbsent = errors.New("no database")

// session is the part of one caller in a transaction on the database. Each step on
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

// newSession makes sure that the database has this program's format, or gives
// it to a new one.
func newSession(at place, file *boltfile.Session, sealed map[string]bool, format func(*session) error) (*session, error) {
	s := &session{place: at, file: file, tx: file.Tx(), sealed: sealed}
	if err := format(s); err != nil {
		return nil, err
	}
	return s, nil
}

// refused says why the file at path gave no session.
func (f *file) refused(ctx context.Context, path string, err error) error {
	switch {
	case errors.Is(err, boltfile.ErrBusy):
		return fmt.Errorf("%w: %s: others have held it for %v; try again", ErrBusy, path, f.lockWait)
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
