package state

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"assay/internal/boltfile"
)

// kind is what one of the files of the state directory is for.
type kind struct {
	name   string   // of the file
	tables []string // that stand at its top, from the start: a missing one is damage
	remedy string   // what its loss means, and what a person can do; never to go on without
}

func stateKind() kind {
	return kind{
		name:   "state.db",
		tables: []string{tableMeta, tableRepositories, tableLayouts, tableTrust},
		remedy: "the version floors that protect from rollback live in this file, so it is never rebuilt silently: restore it from a backup, or move it aside and run `assay trust add` again for each repository",
	}
}

func proofsKind() kind {
	return kind{
		name:   "proofs.db",
		tables: []string{tableMeta, tableProofs},
		remedy: "which bytes were published, and how well they were proven, is remembered in this file, so it is never rebuilt silently: restore it from a backup, or move it aside, knowing that changed bytes and weaker proof of what was seen before are then not noticed",
	}
}

// place is a file, and what it is for.
type place struct {
	path string
	kind kind
}

// file is a database that holds nothing open between calls. Several goroutines
// share transactions.
type file struct {
	place
	lockWait time.Duration
	group    *boltfile.Group
	sealed   map[string]bool // see session; of whoever runs a function for group
}

func newFile(dir string, k kind, lockWait time.Duration) *file {
	f := &file{place: place{filepath.Join(dir, k.name), k}, lockWait: lockWait}
	f.group = boltfile.NewGroup(f.path, func(s *boltfile.Session) {
		if !s.Known() {
			f.sealed = map[string]bool{}
		}
	})
	return f
}

// view runs fn on the stored state; without a database fn is not run. Here as in
// the other functions fn may be run more than once, so it sets anew all that it
// hands out.
func (f *file) view(ctx context.Context, fn func(*session) error) error {
	_, err := f.viewStored(ctx, fn)
	return err
}

// viewStored is view, and reports whether there is a database.
func (f *file) viewStored(ctx context.Context, fn func(*session) error) (stored bool, err error) {
	err = f.run(ctx, false, fn)
	if errors.Is(err, errAbsent) {
		return false, nil
	}
	return true, err
}

// update runs fn and keeps all that it wrote, or nothing.
func (f *file) update(ctx context.Context, fn func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.create(ctx); err != nil {
		return err
	}
	return f.run(ctx, true, fn)
}

// run runs fn in a transaction, which it may share with others. A missing file is
// errAbsent. An empty one is damaged: create gives the file its name only when it is
// whole.
func (f *file) run(ctx context.Context, writable bool, fn func(*session) error) error {
	err := f.group.Do(ctx, writable, time.Now().Add(f.lockWait), func(opened *boltfile.Session) error {
		s, err := newSession(f.place, opened, f.sealed, (*session).checkFormat)
		if err == nil {
			err = fn(s)
		}
		if err != nil {
			return &explained{err}
		}
		return nil
	})
	if ours, ok := err.(*explained); ok {
		return ours.error
	}
	if err != nil {
		return f.refused(ctx, f.path, err)
	}
	return nil
}

// explained is an error in this package's words, or the caller's.
type explained struct{ error }

// create makes the database where there is none.
func (f *file) create(ctx context.Context) error {
	err := boltfile.Make(ctx, f.path, time.Now().Add(f.lockWait), func(draft *boltfile.Session) error {
		_, err := newSession(f.place, draft, map[string]bool{}, (*session).writeFormat)
		return err
	})
	if err != nil {
		return f.refused(ctx, f.path, err)
	}
	return nil
}
