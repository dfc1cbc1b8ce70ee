package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"assay/cache/audit"
	"assay/internal/config"
)

// The actions of commands that carry something to a mirror or away from it.
const (
	mirrorExported = "mirror.export"
	mirrorImported = "mirror.import"
	mirrorBackedUp = "mirror.backup"
	mirrorRestored = "mirror.restore"
)

// auditFile is the log's database, in the folder of the state.
const auditFile = "audit.db"

// mirrorNoted writes down in a mirror's audit log what is about to be done, does it,
// and writes down what came of it. A log that can't be written is told and stops
// nothing: a mirror whose disk is full can still be saved. Where no mirror has been at
// work yet there is no log, and none is begun.
//
// Crash behind the first note: an action is noted that was not done, never the other way.
func (a *app) mirrorNoted(ctx context.Context, cfg *config.Config, action, repository, detail string, do func() (came string, err error)) error {
	note := func(outcome, detail string) {
		e := audit.Entry{Action: action, Outcome: outcome, Detail: clean(detail), Subject: audit.Subject{Repository: repository}}
		if err := a.mirrorNote(ctx, filepath.Join(cfg.Daemon.Dir, mirrorState), e); err != nil {
			a.out.warn("the audit log: %v", err)
		}
	}
	note("", detail)
	came, err := do()
	if err != nil {
		note(audit.Failed, detail+": "+err.Error())
		return err
	}
	note(audit.Done, came)
	return nil
}

// mirrorNote writes an entry into the log in a folder, if there is one, even if the
// command was given up meanwhile.
func (a *app) mirrorNote(ctx context.Context, state string, e audit.Entry) error {
	if _, err := os.Stat(filepath.Join(state, auditFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	own := &session{config: &config.Config{StateDir: state}}
	writer, err := a.auditor(ctx, own)
	if err != nil {
		return err
	}
	return writer.note(ctx, e)
}

// mirrorOwner refuses to let root write into a mirror that another user keeps: that
// user's daemon could not read what is written. Anyone else the system stops.
func mirrorOwner(dir string) error {
	path := filepath.Join(dir, mirrorStorage)
	info, err := os.Stat(path)
	if err != nil {
		return nil // there is none yet, or whoever opens it is told
	}
	if uid, known := ownerOf(info); known && uid != os.Getuid() && os.Getuid() == 0 {
		return withHint(fmt.Errorf("%w: %s: expected that it belongs to user 0, who runs this, found user %d, who could not read what root writes", fs.ErrPermission, path, uid),
			fmt.Sprintf("run it as that user: sudo -u '#%d' assay …", uid))
	}
	return nil
}
