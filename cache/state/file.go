package state

import (
	"context"
	"errors"
	"fmt"
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

// file is a database that holds nothing open between calls. The transactions
// of several goroutines take turns.
type file struct {
	place
	lockWait time.Duration
	turn     boltfile.Turn

	// Whoever has the turn owns these.
	memory boltfile.Memory
	sealed map[string]bool // see session
}

func newFile(dir string, k kind, lockWait time.Duration) *file {
	return &file{place: place{filepath.Join(dir, k.name), k}, lockWait: lockWait, turn: boltfile.NewTurn()}
}

// view runs fn on the stored state; without a database fn is not run.
func (f *file) view(ctx context.Context, fn func(*session) error) error {
	err := f.run(ctx, false, fn)
	if errors.Is(err, errAbsent) {
		return nil
	}
	return err
}

// update runs fn and keeps all that it wrote, or nothing.
func (f *file) update(ctx context.Context, fn func(*session) error) error {
	return f.run(ctx, true, fn)
}

func (f *file) run(ctx context.Context, writable bool, fn func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline := time.Now().Add(f.lockWait)
	end, err := f.turn.Take(ctx, deadline)
	if errors.Is(err, boltfile.ErrBusy) {
		return fmt.Errorf("%w: %s: this process has used it for %v; try again", ErrBusy, f.path, f.lockWait)
	}
	if err != nil {
		return err
	}
	defer end()
	s, err := f.begin(ctx, writable, deadline)
	if err != nil {
		return err
	}
	defer s.close()
	if err := fn(s); err != nil {
		return err
	}
	if !writable {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.commit()
}

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
